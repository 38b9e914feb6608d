"""Checks of trading: fills and their legs, fees, the walk of a limit, what may stay open."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

from sessions.integrity.books import Books
from sessions.integrity.ledger import SETTLEMENTS, signed_quantity
from sessions.integrity.report import Tally
from sessions.models import SessionEvent, Transaction


def fills(books: Books, tally: Tally) -> None:
    """Each filled order has exactly its legs' transactions, which sum to its price and fees; no
    other order has any.
    """
    by_order: dict[int | None, list[Transaction]] = defaultdict(list)
    for row in books.fills():
        by_order[row.order_number].append(row)
    for order in books.orders:
        booked = by_order.pop(order.number, [])
        wanted = order.legs if order.status == "filled" else []
        found = [
            {"instrument": row.instrument, "quantity": row.quantity, "action": row.type}
            for row in booked
        ]
        tally.same(order)
        if found != wanted:
            tally.broken(order, "legs", wanted, found)
        elif order.status == "filled":
            paid_cents = sum(signed_quantity(row) * row.price_cents for row in booked)
            price = Fraction(paid_cents, 100 * order.units)
            if price != order.fill_price_cents:
                wanted_cents = int(price) if price.denominator == 1 else str(price)
                tally.broken(order, "fill_price_cents", order.fill_price_cents, wanted_cents)
            fees_cents = sum(row.fees_cents for row in booked)
            tally.same(order, fees_cents=fees_cents)
    for rows in by_order.values():
        for row in rows:
            tally.broken(row, "order_number", row.order_number, None)


def fees(books: Books, tally: Tally) -> None:
    """Per contract and leg; exercise and assignment per instrument; expiring worthless nothing
    (domain.md section 4).
    """
    schedule = books.session.fee_schedule or {}
    for row in books.transactions:
        if row.type == "expiration":
            expected = 0
        elif row.type in SETTLEMENTS:
            expected = schedule["exercise_cents"]
        else:
            per_contract = "open_cents" if row.type.endswith("open") else "close_cents"
            expected = schedule[per_contract] * row.quantity
        tally.same(row, fees_cents=expected)


def reprices(books: Books, tally: Tally) -> None:
    """Each step begins where the one before ended; together they are final - intended; and there
    are `replace_count` of them.
    """
    steps: dict[int, list[SessionEvent]] = defaultdict(list)
    for kind in ("repriced", "replaced"):
        for event in books.events_by_kind[kind]:
            steps[event.data["order"]].append(event)
    for order in books.orders:
        walked = sorted(steps.pop(order.number, []), key=lambda row: (row.tick_seq, row.index))
        at_cents = order.intended_cents
        for count, event in enumerate(walked, start=1):
            wanted = {**event.data, "old_cents": at_cents, "replace_count": count}
            tally.same(event, data=wanted)
            at_cents = event.data["new_cents"]
        tally.same(order, replace_count=len(walked))
        if order.type == "limit":
            tally.same(order, price_cents=at_cents)
    for orphans in steps.values():
        for event in orphans:
            tally.broken(event, "data.order", event.data["order"], None)


def pending(books: Books, tally: Tally) -> None:
    """No order is pending once the session has ended, and no trade open once it is settled."""
    for order in books.orders if books.session.is_terminal else ():
        tally.rows_checked += 1
        if order.status == "pending":
            tally.broken(order, "status", order.status, "filled, canceled, expired or rejected")
    for trade in books.trades if books.is_settled else ():
        tally.same(trade, status="closed")


def trade_profits(books: Books, tally: Tally) -> None:
    """A trade closed by an order made what it was given up for less what it cost; once all are
    closed they made what was realized.
    """
    opened = {row.number: row for row in books.orders if row.status == "filled"}
    for trade in books.trades:
        order = opened.get(trade.order_number)
        tally.same(trade, entry_cents=order and order.fill_price_cents)
        if trade.exit_cents is not None:
            gained = (trade.exit_cents - trade.entry_cents) * trade.units * 100
            tally.same(trade, profit_cents=gained)
    if books.is_settled and books.session.realized_pl_cents is not None:
        total = sum(trade.profit_cents or 0 for trade in books.trades)
        tally.same(books.session, realized_pl_cents=total)
