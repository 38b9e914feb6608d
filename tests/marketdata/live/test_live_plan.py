"""Which live day comes next, whole days of the market process, and what an operator may do."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command

from common.times import to_ms
from marketdata import queries, services
from marketdata.dayrun import Pace
from marketdata.feeds.live import feed as live_feed
from marketdata.feeds.live.vendor import OfficialClose
from marketdata.market import MarketProcess
from marketdata.models import MarketClock
from marketdata.plans import ANNOUNCED_BEFORE, LivePlan
from marketdata.tape import load_tape
from tests.marketdata.factories import A_DAY, CLOSE_AT, OPEN_AT, make_day
from tests.marketdata.live.fakes import LiveWall, ScriptedVendor
from tests.marketdata.live.listener import Listener

pytestmark = pytest.mark.django_db
SOURCE = "live:scripted"
CLOSE_MS = to_ms(CLOSE_AT)


def age_heartbeat(seconds: float = 6) -> None:
    clock = MarketClock.objects.get()
    MarketClock.objects.update(heartbeat_at=clock.heartbeat_at - timedelta(seconds=seconds))


@pytest.fixture
def plan_at(monkeypatch):
    monkeypatch.setattr(live_feed, "VENDORS", {"scripted": ScriptedVendor})
    monkeypatch.setattr("marketdata.plans.VENDORS", {"scripted": ScriptedVendor})

    def make(at: datetime) -> LivePlan:
        return LivePlan("scripted", LiveWall(at))

    return make


@pytest.mark.parametrize(
    ("at", "trading_date"),
    [
        (OPEN_AT - ANNOUNCED_BEFORE - timedelta(seconds=1), None),
        (OPEN_AT - ANNOUNCED_BEFORE, A_DAY),
        (CLOSE_AT - timedelta(seconds=1), A_DAY),
        (CLOSE_AT, None),
        (OPEN_AT + timedelta(days=2), None),  # a Saturday
        (datetime.fromisoformat("2026-12-25T15:00:00Z"), None),
        (datetime.fromisoformat("2026-12-24T17:59:59Z"), date(2026, 12, 24)),
        (datetime.fromisoformat("2026-12-24T18:00:00Z"), None),  # 13:00 on a half day
        (datetime.fromisoformat("2025-01-09T16:00:00Z"), None),  # the one-off closure
    ],
)
def test_the_day_to_run_is_todays_from_its_announcement_to_its_close(plan_at, at, trading_date):
    plan = plan_at(at)

    feed = plan.next_feed(at)

    assert (None if feed is None else feed.trading_date) == trading_date
    assert plan.may_begin_again(at) is (trading_date is not None)


@pytest.mark.parametrize(
    ("day", "after_close", "is_due"),
    [
        ({"source": SOURCE, "status": "closed"}, timedelta(hours=1), True),  # waits for its value
        ({"source": SOURCE, "status": "closed"}, timedelta(hours=3), False),
        (
            {"source": SOURCE, "status": "closed", "settlement_cents": 1},
            timedelta(hours=1),
            False,
        ),
        ({"source": SOURCE, "status": "open"}, timedelta(minutes=1), True),
        ({"source": "synthetic:42", "status": "open"}, timedelta(hours=-1), False),
    ],
)
def test_a_day_that_is_there_already(plan_at, day, after_close, is_due):
    make_day(**day)
    at = CLOSE_AT + after_close

    assert (plan_at(at).next_feed(at) is not None) is is_due


def test_a_day_another_source_has_run_is_said_to_be_taken(plan_at, caplog):
    make_day(source="synthetic:42")

    assert plan_at(OPEN_AT).next_feed(OPEN_AT) is None

    assert "2026-05-07 is already recorded (synthetic:42)" in caplog.text


def test_a_whole_live_day_is_closed_settled_and_packed(monkeypatch, plan_at, tmp_path):
    plan = plan_at(CLOSE_AT - timedelta(seconds=10))
    wall = plan._wall
    listener = Listener(monkeypatch, wall, until=CLOSE_AT + timedelta(seconds=60))
    listener.closes = {CLOSE_AT + timedelta(seconds=30): OfficialClose(A_DAY, 595_187)}
    pace = Pace(speed=1.0, lead_seconds=5.0, pause_seconds=5.0)

    MarketProcess(plan=plan, pace=pace, wall=wall, tape_dir=tmp_path).run()

    day = queries.day(A_DAY)
    tape = load_tape(day.tape_path)
    assert (tape.settlement, tape.source) == ((595_187, "official"), SOURCE)
    assert len(tape.ticks) == day.last_seq == 11
    now = queries.market_now()
    assert (now.phase, now.feed, now.is_healthy) == ("closed", SOURCE, True)
    assert abs(now.at - wall.at) < timedelta(seconds=1)  # the clock goes on after the close


def test_on_a_day_off_the_clock_goes_and_nothing_is_open(monkeypatch, plan_at, tmp_path):
    saturday = OPEN_AT + timedelta(days=2)
    plan = plan_at(saturday)
    wall = plan._wall
    Listener(monkeypatch, wall, until=saturday + timedelta(seconds=5))
    pace = Pace(speed=1.0, lead_seconds=5.0, pause_seconds=5.0)

    MarketProcess(plan=plan, pace=pace, wall=wall, tape_dir=tmp_path).run()

    now = queries.market_now()
    assert (now.day, now.phase, now.is_healthy, now.feed) == (None, "closed", True, SOURCE)
    assert abs(now.at - wall.at) < timedelta(seconds=1)


def test_an_open_day_of_an_earlier_date_is_closed_without_a_guess(monkeypatch, plan_at, tmp_path):
    yesterday = A_DAY - timedelta(days=1)
    make_day(
        trading_date=yesterday,
        status="open",
        source=SOURCE,
        source_options={"kind": "live", "vendor": "scripted"},
        close_at=CLOSE_AT - timedelta(days=1),
    )
    plan = plan_at(OPEN_AT - timedelta(hours=3))
    wall = plan._wall
    Listener(monkeypatch, wall, until=wall.at + timedelta(seconds=2))
    pace = Pace(speed=1.0, lead_seconds=5.0, pause_seconds=5.0)

    MarketProcess(plan=plan, pace=pace, wall=wall, tape_dir=tmp_path).run()

    day = queries.day(yesterday)
    assert (day.status, day.settlement_cents) == ("closed", None)


@pytest.mark.parametrize(
    "words", [("pause",), ("step", "3"), ("speed", "10"), ("loop", "on"), ("resume",)]
)
def test_a_live_market_cannot_be_steered(words):
    day = make_day(source=SOURCE)
    services.keep_time(day=day, market_at=OPEN_AT, speed=1.0)

    with pytest.raises(CommandError, match="runs on the wall clock"):
        call_command("market", *words)


def test_its_status_says_what_it_is(capsys):
    services.keep_time(day=make_day(source=SOURCE), market_at=OPEN_AT, speed=1.0)
    age_heartbeat()

    call_command("market", "status")

    assert capsys.readouterr().out == (
        "live:scripted; open at 2026-05-07T13:30:00.000Z, but the market process gives no sign of"
        " life, or its feed live:scripted is silent\n"
    )
