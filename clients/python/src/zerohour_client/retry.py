"""When to try again, and after how long."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

REFUSED_STATUS = 429  # refused before anything happened
OUTAGE_STATUSES = frozenset({502, 503, 504})


@dataclass(frozen=True)
class RetryPolicy:
    """Exponential backoff with full jitter.

    `attempts` counts the first one: 1 never repeats. A `Retry-After` beyond
    `max_retry_after_seconds` is not waited for: the refusal is raised and carries it.
    """

    attempts: int = 5
    base_seconds: float = 0.25
    max_seconds: float = 8.0
    max_retry_after_seconds: float = 60.0

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError("attempts must be at least 1")

    def backoff_seconds(self, failures: int, rng: Random) -> float:
        """The pause after so many failures in a row: between half and all of the doubled base."""
        ceiling = min(self.max_seconds, self.base_seconds * 2.0 ** (failures - 1))
        return ceiling * rng.uniform(0.5, 1.0)
