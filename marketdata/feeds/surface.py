"""The quotes of a synthetic day: what the options are worth and how they are shown.

Calibrated on SPXW chains of two days of May 2025 (../shared/data, docs/synthetic-market.md):

- Remaining implied variance: the realised-variance curve of `path.activity` still to come, plus a
  part for the close itself (18 average minutes, with a decay of 6), so that the straddle keeps a
  third of its early-afternoon variance for the last half hour, as measured.
- Smile: deviation over the at-the-money one as a function of z = ln(K/F) / deviation, a hyperbola
  fitted to 9,000 quotes (root mean square error 0.05). It decays with time only through z.
- Calls and puts share one deviation a strike and one forward, so parity and monotony hold before
  noise.
- Shown: half spread by price, rounded outwards to the exchange's tick; in the money some strikes
  are quoted by fewer makers, two to five dollars wide, and far in the money all are; each strike
  refreshes every few seconds; wide in the first minute and in the last half hour.
- Some strikes are quoted only after half a minute or more, and now and then a quote stands still
  for a while: often in the first hour, rarely after noon. So mids get out of order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketdata.blackscholes import ndtr
from marketdata.feeds.path import FULL_DAY_MINUTES, activity
from simengine.market import MISSING

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CLOSE_MINUTES = 18.0
CLOSE_DECAY_MINUTES = 6.0
SETTLEMENT_SD_CENTS = 60.0  # what is still open once the last second has traded
REFRESH_SECONDS = 3
COARSE_FROM_CENTS = 300

LATE_SHARE = 0.3  # of the contracts have no quote at the open, and their number falls
LATE_SECONDS = 38.0  # to 1/e in this time
STANDSTILL_SECONDS = (60.0, 420.0)  # how long a quote stands still

STILL_AT_THE_OPEN = 0.12  # share of contracts that stand still, on top of the usual
STILL_AT_THE_CLOSE = 0.06
WING_DISCOUNT_CENTS = 2.8
NOISE_CENTS = 0.4  # of a mid, on top of a quarter of its half spread

CALLS, PUTS = 0, 1


@dataclass(frozen=True, slots=True)
class Shown:
    """Quotes of consecutive seconds: (right, second, strike), calls first; MISSING without one."""

    bids: Ints
    asks: Ints
    deltas_e4: Ints

    def clear(self, where: Any) -> None:
        """No quote at `where`."""
        for column in (self.bids, self.asks, self.deltas_e4):
            column[where] = MISSING


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who quotes a day's contracts, from 0 to 1: (right, strike). Drawn once a day."""

    makers: Floats  # low: few, wide in the money
    first_quote_seconds: Floats


def make_crowd(rng: np.random.Generator, strikes: int) -> Crowd:
    lateness = rng.uniform(size=(2, strikes)) / LATE_SHARE
    first = np.where(lateness < 1, -LATE_SECONDS * np.log(np.maximum(lateness, 1e-4)), 0.0)
    return Crowd(rng.uniform(size=(2, strikes)), first)


def remaining_minutes(seconds: int) -> Floats:
    """Implied variance left at each second, with the close, in average minutes of a full day."""
    to_come = np.append(np.cumsum(activity(seconds)[::-1])[::-1], 0.0) / 60
    to_close = (seconds - np.arange(seconds + 1)) / 60
    return np.asarray(to_come + CLOSE_MINUTES * (1 - np.exp(-to_close / CLOSE_DECAY_MINUTES)))


def full_day_minutes() -> float:
    return float(remaining_minutes(FULL_DAY_MINUTES * 60)[0])


def smile(z: Any) -> Floats:
    """The deviation at z over the one at the money."""
    return np.asarray(0.497 + 0.009 * z + np.sqrt((0.314 * (z - 0.506)) ** 2 + 0.477**2))


def show(
    rng: np.random.Generator,
    *,
    forward: Floats,
    at_the_money: Floats,
    strikes: Ints,
    second: Ints,
    seconds: int,
    crowd: Crowd,
) -> Shown:
    """The quotes of consecutive seconds: `forward` (cents), `at_the_money` deviation per second.

    `second` counts from the last (re)opening, `seconds` from there to the close.
    """
    f, atm = forward[:, None], at_the_money[:, None]
    moneyness = np.log(strikes / f)
    deviation = atm * smile(moneyness / atm)
    side = np.where(moneyness >= 0, 1.0, -1.0)
    d1 = deviation / 2 - moneyness / deviation
    near = ndtr(side * d1)
    worth = side * (f * near - strikes * ndtr(side * (d1 - deviation)))
    # Of options worth a cent or two the market thinks less than any smooth smile does.
    worth -= WING_DISCOUNT_CENTS * np.exp(-worth / 10)
    inside = np.stack((f - strikes, strikes - f))
    noise, width = _flicker(rng, len(forward), len(strikes))
    bids, asks = _quote(
        np.maximum(worth, 0.0) + np.maximum(inside, 0),
        np.stack((noise, -noise)),
        width * _stress(second, seconds)[:, None],
        _thin(inside, crowd, second, seconds),
    )
    calls_e4 = np.rint(np.where(side > 0, near, 1 - near) * 10_000).astype(np.int64)
    shown = Shown(bids, asks, np.stack((calls_e4, 10_000 - calls_e4)))
    _stand_still(rng, shown, second, seconds)
    shown.clear(second[:, None] < crowd.first_quote_seconds[:, None, :])
    return shown


