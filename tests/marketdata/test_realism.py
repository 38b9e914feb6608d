"""The synthetic market judged against real SPXW chains (docs/synthetic-market.md).

The numbers under REAL are measured on the real files; the first tests below measure them again
where the files are there. The synthetic days start from the past of the real one: its previous
close and VIX. Bounds are wide where one real day cannot say more.
"""

from datetime import date, time

import numpy as np
import pytest

from bench import market_statistics as stats
from marketdata.feeds.synthetic import SyntheticFeed
from marketdata.tape import load_tape
from tests.marketdata.real_data import CHAIN, OPENING, needs_real_data

SEEDS = range(5)
DAY, PREVIOUS_CLOSE_CENTS, PREVIOUS_VIX_HUNDREDTHS = date(2025, 5, 15), 589_258, 1_862

REAL_SPREADS = {  # cents: median, 90 %, 99 %
    (0, 50): (5, 5, 10),
    (50, 100): (5, 10, 10),
    (100, 300): (10, 10, 15),
    (300, 1_000): (20, 20, 50),
    (1_000, 3_000): (40, 50, 121),
    (3_000, 10_000): (60, 240, 290),
    (10_000, 100_000): (230, 1_770, 1_880),
}
REAL_ZERO_BIDS = {
    (0, 25): 0.0064,
    (25, 50): 0.06,
    (50, 75): 0.16,
    (75, 100): 0.26,
    (100, 200): 0.53,
}
REAL_DECAY = dict(zip(stats.STRADDLE_TIMES, (1.0, 0.86, 0.79, 0.66, 0.57, 0.47), strict=True))
REAL_STRADDLE_AT_ONE = 1805
REAL_MOVES = (1.96, 6.24)  # 1e-4 of spot in 70 s: median, 95 %
REAL_FORWARD_OFFSETS = (65, 233)  # cents: median, 95 % of the afternoon
REAL_OUT_OF_ORDER = {"first hour": 0.046, "afternoon": 0.0015, "last half hour": 0.018}


@pytest.fixture(scope="module")
def real():
    return stats.between(load_tape(CHAIN).ticks, time(13), time(16))


@pytest.fixture(scope="module")
def opening():
    return list(load_tape(OPENING).ticks)


@pytest.fixture(scope="module")
def days():
    """Sampled as the real file is: a tick every 70 seconds, the first at 9:30:53."""
    return [
        [
            tick
            for tick in SyntheticFeed(
                seed, DAY, PREVIOUS_CLOSE_CENTS, PREVIOUS_VIX_HUNDREDTHS
            ).ticks(0)
            if tick.seq % 70 == 54
        ]
        for seed in SEEDS
    ]


def afternoon(ticks):
    return stats.between(ticks, time(13), time(16))


def parts(ticks):
    return {
        "first hour": stats.between(ticks, time(9, 31), time(10, 30)),
        "afternoon": stats.between(ticks, time(13), time(15, 30)),
        "last half hour": stats.between(ticks, time(15, 30), time(16)),
    }


@needs_real_data
def test_the_real_numbers_are_those_of_the_real_afternoon(real):
    for bucket, found in stats.spreads(real).items():
        assert found == pytest.approx(REAL_SPREADS[bucket], rel=0.02, abs=1)
    assert stats.zero_bids(real) == pytest.approx(REAL_ZERO_BIDS, rel=0.05)
    assert stats.straddles(real)[time(13)] == REAL_STRADDLE_AT_ONE
    assert stats.decay(real) == pytest.approx(REAL_DECAY, abs=0.01)
    assert np.quantile(stats.moves(real), (0.5, 0.95)) == pytest.approx(REAL_MOVES, rel=0.02)
    offsets = np.abs(stats.forward_offsets(real))
    assert np.quantile(offsets, (0.5, 0.95)) == pytest.approx(REAL_FORWARD_OFFSETS, rel=0.02)
    for part in ("afternoon", "last half hour"):
        assert stats.out_of_order(parts(real)[part]) == pytest.approx(
            REAL_OUT_OF_ORDER[part], rel=0.05
        )
    assert stats.in_the_money_spread(parts(real)["afternoon"]) == 50
    assert stats.in_the_money_spread(parts(real)["last half hour"]) == 70


