from datetime import date

import numpy as np
import pytest

from common.times import to_ms
from marketdata.feeds.scenarios import HALT_AT, HALT_SECONDS, SCENARIOS
from marketdata.feeds.synthetic import SyntheticFeed
from marketdata.models import MarketDay
from marketdata.plans import SyntheticPlan
from marketdata.validate import Validator
from simengine.market import MISSING
from tests.marketdata.factories import WALL, as_tuple, make_day

MONDAY = date(2026, 11, 23)
SEEDS = range(12)


def paths(scenario):
    """Spot over the previous close, less one, of some days."""
    return [
        SyntheticFeed(seed, MONDAY, scenario=scenario)._path.cents / 600_000 - 1 for seed in SEEDS
    ]


def of_day(path):
    """The day's own returns, without the gap."""
    return (path + 1) / (path[0] + 1) - 1


def volatility(path):
    return np.sqrt((np.diff(np.log(path[::60] + 1)) ** 2).sum())


def test_a_calm_day_moves_half_as_much_as_a_normal_one():
    calm = np.mean([volatility(path) for path in paths("calm")])
    normal = np.mean([volatility(path) for path in paths("normal")])

    assert calm == pytest.approx(0.5 * normal, rel=0.1)


def test_a_trending_day_rises_by_about_one_and_a_half_percent():
    for path in paths("trend-up"):
        day = of_day(path)
        assert 0.004 < day[-1] < 0.026
        assert day[-1] > day[len(day) // 2] - 0.004
        assert day.min() > -0.008


def test_a_selloff_falls_most_after_a_third_of_the_day_and_options_get_dearer():
    falls = [of_day(path) for path in paths("selloff")]

    assert np.mean([day[-1] for day in falls]) == pytest.approx(-0.026, abs=0.008)
    assert all(day.min() < -0.012 for day in falls)
    assert all(day[20_000] < day[7_000] for day in falls)
    feed = SyntheticFeed(1, MONDAY, scenario="selloff")
    normal = SyntheticFeed(1, MONDAY)
    assert feed._at_the_money[18_000] > 1.4 * normal._at_the_money[18_000]


def test_a_pinned_day_closes_within_three_points_of_a_round_strike():
    for seed in SEEDS:
        cents = SyntheticFeed(seed, MONDAY, scenario="pin")._path.cents
        strike = round(int(cents[-1]) / 2_500) * 2_500
        assert np.abs(cents[-1_800:] - strike).max() < 400
        assert abs(cents[-1] - strike) < 300


def test_a_whipsaw_day_turns_round_several_times_and_goes_nowhere():
    for path in paths("whipsaw"):
        day = of_day(path)
        assert day[1_950] > 0.002  # the first top
        assert day[5_850] < day[1_950] - 0.006
        assert day[9_750] > day[5_850] + 0.006
        assert abs(day[-1]) < 0.02


@pytest.mark.parametrize("seed", SEEDS)
def test_a_halt_comes_at_seven_percent_and_lasts_a_quarter_of_an_hour(seed):
    feed = SyntheticFeed(seed, MONDAY, scenario="halt")

    path, halt = feed._path.cents, feed._path.halt

    assert len(halt) == HALT_SECONDS
    assert path[halt.start - 1] > 600_000 * (1 + HALT_AT) >= path[halt.start] - 1
    assert len(set(path[halt.start : halt.stop].tolist())) == 1
    assert path.min() > 600_000 * 0.9
    assert feed._strikes[0] < path.min() - 5_000


def test_nothing_is_quoted_during_a_halt_and_the_market_opens_anew_after_it():
    feed = SyntheticFeed(3, MONDAY, scenario="halt")
    halt = feed._path.halt
    ticks = feed.ticks(halt.start)

    during = [next(ticks) for _ in range(HALT_SECONDS)]
    after = [next(ticks) for _ in range(600)]

    for tick in during:
        columns = (tick.call_bid_cents, tick.call_ask_cents, tick.put_bid_cents, tick.put_delta_e4)
        assert all(set(column) == {MISSING} for column in columns)
        assert tick.expected_move_cents is None
    near = [
        row
        for row, strike in enumerate(after[0].strikes_cents)
        if abs(strike - after[0].spot_cents) < 5_000
    ]
    missing = [sum(tick.call_bid_cents[row] == MISSING for row in near) for tick in after]
    assert 0 < missing[0] < len(near)
    assert missing[-1] == 0
    assert after[0].expected_move_cents > 0


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_every_scenario_is_the_same_bytes_again_and_reached_anywhere(scenario):
    feed = SyntheticFeed(5, date(2026, 11, 27), scenario=scenario)
    ticks = [as_tuple(tick) for tick in feed.ticks(11_000)]

    again = SyntheticFeed(5, date(2026, 11, 27), scenario=scenario)

    assert ticks == [as_tuple(tick) for tick in again.ticks(11_000)]
    assert to_ms(feed.close_at) - ticks[-1][1] <= (0 if scenario != "bad-data" else 95_000)


def test_an_unknown_scenario_is_refused():
    with pytest.raises(ValueError, match="'boom' is none of normal, calm"):
        SyntheticFeed(1, MONDAY, scenario="boom")


def test_bad_data_has_every_fault_and_the_gate_stops_them_all():
    feed = SyntheticFeed(2, MONDAY, scenario="bad-data")
    gate = Validator(open_ms=to_ms(feed.open_at), close_ms=to_ms(feed.close_at))
    raw = [tick for tick, _ in zip(feed.ticks(0), range(8_000), strict=False)]

    passed = list(gate.clean(raw))

    assert 0.97 < len(passed) / len(raw) < 0.99
    assert [tick.seq for tick in passed] == list(range(1, len(passed) + 1))
    said = " ".join(gate.counts)
    for fault in ("time does not grow", "no usable spot", "leaps", "crossed", "grid", "impossible"):
        assert fault in said
    gaps = np.diff([tick.at_ms for tick in passed])
    assert gaps.min() == 1_000
    assert gaps.max() > 10_000
    for tick in passed[::53]:
        for bids, asks in (
            (tick.call_bid_cents, tick.call_ask_cents),
            (tick.put_bid_cents, tick.put_ask_cents),
        ):
            pairs = zip(bids, asks, strict=True)
            assert all(MISSING in pair or 0 <= pair[0] <= pair[1] for pair in pairs)


@pytest.mark.django_db
def test_half_days_follow_each_other_on_the_calendar():
    plan = SyntheticPlan(seed=1, start_date=date(2026, 11, 2), scenario="half-day")

    first = plan.next_feed(WALL)
    make_day(
        trading_date=first.trading_date, source=first.source, status="closed", settlement_cents=1
    )
    second = plan.next_feed(WALL)

    assert (first.trading_date, second.trading_date) == (date(2026, 11, 27), date(2026, 12, 24))
    assert first.seconds == 3.5 * 3600


@pytest.mark.django_db
def test_a_day_of_another_scenario_is_not_gone_on_with():
    make_day(source="synthetic:1/selloff", status="open")
    day = MarketDay.objects.get()

    assert SyntheticPlan(seed=1, start_date=None, scenario="selloff").may_resume(day)
    assert not SyntheticPlan(seed=1, start_date=None).may_resume(day)
    assert not SyntheticPlan(seed=1, start_date=None, scenario="pin").may_resume(day)


@pytest.mark.django_db
def test_an_unfinished_day_is_gone_on_with_in_its_scenario():
    feed = SyntheticFeed(1, MONDAY, scenario="selloff")
    make_day(
        trading_date=MONDAY, source=feed.source, source_options=feed.source_options, status="open"
    )

    again = SyntheticPlan(seed=1, start_date=None, scenario="selloff").next_feed(WALL)

    assert again == feed
