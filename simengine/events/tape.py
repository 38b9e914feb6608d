"""The market and its interruptions."""

from __future__ import annotations

from dataclasses import dataclass

from simengine.events.base import Event


@dataclass(frozen=True, slots=True)
class Started(Event):
    """The first fresh tick: the session runs."""

    kind = "started"
    spot_cents: int


@dataclass(frozen=True, slots=True)
class TickIgnored(Event):
    """A repeated or older tick; nothing else happened on it."""

    kind = "tick_ignored"
    seq: int
    last_seq: int


@dataclass(frozen=True, slots=True)
class GapNoted(Event):
    """Sequence numbers that never came."""

    kind = "gap_noted"
    after_seq: int
    seq: int


@dataclass(frozen=True, slots=True)
class StaleStarted(Event):
    kind = "stale_started"
    since_ms: int
    reason: str  # "silence": no tick came; "lag": the tick was too old when it came


@dataclass(frozen=True, slots=True)
class StaleEnded(Event):
    kind = "stale_ended"
    at_ms: int
    lasted_ms: int
