from datetime import UTC, date, datetime

import pytest

from marketdata import calendar
from marketdata.management.commands.build_calendar import build


@pytest.mark.parametrize(
    ("day", "open_hour", "close_hour"),
    [
        (date(2026, 5, 7), (13, 30), (20, 0)),  # summer time
        (date(2026, 1, 7), (14, 30), (21, 0)),  # winter time
        (date(2026, 3, 9), (13, 30), (20, 0)),  # the Monday after the clocks went forward
        (date(2026, 11, 2), (14, 30), (21, 0)),  # the Monday after they went back
        (date(2026, 11, 27), (14, 30), (18, 0)),  # the day after Thanksgiving
        (date(2026, 12, 24), (14, 30), (18, 0)),
        (date(2023, 7, 3), (13, 30), (17, 0)),
    ],
)
def test_hours_are_new_york_hours_in_utc(day, open_hour, close_hour):
    assert calendar.hours(day) == (
        datetime(day.year, day.month, day.day, *open_hour, tzinfo=UTC),
        datetime(day.year, day.month, day.day, *close_hour, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    "day",
    [
        date(2025, 1, 9),  # a one-off closure
        date(2026, 5, 9),  # a Saturday
        date(2026, 7, 3),  # Independence Day, observed
        date(2026, 11, 26),
        date(2026, 12, 25),
    ],
)
def test_the_exchange_is_closed(day):
    assert calendar.hours(day) is None
    assert not calendar.is_trading_day(day)


def test_the_next_trading_day_steps_over_weekends_and_holidays():
    assert calendar.next_trading_day(date(2026, 11, 25)) == date(2026, 11, 27)
    assert calendar.next_trading_day(date(2026, 11, 27)) == date(2026, 11, 30)
    assert calendar.trading_day_from(date(2026, 11, 27)) == date(2026, 11, 27)
    assert calendar.trading_day_from(date(2026, 11, 28)) == date(2026, 11, 30)


@pytest.mark.parametrize("day", [date(2018, 12, 31), date(2036, 1, 1)])
def test_a_date_outside_the_calendar_is_refused(day):
    with pytest.raises(calendar.OutsideCalendar):
        calendar.hours(day)


def test_the_stored_calendar_is_what_the_package_says():
    built = build(date(2024, 1, 1), date(2026, 12, 31))

    for day in built["closed_weekdays"]:
        assert not calendar.is_trading_day(date.fromisoformat(day))
    for day in built["early_closes"]:
        hours = calendar.hours(date.fromisoformat(day))
        assert hours is not None
        assert hours[1].hour in (17, 18)
