from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sessions.lifecycle import Status
from tests.factories import TODAY, BotFactory, BotSessionFactory, StrategyLinkFactory


def ids(response) -> list[str]:
    return [bot["id"] for bot in response.json()]


def test_the_list_is_a_plain_array_of_bot_objects_newest_first(owner, alice):
    older, newer = BotFactory(owner=alice), BotFactory(owner=alice, archived=True)

    response = owner.get("/api/bots")

    assert response.status_code == 200
    assert ids(response) == [str(newer.pk), str(older.pk)]
    assert response.json()[1] == owner.get(f"/api/bots/{older.pk}").json()["bot"]


def test_without_bots_the_list_is_empty(owner):
    response = owner.get("/api/bots")

    assert (response.status_code, response.json()) == (200, [])


def test_a_strangers_bots_are_not_listed(owner, bob):
    BotFactory(owner=bob)

    response = owner.get("/api/bots")

    assert response.json() == []


def test_without_a_token_there_is_no_list(anonymous):
    response = anonymous.get("/api/bots")

    assert (response.status_code, response.json()["error"]) == (401, "unauthorized")


def test_strategy_id_filters_by_the_link(owner, alice, link):
    mine = BotFactory(owner=alice, strategy_link=link)
    same_program = StrategyLinkFactory(owner=alice)
    BotFactory(owner=alice, strategy_link=same_program)

    response = owner.get("/api/bots", {"strategy_id": str(link.pk)})

    assert ids(response) == [str(mine.pk)]


def test_an_unknown_link_gives_an_empty_array(owner, bot):
    response = owner.get("/api/bots", {"strategy_id": str(uuid.uuid4())})

    assert (response.status_code, response.json()) == (200, [])


def test_a_strangers_link_gives_an_empty_array(owner, bob):
    theirs = BotFactory(owner=bob)

    response = owner.get("/api/bots", {"strategy_id": str(theirs.strategy_link_id)})

    assert (response.status_code, response.json()) == (200, [])


@pytest.mark.parametrize("strategy_id", ["", "x", "1234"])
def test_a_malformed_link_is_invalid_strategy_id(owner, strategy_id):
    response = owner.get("/api/bots", {"strategy_id": strategy_id})

    assert (response.status_code, response.json()["error"]) == (400, "invalid_strategy_id")
    assert list(response.json()["fields"]) == ["strategy_id"]


@pytest.mark.parametrize("status", ["idle", "archived"])
def test_status_filters(owner, alice, status):
    bots = {"idle": BotFactory(owner=alice), "archived": BotFactory(owner=alice, archived=True)}

    response = owner.get("/api/bots", {"status": status})

    assert ids(response) == [str(bots[status].pk)]


@pytest.mark.parametrize("status", ["", "running", "IDLE"])
def test_an_unknown_status_is_invalid_input(owner, status):
    response = owner.get("/api/bots", {"status": status})

    assert (response.status_code, response.json()["error"]) == (400, "invalid_input")
    assert list(response.json()["fields"]) == ["status"]


def test_long_lists_come_in_pages(owner, alice):
    oldest, middle, newest = (BotFactory(owner=alice) for _ in range(3))

    first = owner.get("/api/bots", {"limit": 2})
    second = owner.get(first.headers["Link"].split("<")[1].split(">")[0])

    assert ids(first) == [str(newest.pk), str(middle.pk)]
    assert ids(second) == [str(oldest.pk)]
    assert "Link" not in second.headers


def test_the_list_takes_the_same_number_of_queries_for_one_bot_and_for_many(owner, alice):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            owner.get("/api/bots")
        return len(captured)

    def add_bot_with_sessions() -> None:
        bot = BotFactory(owner=alice)
        BotSessionFactory(bot=bot)
        BotSessionFactory(bot=bot, trading_date=TODAY - timedelta(1), status=Status.KILLED)

    add_bot_with_sessions()
    queries()  # the first use of a token is written down
    for_one = queries()
    for _ in range(4):
        add_bot_with_sessions()

    assert queries() == for_one
    assert for_one <= 4  # the token, the bots, their live and their ended sessions
