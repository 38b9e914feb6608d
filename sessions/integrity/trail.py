"""Checks of the trail: ids, numbers, the events of each tick, the status, the snapshot."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from typing import Any

import numpy as np

from common.times import from_ms
from sessions.hosted import FAILURE_INDEX, REQUEST_INDEX
from sessions.ids import row_id
from sessions.integrity.books import Books
from sessions.integrity.ledger import STEP_INDICES, booked
from sessions.integrity.report import Tally
from sessions.lifecycle import TERMINAL, Status
from sessions.models import Decision, Entry, Order, SessionEvent, Trade, Transaction
from sessions.rows import SETTLEMENT_INDEX, STATUS_INDEX
from simengine.market import Contract

# Where runs of event indices begin: the step itself, the market's close, the settlement, requests
# obeyed without a tick, an end by failure.
BEGINNINGS = (0, SETTLEMENT_INDEX // 2, SETTLEMENT_INDEX, REQUEST_INDEX, FAILURE_INDEX)
NUMBERED: dict[type[Any], str] = {
    Order: "order",
    Trade: "trade",
    Transaction: "transaction",
    Decision: "decision",
    Entry: "entry",
}


def ids(books: Books, tally: Tally) -> None:
    pk = books.session.pk
    for rows in (books.orders, books.trades, books.transactions, books.decisions, books.entries):
        for row in rows:
            tally.same(row, id=row_id(pk, NUMBERED[type(row)], row.number))
    for position in books.positions:
        tally.same(position, id=row_id(pk, "position", position.instrument))
    for event in books.events:
        tally.same(event, id=row_id(pk, "event", f"{event.tick_seq}.{event.index}"))


def numbers(books: Books, tally: Tally) -> None:
    for rows in (books.orders, books.trades, books.transactions, books.decisions, books.entries):
        for number, row in enumerate(rows, start=1):
            tally.same(row, number=number)


def events(books: Books, tally: Tally) -> None:
    """Within a tick the indices of each run grow by one from its beginning, and every event is at
    the moment that made it.
    """
    session = books.session
    moments = _Moments(books)
    for seq, found in groupby(books.events, key=lambda event: event.tick_seq):
        before = -1
        for event in found:
            expected = before + 1 if event.index == before + 1 else _beginning(event)
            tally.same(event, index=expected)
            before = event.index
            if not session.first_seq - 1 <= seq <= session.last_tick_seq:
                tally.broken(event, "tick_seq", seq, session.last_tick_seq)
            elif (known := moments.of(event)) and event.at not in known:
                tally.broken(event, "at", event.at, min(known))


class _Moments:
    """When the events of a session can have been."""

    def __init__(self, books: Books) -> None:
        self._books, self._session, self._day = books, books.session, books.day
        seqs, at_ms = books.times.seqs.tolist(), books.times.at_ms.tolist()
        self._tick_ms = dict(zip(seqs, at_ms, strict=True))
        words = [row.data["status"] for row in books.events_by_kind["status"]]
        self._was_scheduled = Status.SCHEDULED in words

    def of(self, event: SessionEvent) -> set[datetime]:
        """One of these; empty where that is not known, or held against the session's row."""
        if event.index >= STATUS_INDEX:
            return self._of_status(Status(event.data["status"]))
        if event.index < STEP_INDICES:
            tick_ms = self._tick_ms.get(event.tick_seq)
            return set() if tick_ms is None else {from_ms(tick_ms)}
        if event.index < REQUEST_INDEX:
            return {self._day.close_at} if self._day else set()
        return {self._latest(event.tick_seq)}

    def _of_status(self, status: Status) -> set[datetime]:
        if status is Status.WAITING_FOR_DATA:
            return {self._session.created_at}
        if status is Status.KILLING:
            return self._books.stops_asked_at
        if status is Status.REGISTERING and self._was_scheduled and self._day:
            return {self._day.open_at}
        return {self._day.close_at} if status is Status.SETTLING and self._day else set()

    def _latest(self, seq: int) -> datetime:
        """Of what needs no tick: the newest second, or when the session was made."""
        processed = int(np.searchsorted(self._books.line[:, 0], seq, side="right"))
        if not processed:
            return self._session.created_at
        return from_ms(int(self._books.column("at_ms")[processed - 1]))


