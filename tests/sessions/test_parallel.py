"""Starts that race: whatever the interleaving, a bot has one session a day."""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest

from bots import services as bot_services
from sessions.models import BotSession
from tests.factories import PROGRAM
from tests.parallel import together
from tests.sessions import market

pytestmark = pytest.mark.django_db(transaction=True)

STARTERS = 20


@pytest.fixture
def bot(alice, make_bot):
    market.announce()
    market.publish([market.tick(1)])
    return make_bot(PROGRAM)


def test_twenty_parallel_starts_make_one_session(alice, client_for, bot):
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