def _flicker(rng: np.random.Generator, count: int, strikes: int) -> tuple[Floats, Floats]:
    """Per strike, steady between refreshes: the mid's error in deviations, the width's factor."""
    blocks = -(-count // REFRESH_SECONDS)
    drawn = rng.standard_normal((2, blocks, strikes))
    held = np.repeat(drawn, REFRESH_SECONDS, axis=1)[:, :count]
    return held[0], np.exp(0.22 * held[1])


def _lateness(second: Ints, seconds: int) -> Floats:
    """0 until half an hour before the close, 1 at the close."""
    return np.clip(1 - (seconds - second) / 1800, 0.0, 1.0)


def _stress(second: Ints, seconds: int) -> Floats:
    """How much wider than usual: a dirty first minute, a nervous last half hour."""
    return np.asarray(1 + 2.5 * np.exp(-second / 45) + 0.5 * _lateness(second, seconds))


def _thin(inside: Floats, crowd: Crowd, second: Ints, seconds: int) -> Floats:
    """What is added to half spreads in the money, where few or no makers compete.

    Measured: about two dollars for most strikes beyond 75 points, four for a fifth
    beyond 110, less in the last half hour; about 17 beyond 320.
    """
    makers = crowd.makers[:, None, :]
    few = makers < 0.57 / (1 + np.exp(-(inside - 7_500) / 900))
    very_few = makers < 0.2 / (1 + np.exp(-(inside - 11_000) / 1_000))
    calmed = 1 - 0.6 * _lateness(second, seconds)[:, None]
    nobody = 800 / (1 + np.exp(-np.clip((inside - 32_000) / 1_000, -50, 50)))
    return np.asarray((92.0 * few + 105.0 * very_few) * calmed + nobody)


def _quote(worth: Floats, noise: Floats, stress: Floats, thin: Floats) -> tuple[Ints, Ints]:
    """Bids and asks in cents around `worth`, on the exchange's grid."""
    usual = 0.2 + 0.0078 * np.minimum(worth, 1000) + 0.0038 * np.clip(worth - 1000, 0, 3000)
    usual = usual * stress
    middle = worth + noise * (0.25 * usual + NOISE_CENTS)
    half = usual + thin
    return _down(np.maximum(middle - half, 0.0)), _up(middle + half)


def _stand_still(rng: np.random.Generator, shown: Shown, second: Ints, seconds: int) -> None:
    """Freeze quotes for a while: about 6 % of them in the first half hour, 0.3 % after noon."""
    count, strikes = shown.bids.shape[1:]
    middle = len(second) // 2
    opening, closing = np.exp(-second[middle] / 2400), _lateness(second, seconds)[middle]
    share = 0.003 + STILL_AT_THE_OPEN * opening + STILL_AT_THE_CLOSE * closing
    low, high = STANDSTILL_SECONDS
    times = rng.poisson(share * 2 * strikes * count / ((low + high) / 2))
    rights, rows = rng.integers(0, 2, times), rng.integers(0, strikes, times)
    starts, lengths = rng.integers(0, count, times), rng.uniform(low, high, times)
    for right, row, start, length in zip(
        rights.tolist(), rows.tolist(), starts.tolist(), lengths.tolist(), strict=True
    ):
        stretch = slice(start, start + int(length))
        shown.bids[right, stretch, row] = shown.bids[right, start, row]
        shown.asks[right, stretch, row] = shown.asks[right, start, row]


def _down(price: Floats) -> Ints:
    fine = np.floor(price / 5) * 5
    return np.where(fine > COARSE_FROM_CENTS, np.floor(price / 10) * 10, fine).astype(np.int64)


def _up(price: Floats) -> Ints:
    fine = np.maximum(np.ceil(price / 5) * 5, 5)
    return np.where(fine > COARSE_FROM_CENTS, np.ceil(price / 10) * 10, fine).astype(np.int64)
