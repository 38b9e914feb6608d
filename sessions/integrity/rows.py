"""Checks of single rows against the events that made them: every amount stands twice."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from django.db.models import Model

from common.times import from_ms
from sessions.ids import row_id
from sessions.integrity.books import Books
from sessions.integrity.report import Tally
from sessions.models import Decision, Entry, Order, Position, SessionEvent, Trade, Transaction
from simengine.orders import ExitRules

Wanted = dict[Any, dict[str, Any]]
EXIT_RULES = tuple(spec.name for spec in fields(ExitRules))


def orders(books: Books, tally: Tally) -> None:
    wanted: Wanted = {}
    for event in books.events:
        data = event.data
        if event.kind == "order_placed":
            wanted[data["order"]] = _placed(event)
        elif data.get("order") in wanted:
            wanted[data["order"]].update(_changed(event))
    _compare(books, tally, Order, "order", books.orders, wanted)


def transactions(books: Books, tally: Tally) -> None:
    wanted: Wanted = {
        event.data["number"]: {
            "order_number": event.data["order"],
            "instrument": event.data["contract"],
            "type": event.data["type"],
            "quantity": event.data["quantity"],
            "price_cents": event.data["price_cents"],
            "value_cents": event.data["price_cents"] * event.data["quantity"],
            "effect": event.data["effect"],
            "fees_cents": event.data["fees_cents"],
            "tick_seq": event.tick_seq,
            "at": event.at,
        }
        for event in books.events_by_kind["booked"]
    }
    _compare(books, tally, Transaction, "transaction", books.transactions, wanted)


def trades(books: Books, tally: Tally) -> None:
    wanted: Wanted = {}
    for event in books.events_by_kind["trade_opened"]:
        wanted[event.data["trade"]] = {
            "order_number": event.data["order"],
            "legs": event.data["legs"],
            "units": event.data["units"],
            "entry_cents": event.data["entry_cents"],
            "exit_rules": {name: event.data[name] for name in EXIT_RULES},
            "status": "open",
            "exit_cents": None,
            "closed_at": None,
            "close_reason": "",
            "profit_cents": None,
            "tick_seq": event.tick_seq,
            "at": event.at,
        }
    for event in books.events_by_kind["trade_closed"]:
        if event.data["trade"] in wanted:
            wanted[event.data["trade"]].update(
                status="closed",
                exit_cents=event.data["exit_cents"],
                profit_cents=event.data["profit_cents"],
                close_reason=event.data["reason"],
                closed_at=event.at,
            )
    _compare(books, tally, Trade, "trade", books.trades, wanted)


def position_events(books: Books, tally: Tally) -> None:
    """A position row is what the last event about its instrument says."""
    wanted: Wanted = {
        event.data["contract"]: {
            "quantity": event.data["quantity"],
            "cost_basis_cents": event.data["cost_cents"],
            "realized_cents": event.data["realized_cents"],
            "fees_cents": event.data["fees_cents"],
            "tick_seq": event.tick_seq,
            "at": event.at,
        }
        for event in books.events_by_kind["position_changed"]
    }
    _compare(books, tally, Position, "position", books.positions, wanted, key="instrument")


def decisions(books: Books, tally: Tally) -> None:
    wanted: Wanted = {}
    for kind in ("logged", "signalled"):
        for event in books.events_by_kind[kind]:
            wanted[event.data["number"]] = {
                "kind": "log" if kind == "logged" else "signal",
                "name": event.data.get("name", ""),
                "message": event.data.get("message", ""),
                "data": event.data["data"],
                "tick_seq": event.tick_seq,
                "at": event.at,
            }
    _compare(books, tally, Decision, "decision", books.decisions, wanted)


def entries(books: Books, tally: Tally) -> None:
    """Each planned time has one row with its one outcome; none is open once trading ended."""
    wanted: Wanted = {}
    for event in books.events_by_kind["entry_planned"]:
        due = {"at": from_ms(event.data["due_ms"]), "tick_seq": event.tick_seq}
        wanted[event.data["entry"]] = {**due, "outcome": "planned", "order_number": None}
    resolved: set[int] = set()
    for event in books.events_by_kind["entry_resolved"]:
        number = event.data["entry"]
        if number in resolved or number not in wanted:
            tally.broken(event, "data.entry", number, None)
            continue
        resolved.add(number)
        wanted[number].update(
            outcome=event.data["outcome"],
            reason=event.data["reason"],
            order_number=event.data["order"],
            tick_seq=event.tick_seq,
        )
    _compare(books, tally, Entry, "entry", books.entries, wanted)
    for row in books.entries if books.session.is_terminal else ():
        if row.outcome in ("planned", "working"):
            tally.broken(row, "outcome", row.outcome, "an outcome")
    _check_outcomes(books, tally)


def _check_outcomes(books: Books, tally: Tally) -> None:
    """A filled entry has a filled order, an unfilled one an order that ended otherwise."""
    orders = {row.number: row for row in books.orders}
    for entry in books.entries:
        if entry.outcome in ("filled", "unfilled"):
            order = orders.get(entry.order_number or 0)
            if order is None or (order.status == "filled") != (entry.outcome == "filled"):
                tally.broken(entry, "outcome", entry.outcome, order and order.status)


def _placed(event: SessionEvent) -> dict[str, Any]:
    data = event.data
    opening = data["order_kind"] == "opening"
    units = data["units"]
    return {
        "kind": data["order_kind"],
        "type": data["type"],
        "status": "pending",
        "units": units,
        "legs": [
            {
                "instrument": leg["instrument"],
                "quantity": abs(leg["quantity"]) * units,
                "action": action_of(leg["quantity"], opening=opening),
            }
            for leg in data["legs"]
        ],
        "price_cents": data["limit_cents"],
        "intended_cents": data["intended_cents"] if data["type"] == "limit" else None,
        "concession_cents": 0,
        "replace_count": 0,
        "trade_number": data["trade"],
        "fill_price_cents": None,
        "filled_at": None,
        "fees_cents": 0,
        "reject_reason": None,
        "margin_effect_cents": data["margin_effect_cents"],
        "buying_power_effect_cents": data["buying_power_effect_cents"],
        "tick_seq": event.tick_seq,
        "at": event.at,
    }


def action_of(quantity: int, *, opening: bool) -> str:
    return f"{'buy' if quantity > 0 else 'sell'} to {'open' if opening else 'close'}"


def _changed(event: SessionEvent) -> dict[str, Any]:
    data = event.data
    match event.kind:
        case "repriced":
            moved = {"price_cents": data["new_cents"], "replace_count": data["replace_count"]}
            return {**moved, "concession_cents": data["concession_cents"]}
        case "replaced":
            return {"price_cents": data["new_cents"], "replace_count": data["replace_count"]}
        case "canceled" | "expired":
            return {"status": event.kind}
        case "rejected":
            return {"status": event.kind, "reject_reason": data["reason"]}
        case "filled":
            return {
                "status": event.kind,
                "fill_price_cents": data["price_cents"],
                "filled_at": event.at,
                "fees_cents": data["fees_cents"],
                "trade_number": data["trade"],
            }
    return {}


def _compare(
    books: Books,
    tally: Tally,
    model: type[Model],
    kind: str,
    rows: list[Any],
    wanted: Wanted,
    *,
    key: str = "number",
) -> None:
    """Rows and what the events want of them, one for one."""
    for row in rows:
        expected = wanted.pop(getattr(row, key), None)
        if expected is None:
            tally.unexpected(row)
        else:
            tally.same(row, **expected)
    for ordinal in wanted:
        tally.missing(model, row_id(books.session.pk, kind, ordinal))
