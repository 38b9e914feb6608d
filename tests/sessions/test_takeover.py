"""Many sessions left at once: runners share them, and load them beside their own work."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from sessions import runner as runner_module
from sessions import services
from sessions.models import BotSession
from tests.sessions import market
from tests.sessions.conftest import drive, put_spread

pytestmark = pytest.mark.django_db


@pytest.fixture
def start(alice, make_bot):
    def started(count: int) -> list[BotSession]:
        bots = [make_bot(put_spread()) for _ in range(count)]
        return [services.start_session(user=alice, bot_id=bot.pk) for bot in bots]

    return started


@pytest.fixture
def schedule(make_bot):
    def scheduled(count: int) -> list[BotSession]:
        day = market.MarketDay.objects.get()
        bots = [make_bot(put_spread()) for _ in range(count)]
        return [
            services.schedule_session(bot=bot, day=day, now=market.from_open(-60)) for bot in bots
        ]

    return scheduled


def test_sessions_at_work_go_on_while_those_of_another_are_loaded(
    open_market, start, runner, monkeypatch
):
    monkeypatch.setattr(runner_module, "LOADING_SECONDS", 0.0)
    driver = runner()
    (own,) = start(1)
    drive(driver)
    start(4)
    driver._claimed_at = 0.0

    progress = []
    for seq in range(2, 5):
        market.publish([market.tick(seq)])
        driver.turn()
        progress.append((BotSession.objects.get(pk=own.pk).last_tick_seq, len(driver._hosted)))

    assert progress == [(2, 2), (3, 3), (4, 4)]


def test_what_a_runner_leaves_is_shared_by_those_with_room(open_market, start, runner, monkeypatch):
    monkeypatch.setattr(runner_module, "CLAIMED_AT_ONCE", 2)
    first, second, left = runner(), runner(), runner()
    start(8)
    drive(left)
    BotSession.objects.update(lease_until=F("lease_until") - timedelta(minutes=1))

    for _ in range(2):
        first.turn()
        second.turn()

    assert (len(first._hosted), len(second._hosted)) == (4, 4)


def test_waiting_for_the_open_costs_no_more_for_more_sessions(schedule, runner):
    market.announce()
    driver = runner()

    def queries_of_a_turn() -> int:
        drive(driver)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            driver.turn()
        return len(asked)

    schedule(1)
    for_one = queries_of_a_turn()
    schedule(5)
    for_six = queries_of_a_turn()
    market.publish([market.tick(1)])
    drive(driver)

    assert for_six == for_one
    assert BotSession.objects.filter(last_tick_seq=1).count() == 6


def test_who_is_asked_for_something_before_the_open_is_looked_at(alice, schedule, runner):
    market.announce()
    waiting, stopped = schedule(2)
    driver = runner()
    drive(driver)

    services.request_stop(user=alice, session=stopped, flatten=False, now=market.from_open(-50))
    driver.turn()

    assert list(driver._hosted) == [stopped.pk]
    assert list(driver._unregistered) == [waiting.pk]
