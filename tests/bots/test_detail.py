from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sessions.lifecycle import LIVE, TERMINAL, Status
from sessions.models import BotSession
from sessions.shapes import session_object
from tests.factories import TODAY, BotFactory, BotSessionFactory

YESTERDAY = TODAY - timedelta(days=1)


def shown(owner, bot) -> dict:
    return owner.get(f"/api/bots/{bot.pk}").json()["bot"]


def stored(session) -> dict:
    return session_object(BotSession.objects.get(pk=session.pk))


def test_a_bot_comes_with_its_sessions_newest_first(owner, bot):
    old = BotSessionFactory(bot=bot, trading_date=YESTERDAY, settled=True)
    new = BotSessionFactory(bot=bot)

    response = owner.get(f"/api/bots/{bot.pk}")

    assert response.status_code == 200
    assert set(response.json()) == {"bot", "sessions"}
    assert response.json()["bot"]["id"] == str(bot.pk)
    assert response.json()["sessions"] == [stored(new), stored(old)]


def test_at_most_ninety_sessions_are_shown(owner, bot):
    for age in range(91):
        BotSessionFactory(bot=bot, trading_date=TODAY - timedelta(days=age), settled=True)

    sessions = owner.get(f"/api/bots/{bot.pk}").json()["sessions"]

    assert len(sessions) == 90
    assert sessions[0]["date"] == TODAY.isoformat()


def test_a_bot_that_never_ran_is_idle_without_sessions(owner, bot):
    answer = shown(owner, bot)

    assert answer["runtime_status"] == "idle"
    assert answer["active_session"] is None
    assert answer["last_session"] is None


@pytest.mark.parametrize("status", sorted(LIVE))
def test_a_live_session_is_the_active_one_and_gives_the_runtime_status(owner, bot, status):
    ended = BotSessionFactory(bot=bot, trading_date=YESTERDAY, status=Status.FAILED)
    live = BotSessionFactory(bot=bot, status=status)

    answer = shown(owner, bot)

    assert answer["runtime_status"] == ("scheduled" if status == "scheduled" else "running")
    assert answer["active_session"] == stored(live)
    assert answer["last_session"] == stored(ended)


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_without_a_live_session_the_latest_one_gives_the_runtime_status(owner, bot, status):
    BotSessionFactory(bot=bot, trading_date=YESTERDAY, settled=True)
    latest = BotSessionFactory(bot=bot, status=status)

    answer = shown(owner, bot)

    assert answer["runtime_status"] == status
    assert answer["active_session"] is None
    assert answer["last_session"] == stored(latest)


def test_an_archived_bot_says_so_whatever_ran_last(owner, alice):
    bot = BotFactory(owner=alice, archived=True)
    BotSessionFactory(bot=bot, settled=True)

    answer = shown(owner, bot)

    assert (answer["status"], answer["runtime_status"]) == ("archived", "archived")


def test_once_the_link_is_deleted_the_strategy_stays(owner, bot):
    bot.strategy_link.delete()

    answer = shown(owner, bot)

    assert answer["strategy_id"] is None
    assert answer["strategy"]["source_hash"] == bot.strategy_id


def test_the_balance_is_the_carried_cash(owner, alice):
    bot = BotFactory(owner=alice, cash_balance_cents=2_531_240)

    answer = shown(owner, bot)

    assert (answer["starting_capital"], answer["cash_balance"]) == ("25000", "25312.40")


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
@pytest.mark.parametrize("path", ["/api/bots/{}", "/api/bots/{}/"])
def test_a_strangers_bot_does_not_exist(stranger, bot, method, path):
    theirs = getattr(stranger, method)(path.format(bot.pk), {} if method == "patch" else None)
    nobodys = getattr(stranger, method)(
        path.format(uuid.uuid4()), {} if method == "patch" else None
    )

    assert (theirs.status_code, theirs.json()["error"]) == (404, "not_found")
    assert theirs.content == nobodys.content


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_without_a_token_there_is_no_bot(anonymous, bot, method):
    response = getattr(anonymous, method)(f"/api/bots/{bot.pk}")

    assert (response.status_code, response.json()["error"]) == (401, "unauthorized")


def test_a_malformed_id_is_not_found(owner):
    response = owner.get("/api/bots/not-a-uuid")

    assert (response.status_code, response.json()["error"]) == (404, "not_found")


def test_the_detail_takes_a_constant_number_of_queries(owner, bot):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            owner.get(f"/api/bots/{bot.pk}")
        return len(captured)

    BotSessionFactory(bot=bot)
    queries()  # the first use of a token is written down
    for_one = queries()
    for age in range(1, 5):
        BotSessionFactory(bot=bot, trading_date=TODAY - timedelta(days=age), settled=True)

    assert queries() == for_one
    assert for_one <= 6
