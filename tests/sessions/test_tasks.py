"""The watcher: hints at what nobody owns, and notes the tape of what has settled."""

from __future__ import annotations

import pytest

from common import redis_client
from sessions import hints, services, tasks
from sessions.models import BotSession
from tests.factories import BotSessionFactory
from tests.sessions import market
from tests.sessions.conftest import drive, put_spread

pytestmark = pytest.mark.django_db
DIGEST = "d" * 64


@pytest.fixture
def sent(monkeypatch) -> list[str]:
    """The hints that would go to the broker, whose queue is empty: nobody reads it in tests."""
    redis_client.client().delete(hints.QUEUE)
    found: list[str] = []
    monkeypatch.setattr(hints.current_app, "send_task", lambda name, **options: found.append(name))
    return found


def test_a_session_without_an_owner_is_hinted_at_until_somebody_has_it(
    alice, make_bot, open_market, runner, sent
):
    services.start_session(user=alice, bot_id=make_bot(put_spread()).pk)
    tasks.watch()
    before = list(sent)
    drive(runner())

    tasks.watch()

    assert before == [hints.RUN_SESSIONS]
    assert sent == before


def test_a_queue_that_nobody_reads_gets_no_further_hint(sent):
    """Hints do not expire: a worker with a fast clock would throw them all away."""
    broker = redis_client.client()
    broker.delete(hints.QUEUE)
    hints.hint_runners()
    before = list(sent)
    broker.rpush(hints.QUEUE, *["hint"] * hints.ENOUGH_HINTS)

    hints.hint_runners()

    broker.delete(hints.QUEUE)
    assert before == [hints.RUN_SESSIONS]
    assert sent == before


def test_a_settled_session_gets_the_digest_of_its_day_once_there_is_one(sent):
    market.announce()
    settled = BotSessionFactory(trading_date=market.DAY, settled=True)
    running = BotSessionFactory(trading_date=market.DAY)
    tasks.watch()
    before = BotSession.objects.get(pk=settled.pk).tape_digest

    market.MarketDay.objects.update(tape_digest=DIGEST)
    tasks.watch()

    digests = dict(BotSession.objects.values_list("pk", "tape_digest"))
    assert before == ""
    assert digests == {settled.pk: DIGEST, running.pk: ""}
    assert services.stamp_tapes() == 0  # once is enough


def test_without_a_broker_a_start_still_stands(alice, make_bot, open_market, monkeypatch):
    def refuse(*_given: object, **_options: object) -> None:
        raise hints.OperationalError("no broker")

    monkeypatch.setattr(hints.current_app, "send_task", refuse)

    hints.hint_runners()  # logs, and the watchers or the runners at work find the session

    assert services.start_session(user=alice, bot_id=make_bot(put_spread()).pk).pk
