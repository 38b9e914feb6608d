"""Four positions of a real day, held to the close, against answers worked out from the quotes.

2025-05-15, 13:00:17 in New York, SPX 5916.20, official close 5916.93; one lot, fees 1.72 a leg to
open and 5.00 for each instrument that settles in the money.
"""

from __future__ import annotations

import pytest

from tests.engine.builders import Day, Sides, market_action, no_repricing, open_action

QUOTES: dict[str, Sides] = {
    "P5880": (125, 130),
    "P5890": (205, 215),
    "P5895": (270, 280),
    "P5910": (630, 650),
    "P5915": (830, 840),
    "P5920": (1080, 1100),
    "C5915": (960, 980),
    "C5925": (510, 520),
    "C5935": (245, 250),
    "C5940": (165, 170),
    "C5950": (75, 80),
}
CLOSE_CENTS = 591_693

CONDOR = {"P5880": 1, "P5890": -1, "C5940": -1, "C5950": 1}
FLY = {"P5895": 1, "P5915": -1, "C5915": -1, "C5935": 1}
CALL_DEBIT = {"C5915": 1, "C5925": -1}
PUT_DEBIT = {"P5920": 1, "P5910": -1}

# gross = received + settlement; a credit is negative. Settled at 5916.93 the 5915 call is worth
# 1.93 and the 5920 put 3.07.
ANSWERS = [
    ("iron condor", CONDOR, -160, -345, 16_000, 15_312, 100_000),  # 4 × 1.72
    ("iron fly", FLY, -1260, -2565, 106_700, 105_512, 200_000),  # 1260 - 193; 6.88 + 5.00
    ("call debit", CALL_DEBIT, 470, 910, -27_700, -28_544, 0),  # 193 - 470; 3.44 + 5.00
    ("put debit", PUT_DEBIT, 470, 900, -16_300, -17_144, 0),  # 307 - 470; 3.44 + 5.00
]


def snapshot_day(**changes) -> Day:
    policy = no_repricing(max_daily_loss_e4=5000, **changes)
    return Day(policy=policy, balance_cents=10_000_000)


def tick(day: Day, *actions) -> None:
    day.tick(*actions, chain=QUOTES, spot_cents=591_620)


@pytest.mark.parametrize(
    ("ratios", "natural", "mid_half_cents", "gross", "net", "margin"),
    [row[1:] for row in ANSWERS],
    ids=[row[0] for row in ANSWERS],
)
def test_a_position_held_to_the_close(ratios, natural, mid_half_cents, gross, net, margin):
    day = snapshot_day()
    tick(day, market_action(**ratios))
    tick(day)
    day.close(chain=QUOTES)

    held_margin = day.row.maintenance_margin
    day.settle(CLOSE_CENTS)

    filled = day.only("filled")
    final = day.only("finalized")
    assert (filled.price_cents, filled.mid_half_cents) == (natural, mid_half_cents)
    assert final.realized_pl_cents == gross
    assert final.total_pl_cents == net
    assert held_margin == margin


@pytest.mark.parametrize(
    ("ratios", "limit_cents", "execution_cents"),
    [
        # mids 1.725, 12.825, 4.55, 4.50: quoted 1.70, 12.80, 4.55, 4.50; five cents worse
        (CONDOR, -165, -165),
        (FLY, -1275, -1275),
        (CALL_DEBIT, 460, 460),
        (PUT_DEBIT, 455, 455),
    ],
)
def test_a_limit_one_tick_from_the_quoted_mid_fills_there(ratios, limit_cents, execution_cents):
    resting, conceding = snapshot_day(), snapshot_day()
    tick(resting, open_action(**ratios))
    tick(conceding, open_action(limit_cents, **ratios))

    tick(resting)
    tick(conceding)

    assert resting.of("filled") == []
    assert conceding.only("filled").price_cents == execution_cents
