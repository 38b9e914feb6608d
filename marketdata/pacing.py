"""Market time against wall time: it has a speed, runs across holes, and waits when we lag."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta
from typing import Protocol

from django.utils import timezone

HOLE_MS = 60_000
CROSSED_IN_SECONDS = 1.0


class Wall(Protocol):
    """The outer world's time, and whether we are asked to stop."""

    @property
    def is_stopping(self) -> bool: ...

    def now(self) -> datetime: ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary moment on, never set back."""
        ...

    def wait(self, seconds: float) -> None:
        """Returns early when asked to stop."""
        ...


class SystemWall:
    """The machine's own clock. `stop` may be called from a signal handler.

    For a rehearsal it may be told another time to start at; it goes on from there.
    """

    def __init__(self, starts_at: datetime | None = None) -> None:
        self._stop = threading.Event()
        self._ahead = timedelta(0) if starts_at is None else starts_at - timezone.now()

    @property
    def is_stopping(self) -> bool:
        return self._stop.is_set()

    def stop(self) -> None:
        self._stop.set()

    def now(self) -> datetime:
        return timezone.now() + self._ahead

    def monotonic(self) -> float:
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        self._stop.wait(seconds)


class MarketTime:
    """Unix milliseconds of market time. `wall` arguments are `Wall.monotonic()` seconds."""

    def __init__(self, *, at_ms: int, speed: float, wall: float) -> None:
        self.speed = speed
        self._anchor_ms = float(at_ms)
        self._anchor_wall = wall
        self._crossing: tuple[int, float] | None = None  # to where, at what speed
        self._paused_ms: int | None = None

    def read(self, wall: float) -> int:
        if self._paused_ms is not None:
            return self._paused_ms
        elapsed_ms = (wall - self._anchor_wall) * 1000
        if self._crossing is not None:
            to_ms, speed = self._crossing
            if self._anchor_ms + elapsed_ms * speed < to_ms:
                return int(self._anchor_ms + elapsed_ms * speed)
            arrived = self._anchor_wall + (to_ms - self._anchor_ms) / speed / 1000
            self._anchor(to_ms, arrived)
            elapsed_ms = (wall - arrived) * 1000
        return int(self._anchor_ms + elapsed_ms * self.speed)

    def cross_hole(self, from_ms: int, to_ms: int, wall: float) -> None:
        """Where nothing happens for more than a minute of market, be across in a second of ours."""
        now_ms = self.read(wall)
        usual_seconds = (to_ms - now_ms) / 1000 / self.speed
        if self._crossing or to_ms - from_ms <= HOLE_MS or usual_seconds <= CROSSED_IN_SECONDS:
            return
        self._anchor(now_ms, wall)
        self._crossing = (to_ms, (to_ms - now_ms) / 1000 / CROSSED_IN_SECONDS)

    def slip_to(self, at_ms: int, wall: float) -> None:
        """We could not keep up: it is `at_ms` now; nothing is caught up."""
        self._anchor(at_ms, wall)

    def set_speed(self, speed: float, wall: float) -> None:
        if speed != self.speed:
            self._anchor(self.read(wall), wall)
            self.speed = speed

    def pause(self, at_ms: int) -> None:
        """Time stands still at `at_ms`. Harmless twice."""
        self._paused_ms = at_ms

    def resume(self, wall: float) -> None:
        """Time goes on from where it stood."""
        if self._paused_ms is not None:
            self._anchor(self._paused_ms, wall)
            self._paused_ms = None

    def seconds_until(self, at_ms: int, wall: float) -> float:
        """Wall seconds until market time reaches `at_ms`; 0 once it has."""
        speed = self._crossing[1] if self._crossing else self.speed
        return max(0.0, (at_ms - self.read(wall)) / 1000 / speed)

    def _anchor(self, at_ms: float, wall: float) -> None:
        self._anchor_ms, self._anchor_wall, self._crossing = float(at_ms), wall, None
