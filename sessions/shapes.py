"""The API's shapes of a session and everything below it (contract.md section 5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from accounts.queries import fee_schedule_object
from common.money import usd, usd_or_none
from common.times import from_ms, rfc3339, rfc3339_or_none
from sessions.financials import COLUMNS, Matrix
from sessions.ids import order_id
from sessions.models import (
    BotSession,
    Decision,
    Entry,
    Order,
    Position,
    SessionEvent,
    Transaction,
)
from simengine.market import CALL, parse_symbol


def fee_schedule(raw: dict[str, int] | None) -> dict[str, str] | None:
    return None if raw is None else fee_schedule_object(**raw)


def ratio_e4(value: int | None) -> str | None:
    """Ten-thousandths as a plain ratio: 203 -> "0.0203"."""
    return None if value is None else f"{value // 10_000}.{value % 10_000:04d}"


def session_object(session: BotSession) -> dict[str, Any]:
    return {
        "session_id": str(session.pk),
        "bot_id": str(session.bot_id),
        "date": session.trading_date.isoformat(),
        "status": session.status,
        "status_reason": session.status_reason,
        "opening_balance": usd_or_none(session.opening_balance_cents),
        "policy": session.policy,
        "fee_schedule": fee_schedule(session.fee_schedule),
        "slippage": usd_or_none(session.slippage_cents),
        "strategy": {"source_hash": session.strategy_id, "name": session.strategy_name},
        "created_at": rfc3339(session.created_at),
        "started_at": rfc3339_or_none(session.started_at),
        "ended_at": rfc3339_or_none(session.ended_at),
        "settled_at": rfc3339_or_none(session.settled_at),
        "last_tick_at": rfc3339_or_none(session.last_tick_at),
        "tick_count": session.tick_count,
        "error_count": session.error_count,
        "final_nlv": usd_or_none(session.final_nlv_cents),
        "realized_pl": usd_or_none(session.realized_pl_cents),
        "total_pl": usd_or_none(session.total_pl_cents),
        "total_fees": usd_or_none(session.total_fees_cents),
        "max_intraday_dd": usd_or_none(session.max_intraday_dd_cents),
        "max_intraday_dd_pct": ratio_e4(session.max_intraday_dd_bp),
        "peak_nlv": usd_or_none(session.peak_nlv_cents),
        "trough_nlv": usd_or_none(session.trough_nlv_cents),
        "order_count": session.order_count,
        "fill_count": session.fill_count,
    }


def price(cents: int | None) -> str | None:
    """A signed package price without its sign, always with two decimals; the effect says which
    way.
    """
    return None if cents is None else f"{abs(cents) // 100}.{abs(cents) % 100:02d}"


def effect(cents: int | None) -> str | None:
    if cents is None:
        return None
    return "credit" if cents < 0 else "debit"


def order_object(order: Order, transactions: Iterable[Transaction]) -> dict[str, Any]:
    shown = order.price_cents if order.price_cents is not None else order.fill_price_cents
    return {
        "id": str(order.pk),
        "type": order.type,
        "kind": order.kind,
        "status": order.status,
        "price": price(order.price_cents),
        "price_effect": effect(shown),
        "legs": [{**leg, "quantity": str(leg["quantity"])} for leg in order.legs],
        "intended_price": price(order.intended_cents),
        "concession": _signed_price(order.concession_cents),
        "replace_count": order.replace_count,
        "placed_at": rfc3339(order.at),
        "fill_price": price(order.fill_price_cents),
        "fill_datetime": rfc3339_or_none(order.filled_at),
        "fees": usd(order.fees_cents),
        "reject_reason": order.reject_reason,
        "buying-power-effect": {
            "margin": usd(order.margin_effect_cents),
            "available_buying_power": usd(order.buying_power_effect_cents),
        },
        "transactions": [transaction_object(item) for item in transactions],
    }


def order_objects(
    orders: Iterable[Order], transactions: Iterable[Transaction]
) -> list[dict[str, Any]]:
    by_order: dict[int | None, list[Transaction]] = defaultdict(list)
    for item in transactions:
        by_order[item.order_number].append(item)
    return [order_object(order, by_order[order.number]) for order in orders]


def transaction_object(item: Transaction) -> dict[str, Any]:
    return {
        "id": str(item.pk),
        "datetime": rfc3339(item.at),
        "order_id": None
        if item.order_number is None
        else str(order_id(item.session_id, item.order_number)),
        "instrument": item.instrument,
        "type": item.type,
        "quantity": str(item.quantity),
        "price": usd(item.price_cents),
        "value": usd(item.value_cents),
        "effect": item.effect,
        "fees": usd(item.fees_cents),
    }


def position_object(
    position: Position, mark_half_cents: int | None, delta_e4: int | None
) -> dict[str, Any]:
    """Against a mark: the mid in half-cents per share and the unsigned delta × 10000."""
    quantity = position.quantity
    unrealized_cents = 0
    if quantity and mark_half_cents is not None:
        unrealized_cents = quantity * mark_half_cents * 50 - position.cost_basis_cents
    total_cents = position.realized_cents + unrealized_cents - position.fees_cents
    return {
        "id": str(position.pk),
        "instrument": position.instrument,
        "direction": "long" if quantity > 0 else "short" if quantity < 0 else "zero",
        "quantity": str(abs(quantity)),
        "cost_basis": usd(abs(position.cost_basis_cents)),
        "price": None if mark_half_cents is None else _half_cents(mark_half_cents),
        "delta": _signed_delta(position, delta_e4),
        "unrealized_profit_loss": usd(unrealized_cents),
        "realized_profit_loss": usd(position.realized_cents),
        "total_profit_loss": usd(total_cents),
    }


def financial_objects(matrix: Matrix) -> Iterator[dict[str, str]]:
    for row in matrix.tolist():
        yield financial_object(row)


def financial_object(row: list[int]) -> dict[str, str]:
    shaped = {"datetime": rfc3339(from_ms(row[1]))}
    for name, cents in zip(COLUMNS[2:], row[2:], strict=True):
        shaped[name] = usd(cents)
    return shaped


def decision_object(item: Decision) -> dict[str, Any]:
    return {
        "seq": item.number,
        "datetime": rfc3339(item.at),
        "kind": item.kind,
        "name": item.name or None,
        "message": item.message or None,
        "data": item.data,
    }


def event_object(item: SessionEvent) -> dict[str, Any]:
    return {
        "id": str(item.pk),
        "datetime": rfc3339(item.at),
        "tick_seq": item.tick_seq,
        "index": item.index,
        "kind": item.kind,
        "data": item.data,
    }


def entry_object(item: Entry) -> dict[str, Any]:
    return {
        "scheduled_at": rfc3339(item.at),
        "outcome": item.outcome,
        "reason": item.reason or None,
        "order_id": None
        if item.order_number is None
        else str(order_id(item.session_id, item.order_number)),
    }


def _half_cents(value: int) -> str:
    """Half-cents as dollars: 895 -> "4.475", 870 -> "4.35"."""
    dollars, rest = divmod(value, 200)
    return f"{dollars}.{rest * 5:03d}".removesuffix("0")


def _signed_price(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}{price(cents)}"


def _signed_delta(position: Position, delta_e4: int | None) -> str | None:
    """Per contract and signed by direction: long calls and short puts positive."""
    if delta_e4 is None or delta_e4 < 0 or position.quantity == 0:
        return None
    _, contract = parse_symbol(position.instrument)
    long = position.quantity > 0
    sign = "" if long == (contract.right == CALL) else "-"
    return f"{sign if delta_e4 else ''}{delta_e4 // 10_000}.{delta_e4 % 10_000:04d}"
