"""A small market for the tests of strategies: views with a chain whose every quote is known."""

from __future__ import annotations

from typing import Any

SPOT_CENTS = 595_025


def quote(bid: int, ask: int, delta: int) -> tuple[int, int, int]:
    """Bid and ask in cents, delta × 10000; -1 for missing."""
    return bid, ask, delta


# strike in points: (call, put). Spot is 5950.25.
CHAIN: dict[int, tuple[tuple[int, int, int], tuple[int, int, int]]] = {
    5900: (quote(5080, 5140, 9500), quote(10, 20, 500)),
    5910: (quote(4120, 4180, 9000), quote(30, 40, 1000)),
    5920: (quote(3200, 3260, 8400), quote(75, 85, 1600)),
    5925: (quote(2760, 2820, 8000), quote(110, 120, 2000)),
    5930: (quote(2340, 2400, 7500), quote(160, 170, 2500)),
    5940: (quote(1560, 1600, 6300), quote(340, 360, 3700)),
    5945: (quote(1220, 1260, 5700), quote(480, 500, 4300)),
    5950: (quote(920, 950, 5000), quote(660, 690, 5000)),
    5955: (quote(670, 700, 4300), quote(900, 930, 5700)),
    5960: (quote(470, 490, 3600), quote(1180, 1220, 6400)),
    5970: (quote(205, 215, 2400), quote(1880, 1940, 7600)),
    5975: (quote(130, 140, 1900), quote(2300, 2360, 8100)),
    5980: (quote(85, 95, 1400), quote(2740, 2800, 8600)),
    5990: (quote(30, 40, 800), quote(3680, 3740, 9200)),
    6000: (quote(0, 10, 400), quote(4640, 4700, 9600)),
}


def columns(chain: dict[int, Any]) -> dict[str, list[int]]:
    strikes = sorted(chain)
    found: dict[str, list[int]] = {"strikes_cents": [strike * 100 for strike in strikes]}
    for index, kind in enumerate(("call", "put")):
        for place, name in enumerate(("bid_cents", "ask_cents", "delta_e4")):
            found[f"{kind}_{name}"] = [chain[strike][index][place] for strike in strikes]
    return found


def view(*, chain: dict[int, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A view at 10:00 on a Thursday; `changes` replace keys."""
    built: dict[str, Any] = {
        "seq": 1800,
        "at_ms": 1_778_162_400_000,
        "date": "2026-05-07",
        "weekday": "thu",
        "seconds_of_day": 36_000,
        "seconds_since_open": 1800,
        "seconds_to_close": 21_600,
        "spot_cents": SPOT_CENTS,
        "open_spot_cents": 594_000,
        "vix_hundredths": 1620,
        "expected_move_cents": 3000,
        **columns(CHAIN if chain is None else chain),
        "trades": [],
        "closed_trades": [],
        "orders": [],
        "cash_cents": 2_500_000,
        "available_buying_power_cents": 2_500_000,
        "nlv_cents": 2_500_000,
        "day_pl_cents": 0,
        "opening_balance_cents": 2_500_000,
        "max_open_positions": 10,
        "max_open_orders": 10,
        "state": None,
        "random_seed": 7,
    }
    return {**built, **changes}


def trade(**changes: Any) -> dict[str, Any]:
    """A put spread sold at 1.60 that could be bought back at 0.80."""
    built: dict[str, Any] = {
        "number": 1,
        "name": "10:00",
        "legs": [["put", 593_000, -1], ["put", 590_500, 1]],
        "units": 2,
        "entry_cents": -160,
        "mid_half_cents": -160,
        "profit_cents": 16_000,
        "profit_pct": 50.0,
        "age_seconds": 60,
        "is_closing": False,
    }
    return {**built, **changes}


def order(**changes: Any) -> dict[str, Any]:
    built: dict[str, Any] = {
        "number": 3,
        "kind": "opening",
        "type": "limit",
        "legs": [["put", 593_000, -1], ["put", 590_500, 1]],
        "units": 1,
        "limit_cents": -145,
        "age_seconds": 20,
        "trade": None,
    }
    return {**built, **changes}


def closed_trade(**changes: Any) -> dict[str, Any]:
    built: dict[str, Any] = {
        "number": 1,
        "name": "10:00",
        "profit_cents": -5000,
        "closed_seconds_ago": 600,
        "reason": "stop_loss",
    }
    return {**built, **changes}


FILL = {
    "order": 3,
    "kind": "opening",
    "trade": 1,
    "price_cents": -160,
    "units": 2,
    "at_ms": 1_778_162_400_000,
}
