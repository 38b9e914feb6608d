"""Small made-up market days for the golden files, the hash-seed test and the bench.

A day is drawn by a linear congruential generator written out here, so that it depends on nothing
but its seed: no library may change it under us.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simengine.market import MISSING, Tick, rows_of
from tests.engine.builders import MIDNIGHT_MS, OPEN_SECONDS


class Dice:
    """Numerical Recipes' 32-bit generator."""

    def __init__(self, seed: int) -> None:
        self.state = (seed * 2_654_435_761 + 12_345) & 0xFFFFFFFF
        for _ in range(3):  # neighbouring seeds part company
            self.below(1)

    def below(self, limit: int) -> int:
        self.state = (self.state * 1_664_525 + 1_013_904_223) & 0xFFFFFFFF
        return (self.state >> 8) * limit >> 24


def option_sides(distance_cents: int, spread_cents: int, time_value_cents: int) -> tuple[int, int]:
    """A crude but convex price: intrinsic value and a time value that halves every ten points."""
    intrinsic_cents = max(0, distance_cents)
    value_cents = time_value_cents >> min(12, abs(distance_cents) // 1000)
    mid_cents = intrinsic_cents + value_cents
    bid_cents = (mid_cents - spread_cents // 2) // 5 * 5
    return max(0, bid_cents), max(5, bid_cents + spread_cents)


def market_day(
    *,
    seed: int,
    seconds: int,
    strikes: int = 21,
    dirt: int = 0,
    start_seconds: int = OPEN_SECONDS,
) -> Iterator[Tick]:
    """`seconds` ticks around 5950. Of 1000 draws `dirt` miss a side, cross, go silent or lag."""
    dice = Dice(seed)
    lowest = 595_000 - strikes // 2 * 500
    strike_list = [lowest + 500 * row for row in range(strikes)]
    rows = rows_of(strike_list)
    spot_cents, seq, at_ms = 595_000, 0, MIDNIGHT_MS + 1000 * start_seconds
    for second in range(seconds):
        spot_cents += 25 * (dice.below(7) - 3)
        time_value_cents = 700 - 600 * second // seconds
        columns: dict[str, list[int]] = {name: [] for name in COLUMNS}
        for strike in strike_list:
            for right, distance in (("call", spot_cents - strike), ("put", strike - spot_cents)):
                bid, ask = option_sides(distance, 5 + 5 * dice.below(3), time_value_cents)
                if dirt and dice.below(1000) < dirt:
                    bid, ask = ((MISSING, ask), (bid, MISSING), (ask, bid))[dice.below(3)]
                columns[f"{right}_bid_cents"].append(bid)
                columns[f"{right}_ask_cents"].append(ask)
                columns[f"{right}_delta_e4"].append(5000)
        seq += 1
        at_ms += 1000
        lag_ms = 0
        if dirt and dice.below(1000) < dirt:
            seq += dice.below(3)
            at_ms += 1000 * dice.below(6)
            lag_ms = 1000 * dice.below(6)
        yield _tick(seq, at_ms, lag_ms, spot_cents, strike_list, rows, columns)


COLUMNS = (
    "call_bid_cents", "call_ask_cents", "call_delta_e4",
    "put_bid_cents", "put_ask_cents", "put_delta_e4",
)  # fmt: skip


def _tick(
    seq: int,
    at_ms: int,
    lag_ms: int,
    spot_cents: int,
    strikes: list[int],
    rows: dict[int, int],
    columns: dict[str, Any],
) -> Tick:
    return Tick(
        seq=seq,
        at_ms=at_ms,
        received_ms=at_ms + lag_ms,
        spot_cents=spot_cents,
        vix_hundredths=1620,
        expected_move_cents=2150,
        strikes_cents=strikes,
        row_of_strike=rows,
        **columns,
    )
