"""Calling the strategy and carrying out what it answers (domain.md sections 6, 7 and 9).

In one tick a program is called for its start, for the fills of this tick, for the times that are
due and for the tick itself, in this order; each call sees the effect of the one before. Every
scheduled time is one entry with exactly one outcome (`simengine.entries`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simengine import entries, placement
from simengine.events import Event, Filled, Logged, OrderPlaced, Refused, Signalled
from simengine.intents import InvalidIntent, parse_close, parse_open, whole
from simengine.market import Tick
from simengine.risk import count_error
from simengine.state import (
    PLANNED,
    RUNNING,
    SKIPPED,
    UNFILLED,
    WORKING,
    EntryState,
    SessionState,
    SessionTerms,
)
from simengine.strategy import AT, ON_FILL, ON_START, ON_TICK, Strategy, StrategyError
from simengine.view import build_view

DECISIONS_A_SESSION = 25_000  # one every second of a day; a program that writes more is cut


def call_strategy(
    state: SessionState,
    tick: Tick,
    terms: SessionTerms,
    strategy: Strategy,
    fills: Sequence[Event],
) -> list[Event]:
    """Every call this tick asks for, until one has spent the last of the error budget."""
    events: list[Event] = []
    hooks = strategy.hooks
    if not state.has_started:
        state.has_started = True
        if hooks.on_start:
            events += _call(state, tick, terms, strategy, ON_START, None)
    if fills and hooks.on_fill:
        for fill in fills:
            if isinstance(fill, Filled) and state.phase == RUNNING:
                argument = _fill_argument(fill, tick)
                events += _call(state, tick, terms, strategy, ON_FILL, argument)
    while state.phase == RUNNING and entries.is_due(state, tick, terms):
        events += _call_next_entry(state, tick, terms, strategy)
    if hooks.on_tick and state.phase == RUNNING:
        events += _call(state, tick, terms, strategy, ON_TICK, None)
    return events


def _call_next_entry(
    state: SessionState, tick: Tick, terms: SessionTerms, strategy: Strategy
) -> list[Event]:
    entry = state.entries[state.next_entry]
    state.next_entry += 1
    late_ms = entries.late_ms(entry, tick, terms)
    if late_ms > terms.policy.data_staleness_threshold_ms:
        return [entries.missed_for_want_of_data(entry, late_ms, terms)]
    return _call(state, tick, terms, strategy, AT, clock(entry.seconds), entry=entry)


def _call(
    state: SessionState,
    tick: Tick,
    terms: SessionTerms,
    strategy: Strategy,
    hook: str,
    argument: Any,
    entry: EntryState | None = None,
) -> list[Event]:
    view = build_view(state, tick, terms)
    try:
        decision = strategy.call(hook, view, argument)
    except StrategyError as error:
        events = count_error(state, terms, "strategy", f"{hook}: {error.message}", error.line)
        if entry is not None:
            events.append(entry.resolve(SKIPPED, f"error: {error.message}", terms))
        return events
    state.program_state = decision.state
    events = []
    skip_reason = ""
    for action in decision.actions:
        if action.get("do") == "skip":
            skip_reason = skip_reason or str(action.get("reason") or "")
            continue
        events += _carry_out(state, tick, terms, action, entry)
    if entry is not None and entry.outcome == PLANNED:
        reason = skip_reason or _why_no_order(events)
        events.append(entry.resolve(SKIPPED, reason, terms))
    return events


def _carry_out(
    state: SessionState,
    tick: Tick,
    terms: SessionTerms,
    action: dict[str, Any],
    entry: EntryState | None,
) -> list[Event]:
    do = action.get("do")
    data = action.get("data") or {}
    if do in ("log", "signal"):
        return _note(state, action, data)
    if state.phase != RUNNING:  # an action before this one spent the last of the error budget
        return [Refused("nothing_new_may_open", f"the session is {state.phase}")]
    try:
        if do == "open":
            return _open(state, tick, terms, action, entry)
        return _close_or_change(state, tick, terms, action)
    except InvalidIntent as error:
        counted = count_error(state, terms, "order", f"{error.code}: {error}")
        return [Refused(error.code, str(error)), *counted]


def _note(state: SessionState, action: dict[str, Any], data: dict[str, Any]) -> list[Event]:
    """A line of the decision log. The last one that fits says that nothing more is kept."""
    if state.decision_count >= DECISIONS_A_SESSION:
        return []
    state.decision_count += 1
    number = state.decision_count
    if number == DECISIONS_A_SESSION:
        full = f"the decision log is full: at most {number} entries a session; the rest is cut"
        return [Logged(number, full, {"limit": number})]
    if action["do"] == "log":
        return [Logged(number, str(action.get("message", "")), data)]
    return [Signalled(number, str(action.get("name", "")), data)]


def _open(
    state: SessionState,
    tick: Tick,
    terms: SessionTerms,
    action: dict[str, Any],
    entry: EntryState | None,
) -> list[Event]:
    """The first order that a scheduled call opens is that entry's."""
    intent = parse_open(action, tick)
    if entry is None or entry.outcome != PLANNED:
        return placement.open_order(state, tick, terms, intent, None)
    events = placement.open_order(state, tick, terms, intent, entry.number)
    placed = events[0]
    if isinstance(placed, OrderPlaced):
        entry.order_number = placed.order
        entry.outcome = WORKING
        if placed.order not in state.orders:
            reason = "rejected: the stop would trigger at once"
            events.append(entry.resolve(UNFILLED, reason, terms))
    return events


def _close_or_change(
    state: SessionState, tick: Tick, terms: SessionTerms, action: dict[str, Any]
) -> list[Event]:
    do = action.get("do")
    if do == "close":
        trade_number, order_type = parse_close(action)
        return placement.close_number(
            state, tick, terms, trade_number, order_type=order_type, reason="strategy"
        )
    if do == "cancel":
        return placement.cancel_order(state, terms, whole(action, "order"))
    if do == "replace":
        number, limit_cents = whole(action, "order"), whole(action, "limit_cents")
        return placement.replace_order(state, tick, terms, number, limit_cents)
    raise InvalidIntent(f"unknown action {do!r}")


def _why_no_order(events: Sequence[Event]) -> str:
    for event in events:
        if isinstance(event, Refused):
            return f"{event.code}: {event.message}"
    return "no_order: the program opened nothing"


def _fill_argument(fill: Filled, tick: Tick) -> dict[str, Any]:
    return {
        "order": fill.order,
        "kind": fill.order_kind,
        "trade": fill.trade,
        "price_cents": fill.price_cents,
        "units": fill.units,
        "at_ms": tick.at_ms,
    }


def clock(seconds: int) -> str:
    """A New York second of the day as HH:MM, or HH:MM:SS where the seconds are not 0."""
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours:02d}:{minutes:02d}" + (f":{seconds:02d}" if seconds else "")
