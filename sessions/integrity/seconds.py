"""Checks of the per-second line against ticks, transactions and quotes."""

from __future__ import annotations

import numpy as np

from sessions.integrity.books import Books
from sessions.integrity.ledger import STEP_INDICES, reserved_of
from sessions.integrity.market import Ints
from sessions.integrity.report import Break, Tally, table_of
from sessions.models import FinancialChunk


def line(books: Books, tally: Tally) -> None:
    """Strictly growing, one row per processed tick, at the tick's time; chunks say what they hold.

    Processed is every tick from the session's first on, in growing time within the market's hours,
    up to the closing tick or the one that ended the session.
    """
    start = 0
    for chunk in books.chunks:
        points = books.line[start : start + chunk.count]
        start += chunk.count
        if len(points):
            first, last = int(points[0, 0]), int(points[-1, 0])
            tally.same(chunk, first_seq=first, last_seq=last)
    if start != len(books.line) and books.chunks:
        tally.broken(books.chunks[-1], "count", start, len(books.line))
    seqs, at_ms = books.line[:, 0], books.line[:, 1]
    tally.rows_checked += len(seqs)
    growing = np.flatnonzero((np.diff(seqs) <= 0) | (np.diff(at_ms) <= 0))
    if len(growing):
        place = int(growing[0]) + 1
        _note(books, tally, "seq", place, int(seqs[place]), int(seqs[place - 1]) + 1)
    elif books.times.is_known:
        _compare_ticks(books, tally)


def _compare_ticks(books: Books, tally: Tally) -> None:
    wanted_seqs, wanted_ms = processed(books)
    seqs, at_ms = books.line[:, 0], books.line[:, 1]
    shared = min(len(seqs), len(wanted_seqs))
    for name, stored, expected in (("seq", seqs, wanted_seqs), ("at_ms", at_ms, wanted_ms)):
        wrong = np.flatnonzero(stored[:shared] != expected[:shared])
        if len(wrong):
            place = int(wrong[0])
            _note(books, tally, name, place, int(stored[place]), int(expected[place]))
            return
    if len(seqs) > shared:
        _note(books, tally, "seq", shared, int(seqs[shared]), None)
    elif len(wanted_seqs) > shared:
        missing = int(wanted_seqs[shared])
        row = f"{books.chunks[-1].pk if books.chunks else None}/{missing}"
        tally.note(Break(table_of(FinancialChunk), row, "seq", None, missing))


def processed(books: Books) -> tuple[Ints, Ints]:
    """The seqs and times of the ticks the session had to process up to where it stands."""
    session, day, times = books.session, books.day, books.times
    assert day is not None
    is_mine = (times.seqs >= session.first_seq) & (times.seqs <= session.last_tick_seq)
    seqs, at_ms = times.seqs[is_mine], times.at_ms[is_mine]
    open_ms = round(day.open_at.timestamp() * 1000)
    close_ms = round(day.close_at.timestamp() * 1000)
    latest = np.maximum.accumulate(np.concatenate([[open_ms - 1], at_ms]))[:-1]
    is_taken = (at_ms > latest) & (latest < close_ms)
    return seqs[is_taken], at_ms[is_taken]


def cash(books: Books, tally: Tally) -> None:
    """cash = opening balance + credits - debits - fees, each second."""
    expected = books.seconds
    _same(books, tally, "cash", expected.cash)
    _same(books, tally, "fees", expected.fees)


def net_liquidation_value(books: Books, tally: Tally) -> None:
    """cash + Σ signed quantity × last usable mid × 100 = NLV, each second."""
    expected = books.seconds
    if expected.value is not None:
        _same(books, tally, "net_liquidation_value", expected.cash + expected.value)


def profit(books: Books, tally: Tally) -> None:
    """profit_loss = NLV - opening balance = realized + unrealized - fees, to the cent."""
    nlv, fees = books.column("net_liquidation_value"), books.column("fees")
    realized = books.column("realized_profit_loss")
    profit_cents = nlv - (books.session.opening_balance_cents or 0)
    _same(books, tally, "realized_profit_loss", books.seconds.realized)
    _same(books, tally, "profit_loss", profit_cents)
    _same(books, tally, "unrealized_profit_loss", profit_cents - realized + fees)


def margin(books: Books, tally: Tally) -> None:
    """The maintenance margin of what is held, and what is left of the cash."""
    expected = books.seconds
    _same(books, tally, "maintenance_margin", expected.margin)
    left = expected.cash - expected.margin - reserved_of(books)
    _same(books, tally, "available_buying_power", left)


def buying_power(books: Books, tally: Tally) -> None:
    """Not negative on any tick on which an opening order was accepted."""
    refused = {(event.tick_seq, event.data["order"]) for event in books.events_by_kind["rejected"]}
    accepted = {
        event.tick_seq
        for event in books.events_by_kind["order_placed"]
        if event.data["order_kind"] == "opening"
        and (event.tick_seq, event.data["order"]) not in refused
        and event.index < STEP_INDICES
    }
    places = np.flatnonzero(np.isin(books.line[:, 0], sorted(accepted)))
    available = books.column("available_buying_power")[places]
    tally.rows_checked += len(places)
    negative = np.flatnonzero(available < 0)
    if len(negative):
        place = int(places[negative[0]])
        _note(books, tally, "available_buying_power", place, int(available[negative[0]]), 0)


def _same(books: Books, tally: Tally, column: str, expected: Ints) -> None:
    stored = books.column(column)
    tally.rows_checked = max(tally.rows_checked, len(stored))
    wrong = np.flatnonzero(stored != expected)
    if len(wrong):
        place = int(wrong[0])
        _note(books, tally, column, place, int(stored[place]), int(expected[place]))


def _note(
    books: Books, tally: Tally, column: str, place: int, stored: int, expected: int | None
) -> None:
    chunk = books.chunk_of_line[place]
    holder = chunk.pk or "tail"  # the newest seconds stand in the session's row
    row = f"{holder}/{int(books.line[place, 0])}"
    tally.note(Break(table_of(FinancialChunk), row, column, stored, expected))
