"""A made-up market day: the same (seed, date, scenario, previous close, previous VIX) is the same
day, byte for byte.

Every second from the open to the close, both included: 23,401 ticks on a full day. The spot's path
is made at once, the quotes in blocks as they are asked for, each block from its own generator, so
that any place of the day can be reached without making what lies before it. Days follow each other:
the next one opens where this one settled, plus a gap.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.times import to_ms
from marketdata import calendar, greeks
from marketdata.feeds import faults, surface
from marketdata.feeds.path import SpotPath, activity, make_path, persistent
from marketdata.feeds.scenarios import NORMAL, SCENARIOS, Scenario
from simengine.market import Tick, rows_of

FIRST_CLOSE_CENTS = 600_000
USUAL_VIX_HUNDREDTHS = 1_650
STRIKE_STEP_CENTS = 500
STRIKES_EACH_WAY = 80
BLOCK_SECONDS = 600
VIX_EVERY_SECONDS = 15

NO_DISTANCE = 10**9

# A day's implied deviation over VIX / sqrt(252): same-day options leave the night out.
DAY_SHARE_OF_VIX = 0.563
NIGHT_SHARE_OF_VIX = 0.35
USUAL_DAY_DEVIATION = DAY_SHARE_OF_VIX * USUAL_VIX_HUNDREDTHS / 10_000 / math.sqrt(252)
LEVERAGE = 4.0  # how much dearer options get as the index falls: log over log
FORWARD_NOISE_CENTS = 100.0
FORWARD_NOISE_HALF_LIFE_SECONDS = 40.0

_GAP, _PATH, _FORWARD, _SETTLEMENT, _QUOTES, _CROWD, _FAULTS = range(7)  # one generator each


@dataclass(frozen=True)
class SyntheticFeed:
    """One synthetic day. Raises ValueError for a date the exchange is closed on or an unknown
    scenario.
    """

    seed: int
    trading_date: date
    previous_close_cents: int = FIRST_CLOSE_CENTS
    previous_vix_hundredths: int = USUAL_VIX_HUNDREDTHS
    scenario: str = NORMAL

    def __post_init__(self) -> None:
        if self.scenario not in SCENARIOS:
            raise ValueError(f"{self.scenario!r} is none of {', '.join(SCENARIOS)}")
        if calendar.hours(self.trading_date) is None:
            raise ValueError(f"the exchange is closed on {self.trading_date}")

    @cached_property
    def _hours(self) -> tuple[datetime, datetime]:
        hours = calendar.hours(self.trading_date)
        assert hours is not None
        return hours

    @property
    def open_at(self) -> datetime:
        return self._hours[0]

    @property
    def close_at(self) -> datetime:
        return self._hours[1]

    @property
    def source(self) -> str:
        return source_of(self.seed, self.scenario)

    @property
    def source_options(self) -> dict[str, Any]:
        return {
            "kind": "synthetic",
            "seed": self.seed,
            "scenario": self.scenario,
            "previous_close_cents": self.previous_close_cents,
            "previous_vix_hundredths": self.previous_vix_hundredths,
        }

    @property
    def seconds(self) -> int:
        return int((self.close_at - self.open_at).total_seconds())

    def ticks(self, after_seq: int) -> Iterator[Tick]:
        for first in range(
            after_seq // BLOCK_SECONDS * BLOCK_SECONDS, self.seconds + 1, BLOCK_SECONDS
        ):
            ticks = self._block(first)
            if self._kind.spoils:
                ticks = faults.spoil(self._rng(_FAULTS, first), ticks)
            yield from (tick for tick in ticks if tick.seq > after_seq)

    def settlement(self) -> tuple[int, str]:
        """Near the last spot, as the official close is."""
        offset = self._rng(_SETTLEMENT).normal(0.0, surface.SETTLEMENT_SD_CENTS)
        limit = 4 * surface.SETTLEMENT_SD_CENTS
        return int(self._path.cents[-1] + round(float(np.clip(offset, -limit, limit)))), "official"

    @property
    def _kind(self) -> Scenario:
        return SCENARIOS[self.scenario]

    def _rng(self, purpose: int, block: int = 0) -> np.random.Generator:
        return np.random.default_rng([self.seed, self.trading_date.toordinal(), purpose, block])

    @cached_property
    def _vix_at_open(self) -> float:
        """Mean-reverting from day to day, in points."""
        log_vix = np.log(self.previous_vix_hundredths / 100)
        usual = np.log(USUAL_VIX_HUNDREDTHS / 100)
        moved = log_vix + 0.06 * (usual - log_vix) + self._rng(_GAP, 1).normal(0.0, 0.045)
        return float(np.clip(np.exp(moved), 9.0, 80.0))

    @property
    def _day_deviation(self) -> float:
        return DAY_SHARE_OF_VIX * self._vix_at_open / 100 / math.sqrt(252)

    @cached_property
    def _path(self) -> SpotPath:
        night = NIGHT_SHARE_OF_VIX * self._vix_at_open / 100 / math.sqrt(252)
        return make_path(
            self._rng(_PATH),
            seconds=self.seconds,
            previous_close_cents=self.previous_close_cents,
            gap=float(np.clip(self._rng(_GAP).normal(0.0, night), -0.04, 0.04)),
            day_deviation=self._day_deviation,
            scenario=self._kind,
        )

    @cached_property
    def _forward(self) -> NDArray[np.float64]:
        """What the quotes go by, cents. They and the index are not in step: the difference comes
        and goes within a minute, and is larger when the market is busy.
        """
        keeps = 0.5 ** (1 / FORWARD_NOISE_HALF_LIFE_SECONDS)
        shocks = self._rng(_FORWARD).normal(0.0, np.sqrt(1 - keeps**2), self.seconds + 1)
        noise = persistent(shocks, keeps)
        busy = np.sqrt(np.clip(activity(self.seconds + 1), 0.4, 3.0)) * np.exp(self._path.log_vol)
        realised = self._day_deviation * self._kind.realised / USUAL_DAY_DEVIATION
        return np.asarray(self._path.cents + FORWARD_NOISE_CENTS * realised * busy * noise)

    @cached_property
    def _strikes(self) -> NDArray[np.int64]:
        """Every 5 points around the open, or below it where the scenario goes there."""
        middle_cents = int(self._path.cents[0]) + 100 * self._kind.strikes_shift_points
        middle = round(middle_cents / STRIKE_STEP_CENTS)
        return (
            np.arange(middle - STRIKES_EACH_WAY, middle + STRIKES_EACH_WAY + 1) * STRIKE_STEP_CENTS
        )

    @cached_property
    def _at_the_money(self) -> NDArray[np.float64]:
        """The implied deviation left at each second."""
        share = surface.remaining_minutes(self.seconds) / surface.full_day_minutes()
        spot = self._path.cents
        excited = np.exp(0.35 * self._path.log_vol - LEVERAGE * np.log(spot / spot[0]))
        deviation = self._kind.implied * self._day_deviation * np.sqrt(share) * excited
        return np.asarray(np.hypot(deviation, surface.SETTLEMENT_SD_CENTS / spot))

    @cached_property
    def _crowd(self) -> surface.Crowd:
        return surface.make_crowd(self._rng(_CROWD), len(self._strikes))

    @cached_property
    def _vix_hundredths(self) -> NDArray[np.int64]:
        spot = self._path.cents
        moved = np.exp(-6.0 * np.log(spot / spot[0]) + 0.15 * self._path.log_vol)
        every = np.arange(self.seconds + 1) // VIX_EVERY_SECONDS * VIX_EVERY_SECONDS
        points = np.clip(self._vix_at_open * moved, 8.0, 150.0)[every]
        return np.asarray(np.rint(100 * points).astype(np.int64))

    def _block(self, first: int) -> list[Tick]:
        """The ticks of the seconds from `first` on, at most BLOCK_SECONDS of them."""
        seconds = np.arange(first, min(first + BLOCK_SECONDS, self.seconds + 1))
        spot = self._path.cents[seconds]
        shown = self._shown(seconds)
        index_values = zip(
            spot.tolist(),
            self._vix_hundredths[seconds].tolist(),
            self._straddles(spot, shown),
            strict=True,
        )
        quotes = zip(
            *(
                column[right].tolist()
                for right in (surface.CALLS, surface.PUTS)
                for column in (shown.bids, shown.asks, shown.deltas_e4)
            ),
            strict=True,
        )
        values = zip(seconds.tolist(), index_values, quotes, strict=True)
        return [self._tick(*value) for value in values]

    def _shown(self, seconds: NDArray[np.int64]) -> surface.Shown:
        """The quotes; none during a halt, and after it the market opens anew."""
        halt = self._path.halt
        reopened = halt.stop if len(halt) and seconds[0] >= halt.start else 0
        shown = surface.show(
            self._rng(_QUOTES, int(seconds[0])),
            forward=self._forward[seconds],
            at_the_money=self._at_the_money[seconds],
            strikes=self._strikes,
            second=np.maximum(seconds - reopened, 0),
            seconds=self.seconds - reopened,
            crowd=self._crowd,
        )
        shown.clear((slice(None), (seconds >= halt.start) & (seconds < halt.stop)))
        return shown

    def _straddles(self, spot: NDArray[np.int64], shown: surface.Shown) -> list[int | None]:
        """The expected move of each second, by the rule of `greeks.expected_move_cents`."""
        quoted = (shown.bids >= 0).all(axis=0)
        distance = np.where(quoted, np.abs(self._strikes - spot[:, None]), NO_DISTANCE)
        nearest = np.argmin(distance, axis=1)[:, None]
        twice = (shown.bids + shown.asks).sum(axis=0)
        moves = (np.take_along_axis(twice, nearest, axis=1)[:, 0] + 1) // 2
        known = np.take_along_axis(distance, nearest, axis=1)[:, 0] <= greeks.ATM_WITHIN * spot
        return [
            move if is_known else None
            for move, is_known in zip(moves.tolist(), known.tolist(), strict=True)
        ]

    def _tick(
        self, second: int, index_values: tuple[int, int, int | None], quotes: tuple[list[int], ...]
    ) -> Tick:
        at_ms = self._open_ms + second * 1000
        strikes, row_of_strike = self._strike_rows
        call_bids, call_asks, call_deltas, put_bids, put_asks, put_deltas = quotes
        spot_cents, vix_hundredths, expected_move_cents = index_values
        return Tick(
            second + 1,
            at_ms,
            at_ms,
            spot_cents,
            vix_hundredths,
            expected_move_cents,
            strikes,
            call_bids,
            call_asks,
            call_deltas,
            put_bids,
            put_asks,
            put_deltas,
            row_of_strike,
        )

    @cached_property
    def _open_ms(self) -> int:
        return to_ms(self.open_at)

    @cached_property
    def _strike_rows(self) -> tuple[list[int], dict[int, int]]:
        strikes = self._strikes.tolist()
        return strikes, rows_of(strikes)


def source_of(seed: int, scenario: str) -> str:
    """`synthetic:42`, `synthetic:42/selloff`."""
    return f"synthetic:{seed}" if scenario == NORMAL else f"synthetic:{seed}/{scenario}"
