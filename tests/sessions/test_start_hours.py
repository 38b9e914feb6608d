"""When a session may start: one table of instants through the API.

For each instant the market is what the market process makes of it on the wall clock: the exchange
calendar says whether there is a day, the market's clock stands at that second.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from common.times import NEW_YORK
from marketdata import calendar, services
from marketdata.feeds.live.feed import LiveFeed
from marketdata.models import MarketClock, MarketDay
from marketdata.plans import LivePlan
from tests.factories import PROGRAM
from tests.marketdata.live.fakes import LiveWall, ScriptedVendor

pytestmark = pytest.mark.django_db
STARTS = (201, None)
OUTSIDE = (422, "outside_rth")
UNAVAILABLE = (503, "live_trading_unavailable")
FEED = "live:scripted"


@pytest.fixture(autouse=True)
def scripted_vendor(monkeypatch):
    monkeypatch.setattr("marketdata.plans.VENDORS", {"scripted": ScriptedVendor})


def market_at(day: str, time: str, *, silent_seconds: float = 0) -> None:
    """The market at that New York time: today's day if the exchange trades, announced in time."""
    at = datetime.fromisoformat(f"{day} {time}").replace(tzinfo=NEW_YORK)
    hours = calendar.hours(date.fromisoformat(day))
    row = None
    if hours is not None:
        plan = LivePlan("scripted", LiveWall(hours[0]))
        feed = plan.next_feed(hours[0])
        assert isinstance(feed, LiveFeed)
        row = services.announce_day(feed=feed, now=hours[0])
    services.keep_time(day=row, market_at=at, speed=1.0, feed=FEED)
    clock = MarketClock.objects.get()
    silent_since = clock.heartbeat_at - timedelta(seconds=silent_seconds)
    MarketClock.objects.update(heartbeat_at=silent_since)


def start(client, bot):
    response = client.post(f"/api/bots/{bot.pk}/sessions")
    return response.status_code, response.json().get("error")


@pytest.mark.parametrize(
    ("day", "time", "answer"),
    [
        # An ordinary Thursday, in summer and in winter time, and the Mondays after the changes.
        ("2026-05-07", "09:29:59", OUTSIDE),
        ("2026-05-07", "09:29:59.999", OUTSIDE),
        ("2026-05-07", "09:30:00", STARTS),
        ("2026-05-07", "15:59:59", STARTS),
        ("2026-05-07", "15:59:59.999", STARTS),
        ("2026-05-07", "16:00:00", OUTSIDE),
        ("2026-05-07", "03:00:00", OUTSIDE),
        ("2026-05-07", "20:00:00", OUTSIDE),
        ("2026-12-03", "09:29:59", OUTSIDE),
        ("2026-12-03", "09:30:00", STARTS),
        ("2026-12-03", "15:59:59", STARTS),
        ("2026-12-03", "16:00:00", OUTSIDE),
        ("2026-03-09", "09:30:00", STARTS),
        ("2026-03-09", "16:00:00", OUTSIDE),
        ("2026-11-02", "09:29:59", OUTSIDE),
        ("2026-11-02", "15:59:59", STARTS),
        # Half days: the day after Thanksgiving, the day before Christmas.
        ("2026-11-27", "09:30:00", STARTS),
        ("2026-11-27", "12:59:59", STARTS),
        ("2026-11-27", "13:00:00", OUTSIDE),
        ("2026-11-27", "15:59:59", OUTSIDE),
        ("2026-12-24", "09:29:59", OUTSIDE),
        ("2026-12-24", "09:30:00", STARTS),
        ("2026-12-24", "12:59:59", STARTS),
        ("2026-12-24", "13:00:00", OUTSIDE),
        # Closed: holidays, one of them observed on a Friday, a weekend, the one-off closure.
        ("2026-11-26", "11:00:00", OUTSIDE),
        ("2026-12-25", "11:00:00", OUTSIDE),
        ("2026-07-03", "11:00:00", OUTSIDE),
        ("2026-05-09", "11:00:00", OUTSIDE),
        ("2026-05-10", "11:00:00", OUTSIDE),
        ("2025-01-09", "09:30:00", OUTSIDE),
        ("2025-01-09", "15:59:59", OUTSIDE),
        ("2025-01-10", "09:30:00", STARTS),
    ],
)
def test_a_session_starts_in_the_exchanges_regular_hours_only(
    alice, client_for, make_bot, day, time, answer
):
    market_at(day, time)

    assert start(client_for(alice), make_bot(PROGRAM)) == answer


@pytest.mark.parametrize(
    ("day", "time", "silent_seconds", "answer"),
    [
        ("2026-05-07", "11:00:00", 4, STARTS),
        ("2026-05-07", "11:00:00", 6, UNAVAILABLE),
        ("2026-05-07", "09:30:00", 3_600, UNAVAILABLE),
        ("2026-12-24", "12:59:59", 6, UNAVAILABLE),
        # Outside regular hours that is said first (contract.md section 5).
        ("2026-05-07", "09:29:59", 6, OUTSIDE),
        ("2026-12-24", "13:00:00", 6, OUTSIDE),
        ("2026-05-09", "11:00:00", 6, OUTSIDE),
    ],
)
def test_a_feed_that_is_down_or_silent_is_unavailable(
    alice, client_for, make_bot, day, time, silent_seconds, answer
):
    market_at(day, time, silent_seconds=silent_seconds)

    assert start(client_for(alice), make_bot(PROGRAM)) == answer


def test_where_no_market_ever_ran_nothing_is_open(alice, client_for, make_bot):
    assert start(client_for(alice), make_bot(PROGRAM)) == OUTSIDE


def test_a_day_that_closed_early_for_good_is_closed_whatever_its_hours_say(
    alice, client_for, make_bot
):
    market_at("2026-05-07", "11:00:00")
    MarketDay.objects.update(status=MarketDay.Status.CLOSED)

    assert start(client_for(alice), make_bot(PROGRAM)) == OUTSIDE


def test_the_wall_clock_does_not_matter(alice, client_for, make_bot, time_machine):
    """A tape of May runs on a Sunday in November: the market's own clock decides."""
    time_machine.move_to("2026-11-22T23:00:00Z", tick=True)
    market_at("2026-05-07", "11:00:00")

    assert start(client_for(alice), make_bot(PROGRAM)) == STARTS


def test_the_session_belongs_to_the_markets_trading_day(alice, client_for, make_bot):
    market_at("2026-12-24", "12:59:59")
    bot = make_bot(PROGRAM)

    started = client_for(alice).post(f"/api/bots/{bot.pk}/sessions").json()

    assert started["date"] == "2026-12-24"
    assert started["created_at"] == "2026-12-24T17:59:59.000Z"
