"""The largest fall from the running peak (domain.md section 6)."""

from __future__ import annotations

from tests.engine.builders import (
    Day,
    market_action,
)

SPREAD = {"P5950": -1, "P5945": 1}


def test_the_drawdown_is_the_largest_fall_from_the_running_peak():
    day = Day(slippage_cents=0, balance_cents=2_500_000)
    day.tick(market_action(**SPREAD))
    for bid_cents in (615, 595, 605, 585, 625, 595, 605):
        day.tick(quotes={"P5950": (bid_cents, bid_cents + 10)})

    # NLV = 25,166.56 - 100 × m at m = 1.80, 1.60, 1.70, 1.50, 1.90, 1.60, 1.70
    state = day.state
    assert state.peak_nlv_cents == 2_516_656 - 15_000
    assert state.max_drawdown_cents == 4_000  # from 1.50 to 1.90
    assert state.max_drawdown_bp == 4_000 * 10_000 // (2_516_656 - 15_000)
    assert state.trough_nlv_cents == 2_516_656 - 19_000


def test_the_opening_balance_is_the_first_peak():
    day = Day()
    day.tick(market_action(**SPREAD))

    day.tick()

    assert day.state.peak_nlv_cents == 2_500_000
    assert day.state.max_drawdown_cents == 344 + 1_000  # fees, and sold at 1.70 what is marked 1.80
