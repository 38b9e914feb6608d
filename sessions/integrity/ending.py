"""Checks of how a day ends: positions, settlement, the roll-up, the balance carried on."""

from __future__ import annotations

from typing import Any

import numpy as np

from sessions.ids import row_id
from sessions.integrity.books import Books
from sessions.integrity.ledger import Held, booked
from sessions.integrity.market import Ints
from sessions.integrity.report import Tally
from sessions.models import BotSession, Position, SessionEvent, Transaction
from simengine.market import CALL, parse_symbol

ROLL_UP = (
    "final_nlv_cents",
    "realized_pl_cents",
    "total_pl_cents",
    "total_fees_cents",
    "max_intraday_dd_cents",
    "max_intraday_dd_bp",
    "peak_nlv_cents",
    "trough_nlv_cents",
    "order_count",
    "fill_count",
)


def positions(books: Books, tally: Tally) -> None:
    """Each position is the sum of its instrument's transactions; zero once settled."""
    ledger = booked(books.session.opening_balance_cents or 0, books.transactions)
    wanted = dict(ledger.held)
    for row in books.positions:
        held = wanted.pop(row.instrument, Held())
        tally.same(
            row,
            quantity=held.quantity,
            cost_basis_cents=held.cost_cents,
            realized_cents=held.realized_cents,
            fees_cents=held.fees_cents,
        )
        if books.is_settled:
            tally.same(row, quantity=0)
    for instrument in wanted:
        tally.missing(Position, row_id(books.session.pk, "position", instrument))


def settlement(books: Books, tally: Tally) -> None:
    """Each instrument held at the close settles once, at what the official value makes it worth."""
    settled = books.events_by_kind["settled"]
    if settled:
        _check_official(books, tally, settled[0])
    ledger = booked(0, books.fills())
    at_close = {name: held.quantity for name, held in ledger.held.items() if held.quantity}
    rows = books.settlements()
    for row in rows:
        if row.instrument not in at_close or not settled:
            tally.unexpected(row)
            continue
        quantity = at_close.pop(row.instrument)
        tally.same(row, **_settled(row, quantity, settled[0].data["settlement_cents"]))
    if books.is_settled:
        for number, _ in enumerate(at_close, start=len(books.transactions) + 1):
            tally.missing(Transaction, row_id(books.session.pk, "transaction", number))


def _check_official(books: Books, tally: Tally, settled: SessionEvent) -> None:
    """The value the books stand at is the official one: that of their settlement, or of the last
    adjustment that made good for a correction. One that changes no amount needs none.
    """
    stands_at_cents = settled.data["settlement_cents"]
    for row in books.adjustments:
        amount_cents = _brought(books, row.new_settlement_cents)
        amount_cents -= _brought(books, stands_at_cents)
        tally.same(row, old_settlement_cents=stands_at_cents, amount_cents=amount_cents)
        stands_at_cents = row.new_settlement_cents
    official_cents = books.day.settlement_cents if books.day is not None else None
    if official_cents in (None, stands_at_cents):
        tally.same(settled)
        return
    is_open = any(row.applied_at is None for row in books.corrections)
    changes_nothing = _brought(books, official_cents) == _brought(books, stands_at_cents)
    if not books.corrections or not (is_open or changes_nothing):
        wanted = {**settled.data, "settlement_cents": official_cents}
        tally.broken(settled, "data", settled.data, wanted)


def _brought(books: Books, official_cents: int) -> int:
    """What the settled positions bring at a value, less the exercise fees, in cents."""
    exercise_cents = (books.session.fee_schedule or {})["exercise_cents"]
    total_cents = 0
    for row in books.settlements():
        quantity = row.quantity if row.effect == "credit" else -row.quantity
        worth_cents = _worth_cents(row, official_cents)
        total_cents += 100 * quantity * worth_cents - (exercise_cents if worth_cents else 0)
    return total_cents


def _worth_cents(row: Transaction, official_cents: int) -> int:
    """Cents per share: what it is in the money, strictly."""
    contract = parse_symbol(row.instrument)[1]
    in_the_money = official_cents - contract.strike_cents
    return max(0, in_the_money if contract.right == CALL else -in_the_money)


def _settled(row: Transaction, quantity: int, official_cents: int) -> dict[str, Any]:
    """In the money (strictly): exercise for a long, assignment for a short; else expiration."""
    worth_cents = _worth_cents(row, official_cents)
    exercised = "exercise" if quantity > 0 else "assignment"
    return {
        "type": exercised if worth_cents else "expiration",
        "quantity": abs(quantity),
        "price_cents": 100 * worth_cents,
        "value_cents": 100 * worth_cents * abs(quantity),
        "effect": "credit" if quantity > 0 else "debit",
    }


def roll_up(books: Books, tally: Tally) -> None:
    """The summary is what an independent recount gives; null until the session is settled."""
    if not books.is_settled:
        tally.same(books.session, **dict.fromkeys(ROLL_UP))
        return
    opening_cents = books.session.opening_balance_cents or 0
    ledger = booked(opening_cents, books.transactions)
    nlv = books.column("net_liquidation_value")
    seen = np.concatenate([[opening_cents], nlv, [ledger.cash_cents]])
    tally.same(
        books.session,
        final_nlv_cents=ledger.cash_cents,
        realized_pl_cents=ledger.realized_cents,
        total_pl_cents=ledger.cash_cents - opening_cents,
        total_fees_cents=ledger.fees_cents,
        order_count=len(books.orders),
        fill_count=sum(order.status == "filled" for order in books.orders),
    )
    if not books.is_trimmed:
        fall_cents, fall_bp = _drawdown(seen)
        tally.same(
            books.session,
            max_intraday_dd_cents=fall_cents,
            max_intraday_dd_bp=fall_bp,
            peak_nlv_cents=int(seen.max()),
            trough_nlv_cents=int(seen.min()),
        )


def _drawdown(nlv_cents: Ints) -> tuple[int, int]:
    """The largest fall from the running peak, and in hundredths of a percent of that peak."""
    peaks = np.maximum.accumulate(nlv_cents)
    falls = peaks - nlv_cents
    place = int(np.argmax(falls))
    fall_cents, peak_cents = int(falls[place]), int(peaks[place])
    return fall_cents, fall_cents * 10_000 // peak_cents if peak_cents > 0 else 0


def carry(books: Books, tally: Tally) -> None:
    """A day opens with what the day before closed with and the adjustments carried after it; the
    bot has what the last day left.
    """
    session, bot = books.session, books.bot
    if session.opening_balance_cents is None:
        return
    earlier_cents: int = bot.starting_capital_cents
    if books.earlier is not None:
        earlier_cents = _left_cents(books.earlier)
    tally.same(session, opening_balance_cents=earlier_cents)
    closing_cents = _left_cents(session, earlier_cents)
    if books.later is not None:
        tally.same(books.later, opening_balance_cents=closing_cents)
    else:
        tally.same(bot, cash_balance_cents=closing_cents)


def _left_cents(session: BotSession, opening_cents: int = 0) -> int:
    """The closing balance, while it runs the opening one, and the adjustments that followed it."""
    is_settled = session.settled_at is not None and session.final_nlv_cents is not None
    closing_cents = session.final_nlv_cents if is_settled else opening_cents
    return (closing_cents or 0) + sum(row.amount_cents for row in session.carried_adjustments.all())
