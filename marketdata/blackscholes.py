"""Black-76, vectorised: prices, deltas and implied volatility of European options on a forward.

Volatility is taken as the total standard deviation to expiry, `deviation` = sigma x sqrt(years),
which stays well-behaved where the time goes to zero; `sigma` and `years` appear in two helpers
only. Prices are undiscounted (a same-day option has no discounting to speak of); multiply by exp(-r
t) where it does. Floats: this is estimation, never money.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MIN_DEVIATION = 1e-7
MAX_DEVIATION = 10.0
_SQRT_TAU = np.sqrt(2 * np.pi)
_STEPS = 60


def ndtr(values: Floats) -> Floats:
    """The normal distribution function. Imported here: 28 MB that readers of tapes do not need."""
    from scipy import special  # noqa: PLC0415

    found: Floats = special.ndtr(values)
    return found


def call_price(forward: Any, strike: Any, deviation: Any) -> Floats:
    d1 = _d1(forward, strike, deviation)
    return np.asarray(forward * ndtr(d1) - strike * ndtr(d1 - deviation))


def put_price(forward: Any, strike: Any, deviation: Any) -> Floats:
    """By its own formula: parity would lose every digit of a far put."""
    d1 = _d1(forward, strike, deviation)
    return np.asarray(strike * ndtr(deviation - d1) - forward * ndtr(-d1))


def call_delta(forward: Any, strike: Any, deviation: Any) -> Floats:
    """dPrice/dForward of the call; the put's unsigned delta is one minus it."""
    return np.asarray(ndtr(_d1(forward, strike, deviation)))


def gamma(forward: Any, strike: Any, deviation: Any) -> Floats:
    return np.asarray(_density(_d1(forward, strike, deviation)) / (forward * deviation))


def vega(forward: Any, strike: Any, deviation: Any) -> Floats:
    """dPrice/d(deviation); times sqrt(years) it is dPrice/d(sigma)."""
    return np.asarray(forward * _density(_d1(forward, strike, deviation)))


def implied_deviation(price: Any, forward: Any, strike: Any, is_call: Any) -> Floats:
    """The deviation that gives `price`; NaN where none does (at or below intrinsic, or above the
    bound).

    Newton from the point of inflection, from where it converges from one side; every step is kept
    inside a bracket that bisection narrows, so a flat vega near zero time or price cannot throw it
    out.
    """
    price, forward, strike, is_call = np.broadcast_arrays(
        np.asarray(price, float), np.asarray(forward, float), np.asarray(strike, float), is_call
    )
    intrinsic = np.maximum(np.where(is_call, forward - strike, strike - forward), 0.0)
    time_value = price - intrinsic  # the price of the out-of-the-money option, by parity
    bound = np.minimum(forward, strike)
    solvable = (time_value > 1e-9) & (time_value < bound) & (forward > 0) & (strike > 0)
    result = np.full(price.shape, np.nan)
    if solvable.any():
        result[solvable] = _solve(time_value[solvable], forward[solvable], strike[solvable])
    return result


def _solve(price: Floats, forward: Floats, strike: Floats) -> Floats:
    low = np.full(price.shape, MIN_DEVIATION)
    high = np.full(price.shape, MAX_DEVIATION)
    start = np.sqrt(2 * np.abs(np.log(forward / strike)))
    deviation = np.clip(np.maximum(start, _SQRT_TAU * price / forward), low, high)
    for _ in range(_STEPS):
        error = out_of_the_money_price(forward, strike, deviation) - price
        high = np.where(error > 0, deviation, high)
        low = np.where(error > 0, low, deviation)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            newton = deviation - error / vega(forward, strike, deviation)
        inside = (newton > low) & (newton < high)
        following = np.where(inside, newton, (low + high) / 2)
        if np.all(np.abs(following - deviation) <= 1e-12 * deviation):
            return np.asarray(following)
        deviation = following
    return np.asarray(deviation)


def out_of_the_money_price(forward: Any, strike: Any, deviation: Any) -> Floats:
    """The put below the forward, the call from it on."""
    side = np.where(np.asarray(strike) >= forward, 1.0, -1.0)
    d1 = _d1(forward, strike, deviation)
    return np.asarray(side * (forward * ndtr(side * d1) - strike * ndtr(side * (d1 - deviation))))


def deviation_of(sigma: float, years: float) -> float:
    return sigma * math.sqrt(years)


def sigma_of(deviation: float, years: float) -> float:
    return deviation / math.sqrt(years)


def _d1(forward: Any, strike: Any, deviation: Any) -> Floats:
    deviation = np.maximum(deviation, MIN_DEVIATION)
    return np.asarray(np.log(forward / strike) / deviation + deviation / 2)


def _density(x: Floats) -> Floats:
    return np.asarray(np.exp(-0.5 * x * x) / _SQRT_TAU)
