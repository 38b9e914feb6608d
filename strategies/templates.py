"""The usual structures as ready forms: `GET /strategies/templates`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Template:
    id: str
    name: str
    description: str
    config: dict[str, Any]


def _leg(direction: str, kind: str, method: str, value: float | None = None) -> dict[str, Any]:
    strike = {"method": method} if value is None else {"method": method, "value": value}
    return {"direction": direction, "type": kind, "qty": 1, "strike": strike}


def _wing(kind: str, points: int, leg: int, direction: str = "buy") -> dict[str, Any]:
    strike = {"method": "offset", "value": points, "from": leg}
    return {"direction": direction, "type": kind, "qty": 1, "strike": strike}


def _form(
    legs: list[dict[str, Any]], exits: dict[str, Any], filters: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "legs": legs,
        "entry": {"times": ["10:00"], "order": "limit_mid", "filters": filters or {}},
        "exit": {**exits, "time": "15:55"},
        "sizing": {"contracts": 1},
    }


_CREDIT_EXITS = {"profit_target_pct": 50, "stop_loss_pct": 200}
_DEBIT_EXITS = {"profit_target_pct": 50, "stop_loss_pct": 50}

TEMPLATES = (
    Template(
        "long-call",
        "Long call",
        "Buys one call at the money: pays off if the index rises quickly.",
        _form([_leg("buy", "call", "atm")], _DEBIT_EXITS),
    ),
    Template(
        "long-put",
        "Long put",
        "Buys one put at the money: pays off if the index falls quickly.",
        _form([_leg("buy", "put", "atm")], _DEBIT_EXITS),
    ),
    Template(
        "put-credit-spread",
        "Put credit spread",
        "Sells a 30-delta put and buys one 25 points lower: pays off if the index does not fall.",
        _form(
            [_leg("sell", "put", "delta", 0.30), _wing("put", -25, 0)],
            _CREDIT_EXITS,
            {"min_credit": "0.50"},
        ),
    ),
    Template(
        "call-credit-spread",
        "Call credit spread",
        "Sells a 30-delta call and buys one 25 points higher: pays off if the index does not rise.",
        _form(
            [_leg("sell", "call", "delta", 0.30), _wing("call", 25, 0)],
            _CREDIT_EXITS,
            {"min_credit": "0.50"},
        ),
    ),
    Template(
        "call-debit-spread",
        "Call debit spread",
        "Buys a call at the money and sells one 25 points higher: a rise with a known price.",
        _form([_leg("buy", "call", "atm"), _wing("call", 25, 0, "sell")], _DEBIT_EXITS),
    ),
    Template(
        "put-debit-spread",
        "Put debit spread",
        "Buys a put at the money and sells one 25 points lower: a fall with a known price.",
        _form([_leg("buy", "put", "atm"), _wing("put", -25, 0, "sell")], _DEBIT_EXITS),
    ),
    Template(
        "long-straddle",
        "Long straddle",
        "Buys a call and a put at the money: a large move either way, kept by a trailing stop.",
        _form(
            [_leg("buy", "call", "atm"), _leg("buy", "put", "atm")],
            {"stop_loss_pct": 40, "trailing_stop_pct": 20, "trailing_start_pct": 20},
        ),
    ),
    Template(
        "iron-condor",
        "Iron condor",
        "Sells a 15-delta put and a 15-delta call, each covered 25 points away: a quiet day.",
        _form(
            [
                _leg("sell", "put", "delta", 0.15),
                _wing("put", -25, 0),
                _leg("sell", "call", "delta", 0.15),
                _wing("call", 25, 2),
            ],
            _CREDIT_EXITS,
        ),
    ),
    Template(
        "iron-condor-defended",
        "Iron condor, defended",
        "An iron condor that leaves when the index touches a sold strike, or when it gives back a "
        "fifth of the credit after having earned three tenths of it.",
        _form(
            [
                _leg("sell", "put", "delta", 0.15),
                _wing("put", -25, 0),
                _leg("sell", "call", "delta", 0.15),
                _wing("call", 25, 2),
            ],
            {"trailing_stop_pct": 20, "trailing_start_pct": 30, "touch_short_strike": True},
        ),
    ),
    Template(
        "iron-fly",
        "Iron fly",
        "Sells a put and a call at the money, each covered 50 points away: a day that pins.",
        _form(
            [
                _leg("sell", "put", "atm"),
                _wing("put", -50, 0),
                _wing("call", 0, 0, "sell"),
                _wing("call", 50, 2),
            ],
            {"profit_target_pct": 25, "stop_loss_pct": 50},
        ),
    ),
    Template(
        "broken-wing-butterfly",
        "Broken-wing put butterfly",
        "Buys a put 20 points out of the money, sells two 20 lower, buys one 30 below those.",
        _form(
            [
                _leg("buy", "put", "points_otm", 20),
                {**_wing("put", -20, 0, "sell"), "qty": 2},
                _wing("put", -30, 1),
            ],
            {"stop_loss_pct": 200},
        ),
    ),
)
