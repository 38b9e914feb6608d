from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis.strategies import integers

from common.times import from_ms, new_york_midnight_ms, rfc3339, rfc3339_or_none, to_ms


def test_times_are_written_in_utc_with_milliseconds():
    at = datetime(2026, 5, 7, 10, 30, 1, 999_999, tzinfo=timezone(timedelta(hours=-4)))

    assert rfc3339(at) == "2026-05-07T14:30:01.999Z"


def test_no_time_stays_no_time():
    assert rfc3339_or_none(None) is None


@given(integers(0, 4_000_000_000_000))
def test_milliseconds_survive_the_way_there_and_back(ms):
    assert to_ms(from_ms(ms)) == ms


def test_from_ms_is_exact_below_a_second():
    assert from_ms(1_778_164_201_007) == datetime(2026, 5, 7, 14, 30, 1, 7000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "hour"), [(date(2026, 1, 5), 5), (date(2026, 7, 6), 4), (date(2026, 11, 1), 4)]
)
def test_a_new_york_day_begins_at_its_own_midnight(day, hour):
    midnight = from_ms(new_york_midnight_ms(day))

    assert midnight == datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
