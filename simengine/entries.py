"""Scheduled entries: each of a program's times ends in exactly one outcome (domain.md section 9).

planned -> skipped (a filter, a limit, an error) | missed (no data, not running) | blocked (halted)
planned -> working (its order is pending) -> filled | unfilled

A time is due on the first fresh tick at or after it. When that tick comes later than the staleness
threshold the time was missed: for want of data, or because the session did not run yet.
"""

from __future__ import annotations

from simengine.events import EntryPlanned, EntryResolved, Event
from simengine.market import Tick
from simengine.state import (
    BLOCKED,
    HALTED,
    MISSED,
    PLANNED,
    WAITING,
    EntryState,
    SessionState,
    SessionTerms,
)


def plan_entries(state: SessionState, tick: Tick, terms: SessionTerms) -> list[Event]:
    """On the first fresh tick: announce every time; what is past already was not running."""
    events: list[Event] = []
    for entry in state.entries:
        events.append(_planned(entry, terms))
        if late_ms(entry, tick, terms) > terms.policy.data_staleness_threshold_ms:
            reason = "not_running: the session started later"
            events.append(entry.resolve(MISSED, reason, terms))
            state.next_entry += 1
    return events


def is_due(state: SessionState, tick: Tick, terms: SessionTerms) -> bool:
    """The time of the next entry has come."""
    number = state.next_entry
    return (
        number < len(state.entries)
        and tick.at_ms - terms.midnight_ms >= state.entries[number].seconds * 1000
    )


def late_ms(entry: EntryState, tick: Tick, terms: SessionTerms) -> int:
    """How long ago the entry was due; negative before its time."""
    return tick.at_ms - terms.midnight_ms - entry.seconds * 1000


def missed_for_want_of_data(entry: EntryState, late_ms: int, terms: SessionTerms) -> EntryResolved:
    reason = f"no_data: the next fresh tick came {late_ms} ms late"
    return entry.resolve(MISSED, reason, terms)


def end_entries(state: SessionState, terms: SessionTerms, end: str, reason: str) -> list[Event]:
    """The session trades no more: what is still planned is blocked by a halt, or missed."""
    outcome = BLOCKED if end == HALTED else MISSED
    why = f"halted: {reason}" if end == HALTED else f"not_running: {reason}"
    events: list[Event] = []
    for entry in state.entries:
        if entry.outcome == PLANNED:
            if state.phase == WAITING:  # it never started, so the plan was not announced yet
                events.append(_planned(entry, terms))
            events.append(entry.resolve(outcome, why, terms))
    state.next_entry = len(state.entries)
    return events


def _planned(entry: EntryState, terms: SessionTerms) -> EntryPlanned:
    return EntryPlanned(entry.number, terms.midnight_ms + entry.seconds * 1000)
