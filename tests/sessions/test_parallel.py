"""Starts that race: whatever the interleaving, a bot has one session a day."""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest

from bots import services as bot_services
from sessions import services
from sessions.models import BotSession
from tests.factories import PROGRAM
from tests.parallel import together
from tests.sessions import market
from tests.sessions.conftest import drive, put_spread

pytestmark = pytest.mark.django_db(transaction=True)

STARTERS = 50


@pytest.fixture
def bot(alice, make_bot):
    market.announce()
    market.publish([market.tick(1)])
    return make_bot(PROGRAM)


def test_fifty_parallel_starts_make_one_session(alice, client_for, bot):
    clients = [client_for(alice) for _ in range(STARTERS)]

    answers = together(partial(client.post, f"/api/bots/{bot.pk}/sessions") for client in clients)

    codes = Counter(answer.json().get("error", "started") for answer in answers)
    assert codes == {"started": 1, "bot_not_idle": STARTERS - 1}
    assert BotSession.objects.count() == 1


def test_one_idempotency_key_under_parallel_retries_is_one_effect(alice, client_for, bot):
    clients = [client_for(alice) for _ in range(5)]

    answers = together(
        partial(client.post, f"/api/bots/{bot.pk}/sessions", headers={"Idempotency-Key": "retry"})
        for client in clients
    )

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert BotSession.objects.count() == 1


def test_delete_against_start_leaves_either_a_bot_with_a_session_or_nothing(alice, client_for, bot):
    starter, deleter = client_for(alice), client_for(alice)

    started, deleted = together(
        [
            lambda: starter.post(f"/api/bots/{bot.pk}/sessions").status_code,
            lambda: deleter.delete(f"/api/bots/{bot.pk}").status_code,
        ]
    )

    assert (started, deleted) in {(201, 409), (404, 204)}
    assert BotSession.objects.count() == (1 if started == 201 else 0)


def test_the_scheduler_and_a_start_make_one_session(alice, client_for, bot):
    bot.auto_start = True
    bot.save()
    client = client_for(alice)
    day = market.MarketDay.objects.get()

    together(
        [
            lambda: client.post(f"/api/bots/{bot.pk}/sessions"),
            lambda: bot_services.schedule_day(day=day, now=market.OPEN_AT),
        ]
    )

    assert BotSession.objects.filter(bot=bot).count() == 1


FILLING_TICK = 27  # where the resting spread of `put_spread` crosses, left alone


@pytest.fixture
def resting(alice, make_bot, runner):
    """A session whose one order rests and fills on the next tick, and the runner that drives it."""
    market.announce()
    market.publish([market.tick(1)])
    session = services.start_session(user=alice, bot_id=make_bot(put_spread()).pk)
    driver = runner()
    market.publish([market.tick(seq) for seq in range(2, FILLING_TICK)])
    drive(driver)
    assert session.orders.get().status == "pending"
    return session, driver


def the_tick_that_fills(driver):
    market.publish([market.tick(FILLING_TICK)])
    drive(driver)


def outcome(session):
    """(the order's status, whether it has transactions, whether there is a position)"""
    status = session.orders.get().status
    return status, session.transactions.exists(), session.positions.exists()


def cancel_all(client, session):
    return client.post(f"/api/bots/{session.bot_id}/sessions/{session.pk}/cancel-all-orders")


def test_without_a_cancel_the_order_fills(resting):
    session, driver = resting

    the_tick_that_fills(driver)

    assert outcome(session) == ("filled", True, True)


def test_a_cancel_before_the_tick_that_would_fill_wins(alice, client_for, resting):
    session, driver = resting

    cancel_all(client_for(alice), session)
    the_tick_that_fills(driver)

    assert outcome(session) == ("canceled", False, False)


@pytest.mark.parametrize("attempt", range(5))
def test_a_cancel_against_a_fill_is_one_of_the_two(alice, client_for, resting, attempt):
    session, driver = resting
    client = client_for(alice)

    answer, _ = together(
        [partial(cancel_all, client, session), partial(the_tick_that_fills, driver)]
    )
    market.publish([market.tick(FILLING_TICK + 1)])
    drive(driver)

    session.refresh_from_db()
    assert answer.status_code == 202
    assert outcome(session) in {("canceled", False, False), ("filled", True, True)}
    assert session.status == "running"
    assert not session.requests.filter(obeyed_seq=None).exists()