def status(books: Books, tally: Tally) -> None:
    """The row's status was written down as an event, and an ended session has one end."""
    session = books.session
    tally.same(session)
    entered = [row for row in books.events_by_kind["status"] if row.index >= STATUS_INDEX]
    for event in entered:
        place = event.index - STATUS_INDEX
        tally.same(event, data={**event.data, "status": list(Status)[place].value})
    words = [Status(row.data["status"]) for row in entered]
    ends = [word for word in words if word in TERMINAL]
    expected = ends[0] if ends else None
    if len(ends) > 1 or (session.is_terminal and session.status != expected):
        tally.broken(session, "status", session.status, expected)
    elif not session.is_terminal and (ends or (words and session.status not in words)):
        tally.broken(session, "status", session.status, str(words[-1]))
    elif entered:
        _check_times(books, tally, dict(zip(words, entered, strict=True)))


def _check_times(books: Books, tally: Tally, entered: dict[Status, SessionEvent]) -> None:
    """The session's row says when it was made, ran and ended as the events of that do."""
    begun = entered.get(Status.SCHEDULED) or entered.get(Status.REGISTERING)
    running = entered.get(Status.RUNNING)
    end = next((event for word, event in entered.items() if word in TERMINAL), None)
    tally.same(
        books.session,
        created_at=begun.at if begun else books.session.created_at,
        started_at=running.at if running else None,
        ended_at=end.at if end else None,
        status_reason=(end.data["reason"] or None) if end else None,
    )


def counts(books: Books, tally: Tally) -> None:
    """Ticks and errors as counted on the session's row, and how far it is."""
    session, at_ms = books.session, books.column("at_ms")
    errors = books.events_by_kind["error_counted"]
    tally.same(
        session,
        tick_count=len(books.line),
        error_count=len(errors),
        last_tick_at=from_ms(int(at_ms[-1])) if len(at_ms) else None,
    )
    if books.day is not None and session.last_tick_seq > books.day.last_seq:
        tally.broken(session, "last_tick_seq", session.last_tick_seq, books.day.last_seq)
    for count, event in enumerate(errors, start=1):
        tally.same(event, data={**event.data, "count": count})


def snapshot(books: Books, tally: Tally) -> None:
    """The engine's state, from which a new owner goes on, says what the rows say."""
    session, state = books.session, books.session.state
    if state is None:
        return
    tally.same(session)
    ledger = booked(session.opening_balance_cents or 0, books.transactions)
    portfolio = state["portfolio"]
    held = {
        Contract(*raw["contract"]).symbol(session.trading_date): raw["quantity"]
        for raw in portfolio["positions"]
    }
    pairs = {
        "cash_cents": (portfolio["cash_cents"], ledger.cash_cents),
        "fees_cents": (portfolio["fees_cents"], ledger.fees_cents),
        "positions": (held, {name: item.quantity for name, item in ledger.held.items()}),
        "orders": (_numbers(state["orders"]), _numbers_of(books.orders, "pending")),
        "trades": (_numbers(state["trades"]), _numbers_of(books.trades, "open")),
        "order_count": (state["order_count"], len(books.orders)),
        "trade_count": (state["trade_count"], len(books.trades)),
        "fill_count": (state["fill_count"], len(_numbers_of(books.orders, "filled"))),
        "transaction_count": (state["transaction_count"], len(books.transactions)),
        "decision_count": (state["decision_count"], len(books.decisions)),
        "error_count": (state["error_count"], session.error_count),
        "tick_count": (state["tick_count"], int(np.sum(books.line[:, 0] <= session.state_seq))),
        "last_seq": (state["last_seq"], session.state_seq),
    }
    for name, (stored, expected) in pairs.items():
        if stored != expected:
            tally.broken(session, f"state.{name}", stored, expected)


def _beginning(event: SessionEvent) -> int:
    """The index at which the run begins that an event out of sequence must begin."""
    if event.index >= STATUS_INDEX:
        return event.index  # a session enters each status once, at the status's own place
    return max(begin for begin in BEGINNINGS if begin <= event.index)


def _numbers(raw: list[dict[str, Any]]) -> list[int]:
    return sorted(item["number"] for item in raw)


def _numbers_of(rows: list[Any], status: str) -> list[int]:
    return [row.number for row in rows if row.status == status]
