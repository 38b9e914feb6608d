"""How long to wait before the next try."""

from __future__ import annotations

from random import Random

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 60.0
LONGEST_EXPONENT = 16


class Backoff:
    """Twice as long each time up to a minute, shortened by up to half at random, so that not all
    clients of a vendor come back in the same second.
    """

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._tries = 0

    def next_seconds(self) -> float:
        longest = min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** min(self._tries, LONGEST_EXPONENT))
        self._tries += 1
        return longest * self._rng.uniform(0.5, 1.0)

    def reset(self) -> None:
        self._tries = 0
