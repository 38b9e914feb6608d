"""The feed of a simulated day and what goes wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from common.times import to_ms
from simengine.market import MISSING, Tick, rows_of
from tests.engine.market_days import option_sides
from tests.simulator.programs import STRIKES

DAY = date(2026, 5, 7)
OPEN_AT = datetime(2026, 5, 7, 13, 30, tzinfo=UTC)
OPEN_SECOND = 9 * 3600 + 30 * 60  # in New York
FEWER_STRIKES = STRIKES[1:]
ROWS, FEWER_ROWS = rows_of(STRIKES), rows_of(FEWER_STRIKES)


@dataclass(frozen=True)
class Feed:
    """A short day of `seconds`, made by a seed. Resuming is by the tick's time, as feeds do."""

    seed: int
    seconds: int
    trading_date: date = DAY
    source: str = "simulated"

    @property
    def source_options(self) -> dict[str, Any]:
        return {"seed": self.seed}

    @property
    def open_at(self) -> datetime:
        return OPEN_AT

    @property
    def close_at(self) -> datetime:
        return OPEN_AT + timedelta(seconds=self.seconds)

    def ticks(self, after_seq: int) -> Iterator[Tick]:
        """Spoilt: dropped, repeated, out of order, late, silent, leaping, torn."""
        return iter(_spoilt(Random(f"spoil {self.seed}"), self._clean()))

    def settlement(self) -> tuple[int, str]:
        return 595_000 + 25 * Random(f"close {self.seed}").randrange(-60, 60), "official"

    def _clean(self) -> list[Tick]:
        rng = Random(f"feed {self.seed}")
        spot_cents, dirt = 595_000, rng.choice([0.0, 0.02, 0.3])
        has_closing_tick = rng.random() < 0.8
        found = []
        for second in range(self.seconds + has_closing_tick):
            spot_cents += 25 * rng.randrange(-4, 5)
            value_cents = 700 - 600 * second // self.seconds
            at_ms = to_ms(OPEN_AT) + 1000 * second
            found.append(_tick(rng, second + 1, at_ms, spot_cents, value_cents, dirt))
        return found


def _tick(
    rng: Random, seq: int, at_ms: int, spot_cents: int, value_cents: int, dirt: float
) -> Tick:
    is_dirty = rng.random() < dirt
    fewer = is_dirty and rng.random() < 0.2
    strikes, rows = (FEWER_STRIKES, FEWER_ROWS) if fewer else (STRIKES, ROWS)
    sides: list[list[int]] = [[], [], [], []]
    for strike in strikes:
        for offset, distance in ((0, spot_cents - strike), (2, strike - spot_cents)):
            bid, ask = option_sides(distance, 5 + 5 * rng.randrange(3), value_cents)
            if is_dirty and rng.random() < 0.15:
                bid, ask = rng.choice([(MISSING, ask), (bid, MISSING), (ask + 5, bid), (0, ask)])
            sides[offset].append(bid)
            sides[offset + 1].append(ask)
    deltas = [5000] * len(strikes)
    return Tick(
        seq, at_ms, at_ms, spot_cents, 1620, 2150, strikes,
        sides[0], sides[1], deltas, sides[2], sides[3], deltas, row_of_strike=rows,
    )  # fmt: skip


def _spoilt(rng: Random, ticks: Sequence[Tick]) -> list[Tick]:
    chance = rng.choice([0.0, 0.02, 0.1])
    found: list[Tick] = []
    silent_until = late_until = -1
    for place, tick in enumerate(ticks):
        if rng.random() < chance / 4:
            silent_until = place + rng.randrange(2, 12)
        if rng.random() < chance / 4:
            late_until = place + rng.randrange(1, 8)
        if place <= silent_until:
            continue
        if place <= late_until:
            late_ms = rng.choice([2_000, 3_001, 9_000])
            found.append(replace(tick, received_ms=tick.at_ms + late_ms))
            continue
        found += _with_a_fault(rng, tick, found) if rng.random() < chance else [tick]
    return found


def _with_a_fault(rng: Random, tick: Tick, before: Sequence[Tick]) -> list[Tick]:
    match rng.randrange(6):
        case 0:
            return []
        case 1:
            return [tick, tick]
        case 2:
            return [tick, *before[-rng.randrange(1, 9) :][:1]]
        case 3:
            return [replace(tick, spot_cents=tick.spot_cents * rng.choice([0, -1, 10]))]
        case 4:
            return [replace(tick, spot_cents=tick.spot_cents + rng.choice([-9_000, 9_000]))]
        case _:
            return [replace(tick, call_bid_cents=[10**7] * len(tick.strikes_cents))]
