"""The edges of trading days, by the calendar and to the second: what may start when."""

from datetime import date, datetime, time, timedelta

import pytest

from common.times import NEW_YORK, to_ms
from marketdata import queries, services
from marketdata.feeds.synthetic import SyntheticFeed
from marketdata.plans import SyntheticPlan
from marketdata.validate import Validator
from tests.marketdata.factories import WALL, make_day, make_tick

pytestmark = pytest.mark.django_db

FULL = [date(2026, 5, 7), date(2026, 1, 7), date(2026, 3, 9), date(2026, 11, 2)]
HALF = [date(2026, 11, 27), date(2026, 12, 24), date(2023, 7, 3)]


def announced(day):
    return services.announce_day(feed=SyntheticFeed(42, day), now=WALL)


def phase(day, clock):
    at = datetime.combine(day.trading_date, time.fromisoformat(clock), NEW_YORK)
    services.keep_time(day=day, market_at=at, speed=1.0)
    return queries.market_now().phase


@pytest.mark.parametrize("trading_date", FULL)
def test_a_full_day_is_open_from_half_past_nine_up_to_four(trading_date):
    day = announced(trading_date)

    clocks = ("09:29:59", "09:30:00", "13:00:00", "15:59:59", "16:00:00")
    assert [phase(day, clock) for clock in clocks] == [
        "pre_open",
        "open",
        "open",
        "open",
        "closed",
    ]


@pytest.mark.parametrize("trading_date", HALF)
def test_a_half_day_is_open_up_to_one(trading_date):
    day = announced(trading_date)

    clocks = ("09:29:59", "09:30:00", "12:59:59", "13:00:00", "15:59:59")
    assert [phase(day, clock) for clock in clocks] == [
        "pre_open",
        "open",
        "open",
        "closed",
        "closed",
    ]


def test_a_day_that_was_closed_is_not_open_again_whatever_the_clock_says():
    day = announced(date(2026, 5, 7))
    services.close_day(day=day, settlement=None, now=WALL)

    assert phase(day, "10:00:00") == "closed"


@pytest.mark.parametrize("trading_date", [FULL[0], *HALF])
def test_the_first_tick_is_the_opening_second_and_the_last_the_closing_one(trading_date):
    feed = SyntheticFeed(42, trading_date)

    first = next(feed.ticks(0))
    *_, last = feed.ticks(feed.seconds - 5)

    hour = 13 if trading_date in HALF else 16
    assert first.at_ms == to_ms(datetime(*trading_date.timetuple()[:3], 9, 30, tzinfo=NEW_YORK))
    assert last.at_ms == to_ms(datetime(*trading_date.timetuple()[:3], hour, tzinfo=NEW_YORK))
    assert last.seq == feed.seconds + 1


@pytest.mark.parametrize(
    ("offset_ms", "is_taken"), [(-1, False), (0, True), (12_600_000, True), (12_600_001, False)]
)
def test_a_tick_beyond_the_hours_of_a_half_day_is_refused(offset_ms, is_taken):
    feed = SyntheticFeed(42, HALF[0])
    gate = Validator(open_ms=to_ms(feed.open_at), close_ms=to_ms(feed.close_at))

    tick = gate.accept(make_tick(1, at_ms=to_ms(feed.open_at) + offset_ms))

    assert (tick is not None) is is_taken


@pytest.mark.parametrize(
    ("closed_day", "following"),
    [
        (date(2025, 1, 9), date(2025, 1, 10)),  # a national day of mourning
        (date(2026, 5, 9), date(2026, 5, 11)),  # a Saturday
        (date(2026, 5, 10), date(2026, 5, 11)),  # a Sunday
        (date(2026, 7, 3), date(2026, 7, 6)),  # Independence Day, observed
        (date(2026, 11, 26), date(2026, 11, 27)),  # Thanksgiving
        (date(2026, 12, 25), date(2026, 12, 28)),
    ],
)
def test_a_market_started_on_a_closed_day_runs_the_following_one(closed_day, following):
    by_clock = SyntheticPlan(seed=1, start_date=None).next_feed(
        datetime(*closed_day.timetuple()[:3], 11, tzinfo=NEW_YORK)
    )
    by_option = SyntheticPlan(seed=1, start_date=closed_day).next_feed(WALL)

    assert (by_clock.trading_date, by_option.trading_date) == (following, following)
    with pytest.raises(ValueError, match="closed"):
        SyntheticFeed(1, closed_day)


def test_the_days_around_a_one_off_closure_follow_each_other():
    make_day(trading_date=date(2025, 1, 8), status="closed", settlement_cents=591_825)

    feed = SyntheticPlan(seed=1, start_date=None).next_feed(WALL)

    assert feed.trading_date == date(2025, 1, 10)
    assert feed.open_at - timedelta(days=2) == SyntheticFeed(1, date(2025, 1, 8)).open_at