@needs_real_data
def test_the_real_numbers_are_those_of_the_real_opening(opening):
    first, later = opening[:1], opening[1:]

    assert stats.out_of_order(later) == pytest.approx(REAL_OUT_OF_ORDER["first hour"], rel=0.05)
    assert stats.unquoted(first) == pytest.approx(0.075)
    assert stats.unquoted(later) == 0
    assert (stats.at_the_money_spread(first), stats.at_the_money_spread(later)) == (35, 20)


def test_the_median_spread_of_each_price_is_within_a_dime_or_a_third_of_the_real_one(days):
    for ticks in days:
        for bucket, (median, _, _) in stats.spreads(afternoon(ticks)).items():
            assert median == pytest.approx(REAL_SPREADS[bucket][0], rel=0.35, abs=10)


def test_the_widest_tenth_of_spreads_is_within_a_dime_or_a_third_of_the_real_one(days):
    for bucket, (_, real_ninety, _) in REAL_SPREADS.items():
        found = [stats.spreads(afternoon(ticks))[bucket][1] for ticks in days]
        assert np.median(found) == pytest.approx(real_ninety, rel=0.35, abs=10)


def test_zero_bids_are_as_frequent_as_real_ones_at_each_distance(days):
    shares = [stats.zero_bids(afternoon(ticks)) for ticks in days]

    for bucket, real_share in REAL_ZERO_BIDS.items():
        found = np.mean([share[bucket] for share in shares])
        assert found == pytest.approx(real_share, rel=0.4, abs=0.02)


def test_the_straddle_is_worth_as_much_and_decays_like_the_real_one(days):
    known = [stats.straddles(ticks)[time(13)] for ticks in days]
    decays = [stats.decay(afternoon(ticks)) for ticks in days]

    assert np.mean(known) == pytest.approx(REAL_STRADDLE_AT_ONE, rel=0.15)
    for at, real_share in REAL_DECAY.items():
        assert np.mean([decay[at] for decay in decays]) == pytest.approx(real_share, abs=0.13)


def test_the_index_moves_as_far_in_seventy_seconds_on_some_days_and_less_on_others(days):
    medians, far = np.transpose(
        [np.quantile(stats.moves(afternoon(ticks)), (0.5, 0.95)) for ticks in days]
    )

    assert 0.4 * REAL_MOVES[0] < np.mean(medians) < 1.3 * REAL_MOVES[0]
    assert 0.4 * REAL_MOVES[1] < np.mean(far) < 1.3 * REAL_MOVES[1]
    assert max(medians) > 1.3 * min(medians)


def test_quotes_and_index_are_as_much_out_of_step_as_real_ones(days):
    found = [
        np.quantile(np.abs(stats.forward_offsets(afternoon(ticks))), (0.5, 0.95)) for ticks in days
    ]

    assert np.mean(found, axis=0) == pytest.approx(REAL_FORWARD_OFFSETS, rel=0.4)


@pytest.mark.parametrize(
    ("part", "low", "high"),
    [
        ("first hour", 0.004, 0.06),
        ("afternoon", 0.0003, 0.006),
        ("last half hour", 0.002, 0.03),
    ],
)
def test_mids_are_out_of_order_often_in_the_first_hour_and_rarely_later(days, part, low, high):
    assert low < np.mean([stats.out_of_order(parts(ticks)[part]) for ticks in days]) < high


def test_the_first_minute_is_dirty_and_the_next_ones_are_not(days):
    first = [ticks[:1] for ticks in days]
    later = [stats.between(ticks, time(9, 33), time(10, 30)) for ticks in days]

    assert 0.03 < np.mean([stats.unquoted(ticks) for ticks in first]) < 0.15
    assert max(stats.unquoted(ticks) for ticks in later) < 0.005
    assert np.mean([stats.at_the_money_spread(ticks) for ticks in first]) == pytest.approx(
        35, abs=20
    )
    assert np.mean([stats.at_the_money_spread(ticks) for ticks in later]) == pytest.approx(
        20, abs=12
    )


def test_spreads_in_the_money_grow_in_the_last_half_hour(days):
    before = np.mean([stats.in_the_money_spread(parts(ticks)["afternoon"]) for ticks in days])
    late = np.mean([stats.in_the_money_spread(parts(ticks)["last half hour"]) for ticks in days])

    assert before == pytest.approx(50, abs=10)
    assert late == pytest.approx(70, abs=15)
    assert late > before
