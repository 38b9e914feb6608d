"""The market and its interruptions."""

from __future__ import annotations

from simengine.events.base import Event, event


@event
class Started(Event):
    """The first fresh tick: the session runs."""

    kind = "started"
    spot_cents: int


@event
class TickIgnored(Event):
    """A repeated or older tick; nothing else happened on it."""

    kind = "tick_ignored"
    seq: int
    last_seq: int


@event
class GapNoted(Event):
    """Sequence numbers that never came."""

    kind = "gap_noted"
    after_seq: int
    seq: int


@event
class StaleStarted(Event):
    kind = "stale_started"
    since_ms: int
    reason: str  # "silence": no tick came; "lag": the tick was too old when it came


@event
class StaleEnded(Event):
    kind = "stale_ended"
    at_ms: int
    lasted_ms: int
