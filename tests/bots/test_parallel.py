"""What must hold when requests arrive together: real threads, real transactions."""

from __future__ import annotations

from collections import Counter
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from bots import services
from bots.models import Bot
from sessions.lifecycle import Status
from sessions.models import BotSession
from tests.factories import BotFactory, BotSessionFactory
from tests.parallel import together

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 8


def signed_in(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def code(response) -> str:
    return "ok" if response.status_code < 300 else response.json()["error"]


def test_parallel_creates_of_one_name_make_one_bot(alice, body):
    responses = together([lambda: signed_in(alice).post("/api/bots", body)] * AT_ONCE)

    assert Counter(map(code, responses)) == {"ok": 1, "name_taken": AT_ONCE - 1}
    assert Bot.objects.count() == 1


def test_parallel_retries_with_one_key_make_one_bot_and_identical_answers(alice, body):
    retry = {"Idempotency-Key": "the-same"}

    responses = together(
        [lambda: signed_in(alice).post("/api/bots", body, headers=retry)] * AT_ONCE
    )

    assert {response.status_code for response in responses} == {201}
    assert len({response.content for response in responses}) == 1
    assert Bot.objects.count() == 1


def test_parallel_renames_to_one_name_succeed_once(alice):
    bots = [BotFactory(owner=alice) for _ in range(AT_ONCE)]

    responses = together(
        [
            lambda bot=bot: signed_in(alice).patch(f"/api/bots/{bot.pk}", {"name": "wanted"})
            for bot in bots
        ]
    )

    assert Counter(map(code, responses)) == {"ok": 1, "name_taken": AT_ONCE - 1}


def test_parallel_patches_of_different_fields_lose_none(alice, bot):
    changes = [
        {"name": "renamed"},
        {"description": "described"},
        {"max_open_positions": 77},
        {"max_open_orders": 33},
        {"error_budget": 44},
        {"reprice": {"opening": {"max_concession": "0.55"}}},
        {"reprice": {"closing": {"nudge_after_seconds": 99}}},
        {"schedule": {"weekdays": ["fri"]}},
    ]

    responses = together(
        [
            lambda change=change: signed_in(alice).patch(f"/api/bots/{bot.pk}", change)
            for change in changes
        ]
    )

    final = signed_in(alice).get(f"/api/bots/{bot.pk}").json()["bot"]
    assert {code(response) for response in responses} == {"ok"}
    assert (final["name"], final["description"]) == ("renamed", "described")
    assert (final["max_open_positions"], final["max_open_orders"]) == (77, 33)
    assert final["error_budget"] == 44
    assert final["reprice"]["opening"]["max_concession"] == "0.55"
    assert final["reprice"]["closing"]["nudge_after_seconds"] == 99
    assert final["schedule"]["weekdays"] == ["fri"]


def start_slowly(bot: Bot, is_locked: Barrier) -> None:
    """What a start does: lock the bot, look at it, insert the session."""
    with transaction.atomic():
        locked = Bot.objects.select_for_update().get(pk=bot.pk)
        is_locked.wait()
        connection.cursor().execute("select pg_sleep(0.3)")
        BotSessionFactory(bot=locked, status=Status.REGISTERING)


@pytest.mark.parametrize(("method", "body"), [("delete", None), ("patch", {"status": "archived"})])
def test_neither_a_delete_nor_an_archive_passes_a_start(alice, bot, method, body):
    is_locked = Barrier(2)

    def end() -> Any:
        is_locked.wait()
        return getattr(signed_in(alice), method)(f"/api/bots/{bot.pk}", body)

    _, response = together([lambda: start_slowly(bot, is_locked), end])

    assert code(response) == "bot_has_active_session"
    assert BotSession.objects.filter(bot=bot).count() == 1


def test_a_delete_does_not_wait_for_a_session_that_is_being_registered(alice, bot):
    """Registration takes the bot, then the session: the other way round would be a deadlock."""
    session = BotSessionFactory(bot=bot, status=Status.SCHEDULED)
    is_locked = Barrier(2)

    def register() -> None:
        with transaction.atomic():
            Bot.objects.select_for_update().get(pk=bot.pk)
            is_locked.wait()
            connection.cursor().execute("select pg_sleep(0.3)")
            BotSession.objects.filter(pk=session.pk).update(status=Status.REGISTERING)

    def delete() -> Any:
        is_locked.wait()
        return signed_in(alice).delete(f"/api/bots/{bot.pk}")

    _, response = together([register, delete])

    session.refresh_from_db()
    assert code(response) == "bot_has_active_session"
    assert session.status == Status.REGISTERING


def test_a_link_deleted_while_a_bot_is_created_with_it_leaves_the_bot_its_strategy(alice, link):
    is_locked = Barrier(2)

    def create() -> None:
        with transaction.atomic():
            services.create_bot(
                owner=alice,
                strategy_id=link.pk,
                name="spread",
                starting_capital_cents=2_500_000,
                now=timezone.now(),
            )
            is_locked.wait()
            connection.cursor().execute("select pg_sleep(0.3)")

    def delete() -> Any:
        is_locked.wait()
        return signed_in(alice).delete(f"/api/strategies/{link.pk}")

    _, response = together([create, delete])

    bot = Bot.objects.get()
    assert code(response) == "ok"
    assert (bot.strategy_link_id, bot.strategy_id) == (None, link.strategy_id)


def test_parallel_deletes_remove_the_bot_once(alice, bot):
    BotSessionFactory(bot=bot, settled=True)

    responses = together([lambda: signed_in(alice).delete(f"/api/bots/{bot.pk}")] * AT_ONCE)

    assert Counter(map(code, responses)) == {"ok": 1, "not_found": AT_ONCE - 1}


def test_a_delete_waits_for_a_runner_that_still_settles_the_session(alice, bot):
    session = BotSessionFactory(bot=bot, status=Status.KILLED)
    is_locked = Barrier(2)

    def settle() -> None:
        with transaction.atomic():
            BotSession.objects.filter(pk=session.pk).update(last_tick_seq=1)
            is_locked.wait()
            connection.cursor().execute("select pg_sleep(0.3)")
            Bot.objects.filter(pk=bot.pk).update(cash_balance_cents=1)

    def delete() -> Any:
        is_locked.wait()
        return signed_in(alice).delete(f"/api/bots/{bot.pk}")

    _, response = together([settle, delete])

    assert code(response) == "ok"
    assert not Bot.objects.exists()
