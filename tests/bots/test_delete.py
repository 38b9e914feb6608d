from __future__ import annotations

import pytest

from bots.models import Bot
from sessions.lifecycle import LIVE, TERMINAL
from sessions.models import BotSession
from strategies.models import StrategyLink
from tests.factories import BotFactory, BotSessionFactory


def test_delete_removes_the_bot_and_its_sessions_and_leaves_the_strategy(owner, alice, bot):
    other = BotFactory(owner=alice)
    BotSessionFactory(bot=bot, settled=True)

    response = owner.delete(f"/api/bots/{bot.pk}")

    assert (response.status_code, response.content) == (204, b"")
    assert list(Bot.objects.all()) == [other]
    assert not BotSession.objects.exists()
    assert StrategyLink.objects.filter(pk=bot.strategy_link_id).exists()


@pytest.mark.parametrize("status", sorted(LIVE))
def test_a_bot_with_a_live_session_is_not_deleted(owner, bot, status):
    BotSessionFactory(bot=bot, status=status)

    response = owner.delete(f"/api/bots/{bot.pk}")

    assert (response.status_code, response.json()["error"]) == (409, "bot_has_active_session")
    assert BotSession.objects.count() == 1


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_a_bot_whose_session_ended_is_deleted_settled_or_not(owner, bot, status):
    BotSessionFactory(bot=bot, status=status)

    response = owner.delete(f"/api/bots/{bot.pk}")

    assert response.status_code == 204


def test_an_archived_bot_is_deleted(owner, alice):
    bot = BotFactory(owner=alice, archived=True)

    response = owner.delete(f"/api/bots/{bot.pk}")

    assert response.status_code == 204


def test_a_second_delete_finds_nothing(owner, bot):
    owner.delete(f"/api/bots/{bot.pk}")

    response = owner.delete(f"/api/bots/{bot.pk}")

    assert (response.status_code, response.json()["error"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["/api/bots", "/api/bots/{}", "/api/bots/{}/summary"])
def test_a_method_that_is_not_there_is_405_with_the_allowed_ones(owner, bot, path):
    response = owner.put(path.format(bot.pk), {})

    assert (response.status_code, response.json()["error"]) == (405, "method_not_allowed")
    assert "GET" in response.headers["Allow"]
