"""Strategies of the hand-written days, as a client sends them."""

from __future__ import annotations

from typing import Any


def leg(direction: str, kind: str, method: str, value: float | None = None) -> dict[str, Any]:
    strike = {"method": method} if value is None else {"method": method, "value": value}
    return {"direction": direction, "type": kind, "qty": 1, "strike": strike}


def wing(direction: str, kind: str, points: int, origin: int) -> dict[str, Any]:
    strike = {"method": "offset", "value": points, "from": origin}
    return {"direction": direction, "type": kind, "qty": 1, "strike": strike}


def put_spread(
    *times: str,
    points_otm: float = 5,
    order: str = "limit_mid",
    leave: dict[str, Any] | None = None,
    **entry: Any,
) -> dict[str, Any]:
    """Sells the put `points_otm` below spot (5945 at 5950) and buys the one 25 points lower."""
    return {
        "config": {
            "legs": [leg("sell", "put", "points_otm", points_otm), wing("buy", "put", -25, 0)],
            "entry": {"times": list(times), "order": order, **entry},
            "exit": leave or {},
            "sizing": {"contracts": 1},
        }
    }
