"""A live day in the database: seconds, silence, the close, a settlement that comes late.

The clock is injected: `LiveWall` moves when the market waits. A stand-in for the link's thread
fills the book at each wait.
"""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from django.core.management import call_command

from common.times import to_ms
from marketdata import queries, services, ticklog
from marketdata.feeds.live.feed import LiveFeed
from marketdata.feeds.live.vendor import OfficialClose
from marketdata.liverun import LiveDayRun
from marketdata.models import MarketClock, MarketDay
from tests.marketdata.factories import A_DAY, CLOSE_AT, OPEN_AT, OPEN_MS, make_day
from tests.marketdata.live.fakes import LiveWall, ScriptedVendor
from tests.marketdata.live.listener import Listener

pytestmark = pytest.mark.django_db
SOURCE = "live:scripted"
CLOSE_MS = to_ms(CLOSE_AT)


def run_day(listener, wall, **day):
    feed = LiveFeed(vendor=ScriptedVendor(), trading_date=A_DAY, wall=wall, rng=Random(1))
    row = services.announce_day(feed=feed, now=wall.now())
    MarketDay.objects.filter(pk=A_DAY).update(**day)
    row.refresh_from_db()
    return LiveDayRun(day=row, feed=feed, wall=wall).run()


def ticks_of_day():
    return ticklog.read(A_DAY, 0, 10_000)


def age_heartbeat(seconds: float = 6) -> None:
    clock = MarketClock.objects.get()
    MarketClock.objects.update(heartbeat_at=clock.heartbeat_at - timedelta(seconds=seconds))


def test_a_tick_comes_each_second_on_the_second_from_the_open(monkeypatch):
    wall = LiveWall(OPEN_AT - timedelta(seconds=3, milliseconds=200))
    listener = Listener(monkeypatch, wall, until=OPEN_AT + timedelta(seconds=10))

    is_over = run_day(listener, wall)

    ticks = ticks_of_day()
    assert not is_over
    assert [tick.at_ms for tick in ticks] == [OPEN_MS + 1000 * n for n in range(10)]
    assert [tick.seq for tick in ticks] == list(range(1, 11))
    assert all(0 <= tick.received_ms - tick.at_ms < 50 for tick in ticks)
    assert {phase for at, phase, *_ in listener.seen if at < OPEN_AT} == {"closed", "pre_open"}


