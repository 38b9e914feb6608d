"""Examples for the OpenAPI document. A test checks them against the shapes."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample

from simengine.policy import Policy

SESSION_ID = "5b1f0a0e-2c7d-4d5b-8f39-6c0b9a4e1d22"
BOT_ID = "9f0c6a52-3d5e-4a1b-9d5b-0f6a2f1c7e11"
ORDER_ID = "0b8f6f0e-8c3b-5d0e-9a51-2f6f0c1d7e33"
SOURCE_HASH = "3f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea"
SOLD, BOUGHT = "SPXW  260507P05945000", "SPXW  260507P05920000"

RUNNING: dict[str, Any] = {
    "session_id": SESSION_ID,
    "bot_id": BOT_ID,
    "date": "2026-05-07",
    "status": "running",
    "status_reason": None,
    "opening_balance": "25000",
    "policy": Policy().as_json(),
    "fee_schedule": {"open": "1.72", "close": "0.72", "exercise": "5.00"},
    "slippage": "0.05",
    "strategy": {"source_hash": SOURCE_HASH, "name": "Delta-30 put spread"},
    "created_at": "2026-05-07T13:30:00.000Z",
    "started_at": "2026-05-07T13:30:01.000Z",
    "ended_at": None,
    "settled_at": None,
    "last_tick_at": "2026-05-07T14:30:01.000Z",
    "tick_count": 3601,
    "error_count": 0,
    "final_nlv": None,
    "realized_pl": None,
    "total_pl": None,
    "total_fees": None,
    "max_intraday_dd": None,
    "max_intraday_dd_pct": None,
    "peak_nlv": None,
    "trough_nlv": None,
    "order_count": None,
    "fill_count": None,
}
STARTED: dict[str, Any] = {
    **RUNNING,
    "status": "registering",
    "started_at": None,
    "last_tick_at": None,
    "tick_count": 0,
}
TRANSACTION: dict[str, Any] = {
    "id": "6e0d3b52-51c5-5b0c-9f0a-7b0f4a1c2d44",
    "datetime": "2026-05-07T13:30:26.000Z",
    "order_id": ORDER_ID,
    "instrument": SOLD,
    "type": "sell to open",
    "quantity": "1",
    "price": "300",
    "value": "300",
    "effect": "credit",
    "fees": "1.72",
}
ORDER: dict[str, Any] = {
    "id": ORDER_ID,
    "type": "limit",
    "kind": "opening",
    "status": "filled",
    "price": "2.45",
    "price_effect": "credit",
    "legs": [
        {"instrument": SOLD, "quantity": "1", "action": "sell to open"},
        {"instrument": BOUGHT, "quantity": "1", "action": "buy to open"},
    ],
    "intended_price": "2.50",
    "concession": "0.05",
    "replace_count": 1,
    "placed_at": "2026-05-07T13:30:05.000Z",
    "fill_price": "2.45",
    "fill_datetime": "2026-05-07T13:30:26.000Z",
    "fees": "3.44",
    "reject_reason": None,
    "transactions": [TRANSACTION],
    "buying-power-effect": {"margin": "2500", "available_buying_power": "-2253.44"},
}
POSITION: dict[str, Any] = {
    "id": "c3a5a1de-3f5c-5e0b-8f0e-1d2c3b4a5f66",
    "instrument": SOLD,
    "direction": "short",
    "quantity": "1",
    "cost_basis": "300",
    "price": "3.25",
    "delta": "0.4750",
    "unrealized_profit_loss": "-25",
    "realized_profit_loss": "0",
    "total_profit_loss": "-26.72",
}
FINANCIAL: dict[str, Any] = {
    "datetime": "2026-05-07T13:30:59.000Z",
    "net_liquidation_value": "24991.56",
    "cash": "25241.56",
    "unrealized_profit_loss": "-5",
    "realized_profit_loss": "0",
    "profit_loss": "-8.44",
    "fees": "3.44",
    "available_buying_power": "22741.56",
    "maintenance_margin": "2500",
}
DECISION: dict[str, Any] = {
    "seq": 1,
    "datetime": "2026-05-07T13:30:05.000Z",
    "kind": "log",
    "name": None,
    "message": "entry 09:30:05",
    "data": {"legs": ["sell 1 put 5945", "buy 1 put 5920"]},
}
EVENT: dict[str, Any] = {
    "id": "f0e1d2c3-b4a5-5968-8778-695a4b3c2d77",
    "datetime": "2026-05-07T13:30:25.000Z",
    "tick_seq": 26,
    "index": 0,
    "kind": "repriced",
    "data": {"order": 1, "old_cents": -250, "new_cents": -245, "peg_cents": -250, "rule": "nudge"},
}
ENTRY: dict[str, Any] = {
    "scheduled_at": "2026-05-07T13:30:05.000Z",
    "outcome": "filled",
    "reason": None,
    "order_id": ORDER_ID,
}


def _answer(name: str, value: object, status: str = "200") -> OpenApiExample:
    return OpenApiExample(
        name,
        value,
        response_only=True,
        status_codes=[status],
        media_type="application/json",
    )


SESSIONS = _answer("A day that is running", RUNNING)
NEW_SESSION = _answer("Just asked for", STARTED, "201")
STOPPING = _answer("Stopping", {**RUNNING, "status": "killing"}, "202")
CANCELING = _answer("Still running", RUNNING, "202")
ORDERS = _answer("A filled entry", ORDER)
POSITIONS = _answer("The short leg", POSITION)
TRANSACTIONS = _answer("A sale", TRANSACTION)
FINANCIALS = _answer("A second", FINANCIAL)
FINANCIALS_CSV = OpenApiExample(
    "As CSV",
    ",".join(FINANCIAL) + "\r\n" + ",".join(FINANCIAL.values()) + "\r\n",
    response_only=True,
    status_codes=["200"],
    media_type="text/csv",
)
DECISIONS = _answer("An entry explained", DECISION)
EVENTS = _answer("A re-price", EVENT)
ENTRIES = _answer("A filled entry", ENTRY)
STREAM = OpenApiExample(
    "A second",
    "id: 60.499\nevent: financial\n"
    'data: {"datetime":"2026-05-07T13:30:59.000Z","net_liquidation_value":"24991.56", …}\n\n',
    response_only=True,
    status_codes=["200"],
    media_type="text/event-stream",
)
