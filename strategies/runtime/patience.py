"""How long a session's program is borne with that is slow or loses its worker again and again.

The first loss in a row that may be ours is tried again at once. After `LOSSES` in a row the program
is not called for `PAUSE_MS` of market time: a program that spins on every tick would otherwise take
a quarter of every second from all the sessions beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

LOSSES = 3
PAUSE_MS = 60_000
SLOW_SECONDS = 0.05


@dataclass(slots=True)
class Patience:
    """One session's losses in a row. Market times are Unix milliseconds."""

    losses: int = 0
    paused_until_ms: int = 0
    call_seconds: float = 0.0  # of the last call, by the wall

    @property
    def is_slow(self) -> bool:
        """The last call took long or lost its worker; who shares the runner is served first."""
        return self.losses > 0 or self.call_seconds >= SLOW_SECONDS

    def pause_ms(self, now_ms: int) -> int:
        """How much longer the program is not called; 0 if it may be."""
        return max(0, self.paused_until_ms - now_ms)

    def lost(self, now_ms: int) -> None:
        self.losses += 1
        if self.losses >= LOSSES:
            self.paused_until_ms = now_ms + PAUSE_MS

    def served(self) -> None:
        self.losses = 0