def test_a_silent_feed_has_no_ticks_and_gives_no_sign_of_life(monkeypatch):
    wall = LiveWall(OPEN_AT + timedelta(seconds=100))
    listener = Listener(monkeypatch, wall, until=OPEN_AT + timedelta(seconds=130))
    hear = listener.hear

    def cut_off():
        listener.is_up = not 110 <= (wall.at - OPEN_AT).total_seconds() < 120
        if not listener.is_up and MarketClock.objects.exists():
            age_heartbeat(1)  # the database's clock does not wait for ours
        hear()

    wall.on_wait = cut_off

    run_day(listener, wall)

    seconds = {(tick.at_ms - OPEN_MS) // 1000 for tick in ticks_of_day()}
    assert set(range(100, 110)) <= seconds
    assert not seconds & set(range(112, 120))
    assert set(range(121, 129)) <= seconds
    unhealthy = [at for at, _, is_healthy, _ in listener.seen if not is_healthy]
    assert OPEN_AT + timedelta(seconds=118) < max(unhealthy) < OPEN_AT + timedelta(seconds=123)
    assert listener.seen[-1][2]


def test_market_time_is_the_wall_clock_even_without_ticks(monkeypatch):
    wall = LiveWall(OPEN_AT + timedelta(seconds=100))
    listener = Listener(monkeypatch, wall, until=OPEN_AT + timedelta(seconds=110))
    listener.is_up = False

    run_day(listener, wall)

    now = queries.market_now()
    assert (now.phase, now.last_tick_at, now.speed) == ("open", None, 1.0)
    assert abs(now.at - wall.at) < timedelta(seconds=1)


def test_the_last_tick_is_the_closing_one_and_the_day_waits_unsettled(monkeypatch):
    wall = LiveWall(CLOSE_AT - timedelta(seconds=5))
    listener = Listener(monkeypatch, wall, until=CLOSE_AT + timedelta(seconds=30))

    run_day(listener, wall)

    assert ticks_of_day()[-1].at_ms == CLOSE_MS
    day = queries.day(A_DAY)
    assert (day.status, day.settlement_cents, day.settlement_source) == ("closed", None, "")
    assert queries.market_now().phase == "closed"


def test_it_settles_on_the_vendors_final_close_when_that_comes(monkeypatch):
    wall = LiveWall(CLOSE_AT - timedelta(seconds=5))
    listener = Listener(monkeypatch, wall, until=CLOSE_AT + timedelta(hours=1))
    listener.closes = {CLOSE_AT + timedelta(seconds=90): OfficialClose(A_DAY, 595_187)}

    is_over = run_day(listener, wall)

    assert is_over
    assert queries.settlement(A_DAY) == (595_187, "official")
    assert timedelta(seconds=90) <= wall.at - CLOSE_AT < timedelta(seconds=92)


def test_an_operators_value_ends_the_wait_and_the_vendors_does_not_change_it(monkeypatch):
    wall = LiveWall(CLOSE_AT - timedelta(seconds=5))
    listener = Listener(monkeypatch, wall, until=CLOSE_AT + timedelta(hours=1))
    hear = listener.hear

    def enter():
        if wall.at > CLOSE_AT + timedelta(minutes=1) and queries.settlement(A_DAY) is None:
            value = ("settle", "2026-05-07", "5951.00", "--reason", "read from the exchange's page")
            call_command("market", *value)
            listener.closes = {wall.at: OfficialClose(A_DAY, 595_187)}
        hear()

    wall.on_wait = enter

    assert run_day(listener, wall)
    assert queries.settlement(A_DAY) == (595_100, "operator")


def test_nobody_guesses_a_close_and_the_wait_has_an_end(monkeypatch, caplog):
    wall = LiveWall(CLOSE_AT + timedelta(hours=2, minutes=59))
    listener = Listener(monkeypatch, wall, until=CLOSE_AT + timedelta(hours=5))

    is_over = run_day(listener, wall)

    assert is_over
    assert queries.settlement(A_DAY) is None
    assert "no official close yet" in caplog.text


def test_yesterdays_close_settles_yesterday_today(monkeypatch):
    yesterday = A_DAY - timedelta(days=1)
    make_day(trading_date=yesterday, status="closed", source=SOURCE)
    other = A_DAY - timedelta(days=2)
    make_day(trading_date=other, status="closed", source="tape:x")
    wall = LiveWall(OPEN_AT)
    listener = Listener(monkeypatch, wall, until=OPEN_AT + timedelta(seconds=3))
    closes = [OfficialClose(yesterday, 592_345), OfficialClose(other, 1)]
    listener.closes = {OPEN_AT + timedelta(seconds=n): close for n, close in enumerate(closes)}

    run_day(listener, wall)

    assert queries.settlement(yesterday) == (592_345, "official")
    assert queries.settlement(other) is None  # another source's day


def test_a_restart_goes_on_after_the_last_tick(monkeypatch):
    wall = LiveWall(OPEN_AT + timedelta(seconds=10))
    run_day(Listener(monkeypatch, wall, until=OPEN_AT + timedelta(seconds=15)), wall)
    before = ticks_of_day()
    wall.at, wall.is_stopping = OPEN_AT + timedelta(seconds=40), False

    run_day(Listener(monkeypatch, wall, until=OPEN_AT + timedelta(seconds=45)), wall)

    after = ticks_of_day()
    assert [tick.seq for tick in after] == list(range(1, len(after) + 1))
    assert after[len(before)].at_ms >= OPEN_MS + 40_000
