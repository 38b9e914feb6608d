"""What the strategy said, and what became of its scheduled entries."""

from __future__ import annotations

from typing import Any

from simengine.events.base import Event, event


@event
class Logged(Event):
    kind = "logged"
    number: int
    message: str
    data: Any


@event
class Signalled(Event):
    kind = "signalled"
    number: int
    name: str
    data: Any


@event
class EntryPlanned(Event):
    kind = "entry_planned"
    entry: int
    due_ms: int


@event
class EntryResolved(Event):
    """The one outcome of a scheduled entry."""

    kind = "entry_resolved"
    entry: int
    due_ms: int
    outcome: str  # filled | unfilled | skipped | missed | blocked
    reason: str
    order: int | None
