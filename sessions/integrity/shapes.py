"""The first check: every row can be read. What cannot be read cannot be recounted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from sessions.hosted import FAILED_BY_RUNNER, OBEYED
from sessions.integrity.books import Books
from sessions.integrity.report import Tally
from sessions.models import Order, Position, SessionEvent, Trade, Transaction
from simengine import events as ev
from simengine.market import parse_symbol
from simengine.policy import Policy, PolicyError
from simengine.state import SessionState

# What the data of each kind of event holds: the engine's kinds, then those of its runner.
DATA: dict[str, frozenset[str]] = {
    **{
        kind.kind: frozenset(spec.name for spec in fields(kind))
        for kind in ev.Event.__subclasses__()
    },
    "status": frozenset({"status", "reason"}),
    OBEYED: frozenset({"requests", "phase"}),
    FAILED_BY_RUNNER: frozenset({"reason"}),
}
FEES = frozenset({"open_cents", "close_cents", "exercise_cents"})


def readable(books: Books, tally: Tally) -> None:
    bookings: list[Transaction | Position] = [*books.transactions, *books.positions]
    for row in bookings:
        tally.same(row)
        _check_symbols(tally, row, "instrument", [row.instrument])
    packages: list[Order | Trade] = [*books.orders, *books.trades]
    for package in packages:
        tally.same(package)
        if not isinstance(package.legs, list):
            tally.broken(package, "legs", package.legs, "a list of legs")
        else:
            _check_symbols(tally, package, "legs", [_instrument(leg) for leg in package.legs])
    for event in books.events:
        tally.same(event)
        _check_event(tally, event)
    _check_session(books, tally)


def _check_event(tally: Tally, event: SessionEvent) -> None:
    wanted = DATA.get(event.kind)
    if wanted is None:
        tally.broken(event, "kind", event.kind, "a kind of event")
    elif _lacks(event.data, wanted):
        tally.broken(event, "data", event.data, sorted(wanted))
    else:
        legs = [_instrument(leg) for leg in event.data.get("legs", ())]
        contract = [event.data["contract"]] if "contract" in wanted else []
        _check_symbols(tally, event, "data", [*legs, *contract])


def _check_symbols(tally: Tally, row: Any, column: str, symbols: Iterable[Any]) -> None:
    for symbol in symbols:
        try:
            parse_symbol(symbol)
        except (ValueError, TypeError):
            tally.broken(row, column, symbol, "the symbol of a contract")


def _check_session(books: Books, tally: Tally) -> None:
    session = books.session
    tally.same(session)
    if session.policy is not None:
        try:
            Policy.from_json(session.policy)
        except (PolicyError, TypeError, AttributeError) as error:
            tally.broken(session, "policy", str(error), "a policy")
    if session.fee_schedule is not None and _lacks(session.fee_schedule, FEES):
        tally.broken(session, "fee_schedule", session.fee_schedule, sorted(FEES))
    if session.state is not None:
        try:
            SessionState.from_json(session.state)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            tally.broken(session, "state", repr(error), "a state of the engine")


def _instrument(leg: Any) -> Any:
    return leg.get("instrument") if isinstance(leg, dict) else leg


def _lacks(data: Any, wanted: Iterable[str]) -> bool:
    return not isinstance(data, dict) or any(name not in data for name in wanted)
