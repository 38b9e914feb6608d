"""Checks of the trail: ids, numbers, the events of each tick, the status, the snapshot."""

from __future__ import annotations

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
    """Within a tick the indices of each run grow by one from its beginning; the step's own events
    are at the tick's time.
    """
    session = books.session
    at_ms = dict(zip(books.times.seqs.tolist(), books.times.at_ms.tolist(), strict=True))
    for seq, found in groupby(books.events, key=lambda event: event.tick_seq):
        before = -1
        for event in found:
            expected = before + 1 if event.index == before + 1 else _beginning(event)
            tally.same(event, index=expected)
            before = event.index
            if not session.first_seq - 1 <= seq <= session.last_tick_seq:
                tally.broken(event, "tick_seq", seq, session.last_tick_seq)
            elif event.index < STEP_INDICES and seq in at_ms and _ms(event) != at_ms[seq]:
                tally.broken(event, "at", _ms(event), at_ms[seq])


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


def _ms(event: SessionEvent) -> int:
    return round(event.at.timestamp() * 1000)


def _numbers(raw: list[dict[str, Any]]) -> list[int]:
    return sorted(item["number"] for item in raw)


def _numbers_of(rows: list[Any], status: str) -> list[int]:
    return [row.number for row in rows if row.status == status]
