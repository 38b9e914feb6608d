"""Kinds of synthetic days: what a scenario asks of the path and of the quotes.

A scenario shapes a day, it does not script it: the seed still decides every second. Without one a
day is `normal`, which is what the calibration is about.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NORMAL = "normal"
HALT_AT = -0.07  # a level 1 market-wide circuit breaker, from the previous close
HALT_SECONDS = 900
HALT_FALLS_TO = -0.12  # where the fall would end without a breaker; the margin is for noise
HALT_RECOVERS = 0.012
PIN_STEP_CENTS = 2_500


def _steady(share: Floats) -> Floats:
    """A trend that takes the whole day and slows towards the close."""
    return np.asarray(0.014 * np.sin(np.pi / 2 * share))


def _selling(share: Floats) -> Floats:
    """A weak morning, a fall from a third of the day on, a small rebound at the end."""
    fall = 1 / (1 + np.exp(-(share - 0.55) / 0.07))
    rebound = np.clip((share - 0.85) / 0.15, 0, 1)
    return np.asarray(-0.004 * share - 0.026 * fall + 0.004 * rebound)


def _swinging(share: Floats) -> Floats:
    """Three round trips of about a percent and a half each way from top to bottom."""
    return np.asarray(0.0075 * np.sin(2 * np.pi * 3 * share))


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is asked of a day. Factors are of a normal day; shares run from the open, 0, to 1."""

    name: str
    says: str
    realised: float = 1.0  # factor of the day's realised volatility
    implied: float = 1.0  # factor of the volatility the options are priced with
    jumps: bool = True
    trend: Callable[[Floats], Floats] | None = None  # log return by share of the day
    pins: bool = False  # the afternoon closes in on a strike
    halts: bool = False  # falls until trading is halted
    half_days: bool = False  # runs on days with an early close only
    spoils: bool = False  # the feed is as bad as feeds get
    strikes_shift_points: int = 0  # of the middle of the chain, from the open


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario(NORMAL, "as calibrated"),
        Scenario("calm", "little moves", realised=0.5, implied=0.75, jumps=False),
        Scenario("trend-up", "up all day", realised=0.6, jumps=False, trend=_steady),
        Scenario(
            "selloff",
            "down 2 to 4 %, most of it after noon",
            realised=1.6,
            implied=1.5,
            trend=_selling,
            strikes_shift_points=-150,
        ),
        Scenario("pin", "the afternoon closes in on a strike", pins=True, jumps=False),
        Scenario("whipsaw", "up and down a percent, three times", realised=1.2, trend=_swinging),
        Scenario(
            "halt",
            "down 7 %, halted for 15 minutes without a quote",
            realised=1.5,
            implied=1.5,
            halts=True,
            strikes_shift_points=-250,
        ),
        Scenario("half-day", "a normal day with an early close", half_days=True),
        Scenario("bad-data", "a normal day through a feed full of faults", spoils=True),
    )
}


def trended(scenario: Scenario, log_path: Floats) -> Floats:
    if scenario.trend is None:
        return log_path
    return log_path + scenario.trend(np.linspace(0.0, 1.0, len(log_path)))


def pinned(cents: Floats) -> Floats:
    """From 40 % of the day on the distance to a round strike shrinks, to a twentieth at the end."""
    share = np.linspace(0.0, 1.0, len(cents))
    strike = round(float(cents[int(0.4 * (len(cents) - 1))]) / PIN_STEP_CENTS) * PIN_STEP_CENTS
    keeps = np.exp(-3.0 * np.clip((share - 0.4) / 0.5, 0, 1))
    return np.asarray(strike + (cents - strike) * keeps)


def halted(log_path: Floats, gap: float) -> tuple[Floats, range]:
    """A fall until the breaker trips, HALT_SECONDS of standstill, then a nervous recovery.

    `log_path` is what chance does, from 0 at the open; `gap` the log return from the previous
    close to the open. Also gives the seconds without trading.
    """
    share = np.linspace(0.0, 1.0, len(log_path))
    fall = np.clip((share - 0.15) / 0.3, 0, 1) * (HALT_FALLS_TO - max(gap, 0.0))
    falling = log_path + fall
    tripped = np.flatnonzero(np.exp(gap + falling) <= 1 + HALT_AT)
    if tripped.size == 0:
        return falling, range(0)
    first = int(tripped[0])
    count = min(HALT_SECONDS, len(log_path) - 1 - first)
    after = log_path[first:] - log_path[first]
    recovery = HALT_RECOVERS * np.clip(np.arange(len(after)) / 3600, 0, 1)
    path = np.concatenate(
        (falling[:first], np.full(count, falling[first]), falling[first] + after + recovery)
    )
    return path[: len(log_path)], range(first, first + count)
