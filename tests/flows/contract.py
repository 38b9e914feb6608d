"""The shapes of contract.md, as a client would check them: exact keys, types, decimals, times.

A shape is a dict (exactly these keys), a one-element list (every item has it), or a check of one
value. `mismatches` names every place that differs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

Check = Callable[[Any], bool]


def _matches(pattern: str) -> Check:
    found = re.compile(pattern, re.ASCII)
    return lambda value: isinstance(value, str) and found.fullmatch(value) is not None


def _one_of(*words: str) -> Check:
    return lambda value: value in words


def or_null(check: Check) -> Check:
    return lambda value: value is None or check(value)


def count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def flag(value: Any) -> bool:
    return isinstance(value, bool)


def text(value: Any) -> bool:
    return isinstance(value, str)


def mapping(value: Any) -> bool:
    return isinstance(value, dict)


UUID = _matches(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")
MONEY = _matches(r"-?\d+(\.\d{2})?")
PRICE = _matches(r"\d+\.\d{2}")
MARK = _matches(r"\d+\.\d{2,3}")  # a mid may be half a cent
SIGNED_PRICE = _matches(r"-?\d+\.\d{2}")
RATIO = _matches(r"\d\.\d{4}")
SIGNED_RATIO = _matches(r"-?\d\.\d{4}")
QUANTITY = _matches(r"\d+")
HASH = _matches(r"[0-9a-f]{64}")
TIME = _matches(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
DATE = _matches(r"\d{4}-\d\d-\d\d")
SYMBOL = _matches(r"SPXW  \d{6}[CP]\d{8}")
EFFECT = _one_of("debit", "credit")

TOKEN = {"token": _matches(r"[0-9a-f]{32}")}
ERROR = {"error": _matches(r"[a-z_]+"), "message": text}
STRATEGY = {
    "id": UUID,
    "name": text,
    "description": text,
    "privacy": _one_of("private", "public"),
    "source_hash": HASH,
    "kind": _one_of("form", "program"),
    "config": or_null(mapping),
    "program": text,
    "created_at": TIME,
}
REPRICE_BLOCK = {
    "enabled": flag,
    "nudge_after_seconds": count,
    "min_interval_seconds": count,
    "flat_tolerance_ticks": count,
}
POLICY = {
    "max_daily_loss_pct": RATIO,
    "max_open_positions": count,
    "max_open_orders": count,
    "data_staleness_threshold_ms": count,
    "auto_pause_on_error": flag,
    "error_budget": count,
    "reprice": {
        "opening": {**REPRICE_BLOCK, "max_concession": PRICE},
        "closing": REPRICE_BLOCK,
    },
}
STATUSES = (
    *("scheduled", "registering", "waiting_for_data", "running", "settling", "killing"),
    *("completed", "halted", "killed", "failed"),
)
ROLL_UP: dict[str, Check] = {
    "final_nlv": MONEY,
    "realized_pl": MONEY,
    "total_pl": MONEY,
    "total_fees": MONEY,
    "max_intraday_dd": MONEY,
    "max_intraday_dd_pct": RATIO,
    "peak_nlv": MONEY,
    "trough_nlv": MONEY,
    "order_count": count,
    "fill_count": count,
}
SESSION = {
    "session_id": UUID,
    "bot_id": UUID,
    "date": DATE,
    "status": _one_of(*STATUSES),
    "status_reason": or_null(text),
    "opening_balance": MONEY,
    "policy": POLICY,
    "fee_schedule": {"open": MONEY, "close": MONEY, "exercise": MONEY},
    "slippage": MONEY,
    "strategy": {"source_hash": HASH, "name": text},
    "created_at": TIME,
    "started_at": or_null(TIME),
    "ended_at": or_null(TIME),
    "settled_at": or_null(TIME),
    "last_tick_at": or_null(TIME),
    "tick_count": count,
    "error_count": count,
    **{name: or_null(check) for name, check in ROLL_UP.items()},
}
SETTLED_SESSION = {**SESSION, "settled_at": TIME, "ended_at": TIME, **ROLL_UP}
BOT = {
    "id": UUID,
    "name": text,
    "description": text,
    "type": _one_of("bot"),
    "engine": _one_of("live_sim"),
    "strategy_id": or_null(UUID),
    "strategy": {"source_hash": HASH, "kind": _one_of("form", "program"), "name": text},
    "status": _one_of("idle", "archived"),
    "runtime_status": _one_of(
        "idle", "scheduled", "running", "halted", "killed", "completed", "failed", "archived"
    ),
    "starting_capital": MONEY,
    "cash_balance": MONEY,
    **POLICY,
    "schedule": {"auto_start": flag, "weekdays": [text]},
    "active_session": or_null(mapping),
    "last_session": or_null(mapping),
    "created_at": TIME,
    "updated_at": TIME,
}
SUMMARY = {
    "total_sessions": count,
    "win_count": count,
    "loss_count": count,
    "win_rate_pct": PRICE,
    "total_pl": MONEY,
    "best_day": {"date": DATE, "total_pl": MONEY},
    "worst_day": {"date": DATE, "total_pl": MONEY},
    "average_day_pl": MONEY,
    "sparkline": [
        {"date": DATE, "total_pl": MONEY, "cumulative_pl": MONEY, "closing_balance": MONEY}
    ],
}
TRANSACTION = {
    "id": UUID,
    "datetime": TIME,
    "order_id": or_null(UUID),
    "instrument": SYMBOL,
    "type": _one_of(
        *("buy to open", "sell to open", "buy to close", "sell to close"),
        *("expiration", "exercise", "assignment"),
    ),
    "quantity": QUANTITY,
    "price": MONEY,
    "value": MONEY,
    "effect": EFFECT,
    "fees": MONEY,
}
ORDER = {
    "id": UUID,
    "type": _one_of("market", "limit", "stop"),
    "kind": _one_of("opening", "closing"),
    "status": _one_of("pending", "filled", "canceled", "expired", "rejected"),
    "price": or_null(PRICE),
    "price_effect": or_null(EFFECT),
    "legs": [{"instrument": SYMBOL, "quantity": QUANTITY, "action": text}],
    "intended_price": or_null(PRICE),
    "concession": SIGNED_PRICE,
    "replace_count": count,
    "placed_at": TIME,
    "fill_price": or_null(PRICE),
    "fill_datetime": or_null(TIME),
    "fees": MONEY,
    "reject_reason": or_null(text),
    "buying-power-effect": {"margin": MONEY, "available_buying_power": MONEY},
    "transactions": [TRANSACTION],
}
POSITION = {
    "id": UUID,
    "instrument": SYMBOL,
    "direction": _one_of("long", "short", "zero"),
    "quantity": QUANTITY,
    "cost_basis": MONEY,
    "price": or_null(MARK),
    "delta": or_null(SIGNED_RATIO),
    "unrealized_profit_loss": MONEY,
    "realized_profit_loss": MONEY,
    "total_profit_loss": MONEY,
}
FINANCIAL = {
    "datetime": TIME,
    "net_liquidation_value": MONEY,
    "cash": MONEY,
    "unrealized_profit_loss": MONEY,
    "realized_profit_loss": MONEY,
    "profit_loss": MONEY,
    "fees": MONEY,
    "available_buying_power": MONEY,
    "maintenance_margin": MONEY,
}
DECISION = {
    "seq": count,
    "datetime": TIME,
    "kind": _one_of("log", "signal"),
    "name": or_null(text),
    "message": or_null(text),
    "data": mapping,
}


def mismatches(value: Any, shape: Any, path: str = "body") -> list[str]:
    """Every place where `value` is not of `shape`; empty when it is."""
    return list(_mismatches(value, shape, path))


def _mismatches(value: Any, shape: Any, path: str) -> Iterator[str]:
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            yield f"{path}: {value!r} is no object"
            return
        yield from (f"{path}.{name}: missing" for name in shape.keys() - value.keys())
        yield from (f"{path}.{name}: unknown" for name in value.keys() - shape.keys())
        for name in shape.keys() & value.keys():
            yield from _mismatches(value[name], shape[name], f"{path}.{name}")
    elif isinstance(shape, list):
        if not isinstance(value, list):
            yield f"{path}: {value!r} is no array"
            return
        for place, item in enumerate(value):
            yield from _mismatches(item, shape[0], f"{path}[{place}]")
    elif not shape(value):
        yield f"{path}: {value!r}"
