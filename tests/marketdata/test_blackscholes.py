import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vollib.black import black
from vollib.black.greeks.analytical import delta as oracle_delta
from vollib.black.implied_volatility import implied_volatility as oracle_sigma

from marketdata import blackscholes as bs


def forward_of(spot, rate, years):
    return spot * math.exp(rate * years)


def test_reference_prices():
    deviation = bs.deviation_of(0.2, 0.5)
    forward, discount = forward_of(100, 0.01, 0.5), math.exp(-0.005)

    assert discount * bs.call_price(forward, 90.0, deviation) == pytest.approx(
        12.111581435, abs=1e-9
    )
    assert discount * bs.put_price(forward, 90.0, deviation) == pytest.approx(
        1.66270456231, abs=1e-10
    )


def test_reference_greeks():
    years = 0.3846
    deviation = bs.deviation_of(0.2, years)
    forward = forward_of(49, 0.05, years)
    growth = forward / 49

    assert bs.call_delta(forward, 50.0, deviation) == pytest.approx(0.521601633972, abs=1e-10)
    assert bs.gamma(forward, 50.0, deviation) * growth == pytest.approx(0.0655453772525, abs=1e-10)
    one_percent = bs.vega(forward, 50.0, deviation) * math.sqrt(years) / growth / 100
    assert one_percent == pytest.approx(0.121052427542, abs=1e-10)


@given(
    moneyness=st.floats(0.9, 1.1),
    sigma=st.floats(0.05, 2.0),
    hours=st.floats(0.05, 6.5),
    right=st.sampled_from("cp"),
)
def test_prices_and_deltas_agree_with_the_reference_library(moneyness, sigma, hours, right):
    forward, years = 6000.0, hours / (365 * 24)
    strike = forward * moneyness
    deviation = bs.deviation_of(sigma, years)

    price = bs.call_price if right == "c" else bs.put_price
    delta = float(bs.call_delta(forward, strike, deviation))

    assert price(forward, strike, deviation) == pytest.approx(
        black(right, forward, strike, years, 0.0, sigma), abs=1e-7
    )
    expected = oracle_delta(right, forward, strike, years, 0.0, sigma)
    assert (delta if right == "c" else delta - 1) == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("moneyness", [0.985, 0.99, 1.0, 1.01, 1.015])
def test_implied_volatility_agrees_with_the_reference_library(moneyness):
    forward, years, sigma = 6000.0, 2 / (365 * 24), 0.25
    strike = forward * moneyness
    right = "c" if strike >= forward else "p"
    price = black(right, forward, strike, years, 0.0, sigma)

    deviation = bs.implied_deviation(price, forward, strike, right == "c")

    assert bs.sigma_of(deviation, years) == pytest.approx(
        oracle_sigma(price, forward, strike, 0.0, years, right), rel=1e-6
    )


@given(
    strike=st.floats(4500, 7500),
    deviation=st.floats(0.0003, 0.3),
)
def test_the_implied_deviation_gives_the_price_back(strike, deviation):
    forward = 6000.0
    price = float(bs.out_of_the_money_price(forward, strike, deviation))

    implied = bs.implied_deviation(price, forward, strike, strike >= forward)

    if price > 1e-6:
        assert bs.out_of_the_money_price(forward, strike, implied) == pytest.approx(price, abs=1e-8)


@pytest.mark.parametrize(
    ("price", "strike", "is_call"),
    [(0.0, 6050, True), (-1.0, 6050, True), (50.0, 5950, True), (6000.0, 6000, True)],
)
def test_a_price_no_volatility_gives_has_no_implied_one(price, strike, is_call):
    assert np.isnan(bs.implied_deviation(price, 6000.0, float(strike), is_call))


def test_the_smallest_price_near_the_close_is_solved():
    implied = bs.implied_deviation(0.025, 5917.0, 6200.0, True)

    assert 0.005 < implied < 0.05
    assert bs.call_price(5917.0, 6200.0, implied) == pytest.approx(0.025, abs=1e-9)
