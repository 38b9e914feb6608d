from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.utils import timezone

from bots import queries, services, tasks
from bots.models import Bot
from common.errors import Conflict
from marketdata.models import MarketClock, MarketDay
from sessions.lifecycle import Status
from sessions.models import BotSession
from tests.factories import TODAY, BotFactory, BotSessionFactory, UserFactory, at_new_york_noon

THURSDAY = TODAY
NOON = at_new_york_noon(THURSDAY)
FIRST_TICK = NOON - timedelta(hours=2, minutes=30)


def market_day(trading_date: date = THURSDAY, **fields) -> MarketDay:
    opening = at_new_york_noon(trading_date) - timedelta(hours=2, minutes=30)
    return MarketDay.objects.create(
        trading_date=trading_date,
        source="synthetic:1",
        open_at=opening,
        close_at=opening + timedelta(hours=6, minutes=30),
        announced_at=opening - timedelta(minutes=1),
        **fields,
    )


def open_day() -> MarketDay:
    return market_day(status=MarketDay.Status.OPEN, opened_at=FIRST_TICK)


def auto_bot(since: datetime = FIRST_TICK, **fields):
    return BotFactory(auto_start=True, auto_start_since=since, **fields)


@pytest.fixture(autouse=True)
def database(db) -> None:
    """Every test here reads rows."""


def test_a_bot_with_auto_start_is_due_before_the_open():
    bot = auto_bot()

    assert list(queries.due_for_auto_start(market_day())) == [bot]


@pytest.mark.parametrize(
    "fields",
    [
        {"auto_start": False},
        {"weekdays": ["mon", "tue", "wed", "fri"]},
        {"status": "archived"},
    ],
)
def test_a_bot_that_does_not_start_by_itself_that_day_is_not_due(fields):
    BotFactory(**{"auto_start": True, "auto_start_since": FIRST_TICK, **fields})

    assert not queries.due_for_auto_start(market_day())


def test_a_bot_of_a_user_who_was_shut_out_is_not_due():
    auto_bot(owner=UserFactory(is_active=False))

    assert not queries.due_for_auto_start(market_day())


@pytest.mark.parametrize(
    ("age", "weekday"), list(enumerate(["mon", "tue", "wed", "thu", "fri"], start=-3))
)
def test_each_weekday_is_its_own(age, weekday):
    bot = auto_bot(weekdays=[weekday])

    due = queries.due_for_auto_start(market_day(THURSDAY + timedelta(days=age)))

    assert list(due) == [bot]


@pytest.mark.parametrize(("late_ms", "is_due"), [(-1, True), (0, True), (1, False)])
def test_switched_on_after_the_first_tick_a_bot_waits_for_the_next_day(late_ms, is_due):
    auto_bot(since=FIRST_TICK + timedelta(milliseconds=late_ms))

    assert queries.due_for_auto_start(open_day()).exists() is is_due


def test_switched_on_before_the_first_tick_a_bot_is_due_however_late_it_is_looked_at():
    bot = auto_bot(since=NOON + timedelta(days=1))

    assert list(queries.due_for_auto_start(market_day())) == [bot]


def test_a_closed_day_starts_nobody():
    auto_bot()
    day = market_day(status=MarketDay.Status.CLOSED, opened_at=FIRST_TICK)

    assert not queries.due_for_auto_start(day)


@pytest.mark.parametrize("status", Status.values)
def test_a_bot_that_has_a_session_that_day_is_not_due(status):
    BotSessionFactory(bot=auto_bot(), status=status)

    assert not queries.due_for_auto_start(market_day())


def test_a_session_of_another_day_does_not_count():
    bot = auto_bot()
    BotSessionFactory(bot=bot, trading_date=THURSDAY - timedelta(days=1), settled=True)

    assert list(queries.due_for_auto_start(market_day())) == [bot]


def test_scheduling_a_day_twice_makes_one_scheduled_session_a_bot():
    bots = {auto_bot().pk, auto_bot().pk}
    BotFactory()
    day = market_day()

    made, made_again = (services.schedule_day(day=day, now=NOON) for _ in range(2))

    assert {session.bot_id for session in made} == bots
    assert made_again == []
    assert set(BotSession.objects.values_list("bot_id", "status", "trading_date")) == {
        (bot, Status.SCHEDULED, THURSDAY) for bot in bots
    }


def test_a_bot_that_cannot_be_scheduled_does_not_keep_the_others_back(monkeypatch):
    refused, scheduled = sorted([auto_bot(), auto_bot()], key=lambda bot: bot.pk)

    def schedule_session(*, bot, day, now):
        if bot == refused:
            raise Conflict("not this one")
        return BotSessionFactory(bot=bot)

    monkeypatch.setattr(services.session_services, "schedule_session", schedule_session)

    made = services.schedule_day(day=market_day(), now=NOON)

    assert [session.bot_id for session in made] == [scheduled.pk]


def test_a_bot_that_was_archived_since_the_list_was_read_is_left_alone(monkeypatch):
    bot = auto_bot()
    due = queries.due_for_auto_start

    def due_and_then_archived(day):
        listed = list(due(day))
        Bot.objects.filter(pk=bot.pk).update(status=Bot.Status.ARCHIVED)
        monkeypatch.setattr(queries, "due_for_auto_start", due)
        return listed

    monkeypatch.setattr(queries, "due_for_auto_start", due_and_then_archived)

    made = services.schedule_day(day=market_day(), now=NOON)

    assert made == []
    assert not BotSession.objects.exists()


def test_the_task_schedules_the_day_of_the_market_clock():
    bot = auto_bot()
    MarketClock.objects.create(
        day=market_day(), feed="synthetic:1", market_at=NOON, heartbeat_at=timezone.now()
    )

    tasks.schedule_day(an_argument_of_a_newer_beat=True)

    assert BotSession.objects.get().bot_id == bot.pk


def test_without_a_market_the_task_schedules_nothing():
    auto_bot()

    tasks.schedule_day()

    assert not BotSession.objects.exists()
