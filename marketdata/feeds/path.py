"""The spot of a synthetic day: one value a second, calibrated on SPX minutes of July and August
2026.

- Variance by time of day: high after the open, low at midday, rising into the close. `activity` is
  that curve, 1.0 on average over a full day; minute by minute it follows the measured shape within
  its noise.
- Fat tails: Student-t seconds under a slowly moving log volatility; normalised minutes have a
  kurtosis of about 3.4, as measured.
- Days differ: the realised volatility of a day is its implied one times a lognormal factor.
- Rarely a jump: a quarter of a percent or so, one day in seven.
- A scenario (marketdata.feeds.scenarios) bends all that.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from marketdata.feeds import scenarios
from marketdata.feeds.scenarios import Scenario

Floats = NDArray[np.float64]

FULL_DAY_MINUTES = 390
TAIL_FREEDOM = 6.0
LOG_VOL_SD = 0.22
LOG_VOL_HALF_LIFE_SECONDS = 1200.0
JUMPS_A_DAY = 0.15
JUMP_SD = 0.0025
REALISED_MEAN = -0.25  # of the log of realised over implied
REALISED_SD = 0.25


@dataclass(frozen=True, slots=True)
class SpotPath:
    """`cents[i]` is the spot i seconds after the open; `log_vol[i]` how excited the market is."""

    cents: NDArray[np.int64]
    log_vol: Floats
    halt: range  # the seconds without trading; empty on all but a few days


def activity(seconds: int) -> Floats:
    """Relative variance of each second of a session that long, from the open to the close."""
    minute = np.arange(seconds) / 60
    to_close = seconds / 60 - minute
    curve = (
        0.43
        + 1.9 * np.exp(-minute / 75)
        + 1.5 * np.exp(-minute / 4)
        + 14.0 * np.exp(-minute / 0.6)
        + 0.9 * np.exp(-to_close / 14)
    )
    return np.asarray(curve)


def make_path(
    rng: np.random.Generator,
    *,
    seconds: int,
    previous_close_cents: int,
    gap: float,
    day_deviation: float,
    scenario: Scenario,
) -> SpotPath:
    """A path of `seconds` + 1 values that opens `gap` (log return) from the previous close.

    `day_deviation` is the implied deviation of a full, normal day.
    """
    realised = scenario.realised * day_deviation * np.exp(rng.normal(REALISED_MEAN, REALISED_SD))
    log_vol = _log_vol(rng, seconds)
    shocks = rng.standard_t(TAIL_FREEDOM, seconds) / np.sqrt(TAIL_FREEDOM / (TAIL_FREEDOM - 2))
    per_second = realised * np.sqrt(activity(seconds) / (FULL_DAY_MINUTES * 60))
    steps = per_second * np.exp(log_vol - LOG_VOL_SD**2) * shocks
    if scenario.jumps:
        steps += _jumps(rng, seconds)
    log_path = scenarios.trended(scenario, np.concatenate(([0.0], np.cumsum(steps))))
    halt = range(0)
    if scenario.halts:
        log_path, halt = scenarios.halted(log_path, gap)
    path = round(previous_close_cents * float(np.exp(gap))) * np.exp(log_path)
    if scenario.pins:
        path = scenarios.pinned(path)
    return SpotPath(np.rint(path).astype(np.int64), np.append(log_vol, log_vol[-1]), halt)


def _log_vol(rng: np.random.Generator, seconds: int) -> Floats:
    keeps = 0.5 ** (1 / LOG_VOL_HALF_LIFE_SECONDS)
    noise = rng.normal(0.0, LOG_VOL_SD * np.sqrt(1 - keeps**2), seconds)
    noise[0] = rng.normal(0.0, LOG_VOL_SD)
    return persistent(noise, keeps)


def persistent(noise: Floats, keeps: float) -> Floats:
    """Each value is its noise and `keeps` times the value before: an AR(1) process.

    A loop, for scipy's lfilter, which gives the same bits, costs every process 50 MB to import.
    """
    return np.array(list(accumulate(noise.tolist(), lambda last, shock: shock + keeps * last)))


def _jumps(rng: np.random.Generator, seconds: int) -> Floats:
    steps = np.zeros(seconds)
    count = rng.poisson(JUMPS_A_DAY)
    steps[rng.integers(0, seconds, count)] = rng.normal(0.0, JUMP_SD, count)
    return steps
