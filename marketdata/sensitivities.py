"""What a strike's options react to, for people to look at: implied volatility and its greeks.

Black-76 on the parity forward with the strike's implied deviation (see `marketdata.greeks`). Call
and put of a strike share all of it: undiscounted, they differ by the forward only. Floats: this is
estimation, never money.
"""

from __future__ import annotations

from dataclasses import dataclass

from marketdata import blackscholes, greeks
from marketdata.greeks import Quotes
from simengine.market import Tick

SECONDS_A_YEAR = 365 * 24 * 3600
HOUR_SECONDS = 3600
CENTS = 100


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """Of one option of the strike, per share."""

    volatility_pct: float  # implied, a year
    gamma: float  # change of the delta per index point
    theta: float  # dollars an hour, negative
    vega: float  # dollars per percentage point of volatility


def sensitivities(tick: Tick, seconds_to_close: float) -> list[Sensitivity | None]:
    """Of each strike of the tick; None where its quotes imply nothing, and at the close."""
    nothing: list[Sensitivity | None] = [None] * len(tick.strikes_cents)
    if seconds_to_close <= 0:
        return nothing
    quotes = Quotes.of(
        tick.strikes_cents,
        tick.call_bid_cents,
        tick.call_ask_cents,
        tick.put_bid_cents,
        tick.put_ask_cents,
    )
    forward = greeks.parity_forward(quotes, tick.spot_cents)
    deviations = greeks.implied_deviations(quotes, forward)
    if deviations is None:
        return nothing
    years = seconds_to_close / SECONDS_A_YEAR
    gammas = blackscholes.gamma(forward, quotes.strikes, deviations) * CENTS
    per_deviation = blackscholes.vega(forward, quotes.strikes, deviations) / CENTS
    # deviation = sigma * sqrt(years), so dPrice/dyears = per_deviation * deviation / (2 * years)
    thetas = -per_deviation * deviations / (2 * seconds_to_close) * HOUR_SECONDS
    vegas = per_deviation * blackscholes.deviation_of(0.01, years)
    return [
        Sensitivity(
            volatility_pct=100 * blackscholes.sigma_of(float(deviation), years),
            gamma=float(gamma),
            theta=float(theta),
            vega=float(vega),
        )
        for deviation, gamma, theta, vega in zip(deviations, gammas, thetas, vegas, strict=True)
    ]
