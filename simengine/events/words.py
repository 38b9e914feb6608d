"""What the strategy said, and what became of its scheduled entries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simengine.events.base import Event


@dataclass(frozen=True, slots=True)
class Logged(Event):
    kind = "logged"
    number: int
    message: str
    data: Any


@dataclass(frozen=True, slots=True)
class Signalled(Event):
    kind = "signalled"
    number: int
    name: str
    data: Any


@dataclass(frozen=True, slots=True)
class EntryPlanned(Event):
    kind = "entry_planned"
    entry: int
    due_ms: int


@dataclass(frozen=True, slots=True)
class EntryResolved(Event):
    """The one outcome of a scheduled entry."""

    kind = "entry_resolved"
    entry: int
    due_ms: int
    outcome: str  # filled | unfilled | skipped | missed | blocked
    reason: str
    order: int | None
