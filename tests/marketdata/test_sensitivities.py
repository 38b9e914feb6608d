"""Greeks for people, against differences of the price itself."""

from __future__ import annotations

import pytest

from marketdata import blackscholes
from marketdata.sensitivities import SECONDS_A_YEAR, sensitivities
from simengine.market import Tick, rows_of

SECONDS = 3 * 3600.0
YEARS = SECONDS / SECONDS_A_YEAR
SIGMA = 0.18
FORWARD = 595_000.0
STRIKES = [592_000, 594_000, 595_000, 596_000, 598_000]


def tick(**changes: list[int]) -> Tick:
    """Quotes a cent around the price at 18 % and 3 hours to go."""
    deviation = blackscholes.deviation_of(SIGMA, YEARS)
    calls = [round(float(blackscholes.call_price(FORWARD, k, deviation))) for k in STRIKES]
    puts = [round(float(blackscholes.put_price(FORWARD, k, deviation))) for k in STRIKES]
    columns = {
        "call_bid_cents": [price - 1 for price in calls],
        "call_ask_cents": [price + 1 for price in calls],
        "put_bid_cents": [price - 1 for price in puts],
        "put_ask_cents": [price + 1 for price in puts],
    }
    return Tick(
        seq=1,
        at_ms=0,
        received_ms=0,
        spot_cents=595_000,
        vix_hundredths=None,
        expected_move_cents=None,
        strikes_cents=STRIKES,
        call_delta_e4=[0] * 5,
        put_delta_e4=[0] * 5,
        row_of_strike=rows_of(STRIKES),
        **{**columns, **changes},
    )


def price(strike: int, *, forward: float = FORWARD, sigma: float = SIGMA, years: float = YEARS):
    """Of the call, in dollars a share."""
    deviation = blackscholes.deviation_of(sigma, years)
    return float(blackscholes.call_price(forward, strike, deviation)) / 100


@pytest.mark.parametrize("row", range(5))
def test_each_greek_is_the_slope_of_the_price(row) -> None:
    strike = STRIKES[row]
    found = sensitivities(tick(), SECONDS)[row]

    vega = (price(strike, sigma=SIGMA + 0.005) - price(strike, sigma=SIGMA - 0.005)) / 1
    minute = 60 / SECONDS_A_YEAR
    theta = (price(strike, years=YEARS - minute) - price(strike, years=YEARS + minute)) / 2 * 60
    up, down = price(strike, forward=FORWARD + 100), price(strike, forward=FORWARD - 100)
    gamma = up - 2 * price(strike) + down  # one point either way
    assert found.volatility_pct == pytest.approx(18, rel=0.02)
    assert found.vega == pytest.approx(vega, rel=0.03)
    assert found.theta == pytest.approx(theta, rel=0.03)
    assert found.gamma == pytest.approx(gamma, rel=0.03)


def test_at_the_close_nothing_is_left_to_react() -> None:
    assert sensitivities(tick(), 0) == [None] * 5


def test_quotes_that_imply_nothing_give_nothing() -> None:
    missing = [-1] * 5

    found = sensitivities(
        tick(
            call_bid_cents=missing,
            call_ask_cents=missing,
            put_bid_cents=missing,
            put_ask_cents=missing,
        ),
        SECONDS,
    )

    assert found == [None] * 5
