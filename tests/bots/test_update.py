from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bots import services
from bots.models import Bot
from sessions.lifecycle import LIVE, TERMINAL
from sessions.models import BotSession
from tests.factories import BotFactory, BotSessionFactory

SINCE = datetime(2026, 5, 1, tzinfo=UTC)


def refusal(response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]


def patch(client, bot, changes: dict):
    return client.patch(f"/api/bots/{bot.pk}", changes)


def test_a_rename_changes_the_name_and_nothing_else(owner, bot):
    before = owner.get(f"/api/bots/{bot.pk}").json()["bot"]

    response = patch(owner, bot, {"name": "Delta-30 — v2"})

    after = response.json()
    assert response.status_code == 200
    assert after.pop("updated_at") > before.pop("updated_at")
    assert after == {**before, "name": "Delta-30 — v2"}
    assert owner.get(f"/api/bots/{bot.pk}").json()["bot"]["name"] == "Delta-30 — v2"


@pytest.mark.parametrize(
    "changes",
    [
        {"description": "new\nlines"},
        {"description": ""},
        {"status": "archived"},
        {"max_daily_loss_pct": "0.0150"},
        {"max_open_positions": 7},
        {"max_open_orders": 7},
        {"data_staleness_threshold_ms": 700},
        {"auto_pause_on_error": False},
        {"error_budget": 7},
    ],
)
def test_each_field_can_be_sent_alone(owner, bot, changes):
    response = patch(owner, bot, changes)

    assert response.status_code == 200
    assert {name: response.json()[name] for name in changes} == changes


def test_an_empty_body_changes_nothing(owner, bot):
    before = owner.get(f"/api/bots/{bot.pk}").json()["bot"]

    response = patch(owner, bot, {})

    assert (response.status_code, response.json()) == (200, before)


def test_reprice_is_merged_value_by_value(owner, bot):
    patch(owner, bot, {"reprice": {"opening": {"max_concession": "0.10"}}})

    reprice = patch(owner, bot, {"reprice": {"closing": {"enabled": False}}}).json()["reprice"]

    assert reprice["opening"]["max_concession"] == "0.10"
    assert reprice["opening"]["nudge_after_seconds"] == 20
    assert reprice["closing"]["enabled"] is False
    assert reprice["closing"]["nudge_after_seconds"] == 15


def test_schedule_is_merged_value_by_value(owner, bot):
    patch(owner, bot, {"schedule": {"weekdays": ["wed", "mon"]}})

    response = patch(owner, bot, {"schedule": {"auto_start": True}})

    assert response.json()["schedule"] == {"auto_start": True, "weekdays": ["mon", "wed"]}


def test_a_session_that_froze_its_policy_keeps_it(owner, bot):
    session = BotSessionFactory(bot=bot)

    response = patch(owner, bot, {"max_daily_loss_pct": "0.0150"})

    assert response.json()["max_daily_loss_pct"] == "0.0150"
    assert BotSession.objects.get(pk=session.pk).policy["max_daily_loss_pct"] == "0.0500"


@pytest.mark.parametrize("field", ["strategy_id", "starting_capital", "engine"])
def test_what_a_bot_was_created_with_cannot_be_changed(owner, bot, field):
    response = patch(owner, bot, {field: "25000", "name": "renamed"})

    assert refusal(response) == (400, "invalid_input")
    assert response.json()["fields"] == {field: ["cannot be changed once the bot exists"]}
    assert Bot.objects.get().name != "renamed"


@pytest.mark.parametrize(
    "field",
    [
        "id",
        "owner",
        "cash_balance",
        "cash_balance_cents",
        "runtime_status",
        "strategy",
        "type",
        "active_session",
        "last_session",
        "created_at",
        "updated_at",
        "policy",
        "auto_start",
        "nmae",
    ],
)
def test_a_field_the_body_does_not_have_is_refused_by_name(owner, bot, field):
    response = patch(owner, bot, {field: "1"})

    assert refusal(response) == (400, "invalid_input")
    assert list(response.json()["fields"]) == [field]
    assert "unknown field" in response.json()["fields"][field][0]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 81),
        ("name", 5),
        ("name", None),
        ("description", None),
        ("description", "x" * 2001),
        ("status", "running"),
        ("status", ""),
        ("status", None),
        ("status", 1),
        ("schedule", None),
        ("schedule", []),
    ],
)
def test_a_wrong_value_is_invalid_input_and_named(owner, bot, field, value):
    response = patch(owner, bot, {field: value})

    assert refusal(response) == (400, "invalid_input")
    assert list(response.json()["fields"]) == [field]


@pytest.mark.parametrize("whole", ["[]", '"bot"', "5", "null", "true", "{"])
def test_a_body_that_is_no_object_is_invalid_input(owner, bot, whole):
    response = owner.patch(f"/api/bots/{bot.pk}", whole, content_type="application/json")

    assert refusal(response) == (400, "invalid_input")


def test_a_taken_name_is_refused(owner, alice, bot):
    BotFactory(owner=alice, name="taken")

    response = patch(owner, bot, {"name": "taken"})

    assert refusal(response) == (409, "name_taken")


def test_a_bots_own_name_is_not_taken(owner, bot):
    response = patch(owner, bot, {"name": bot.name})

    assert response.status_code == 200


def test_an_archived_bot_may_carry_a_taken_name_until_it_comes_back(owner, alice):
    archived = BotFactory(owner=alice, archived=True)
    BotFactory(owner=alice, name="taken")

    renamed = patch(owner, archived, {"name": "taken"})
    revived = patch(owner, archived, {"status": "idle"})
    revived_under_another = patch(owner, archived, {"status": "idle", "name": "free"})

    assert renamed.status_code == 200
    assert refusal(revived) == (409, "name_taken")
    assert revived_under_another.status_code == 200
    assert revived_under_another.json()["runtime_status"] == "idle"


@pytest.mark.parametrize("status", sorted(LIVE))
def test_a_bot_with_a_live_session_is_not_archived(owner, bot, status):
    BotSessionFactory(bot=bot, status=status)

    response = patch(owner, bot, {"status": "archived", "name": "renamed"})

    assert refusal(response) == (409, "bot_has_active_session")
    bot.refresh_from_db()
    assert (bot.status, bot.name == "renamed") == ("idle", False)


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_a_bot_whose_session_ended_is_archived(owner, bot, status):
    BotSessionFactory(bot=bot, status=status)

    response = patch(owner, bot, {"status": "archived"})

    assert (response.status_code, response.json()["status"]) == (200, "archived")


def test_auto_start_remembers_since_when(bot):
    on, later = SINCE, SINCE.replace(day=2)

    services.update_bot(bot=bot, changes={"schedule": {"auto_start": True}}, now=on)
    services.update_bot(bot=bot, changes={"schedule": {"auto_start": True}}, now=later)

    bot.refresh_from_db()
    assert (bot.auto_start, bot.auto_start_since) == (True, on)


def test_switching_auto_start_off_forgets_since_when(alice):
    bot = BotFactory(owner=alice, auto_start=True, auto_start_since=SINCE)

    services.update_bot(bot=bot, changes={"schedule": {"auto_start": False}}, now=SINCE)

    bot.refresh_from_db()
    assert (bot.auto_start, bot.auto_start_since) == (False, None)


def test_a_bot_that_comes_back_from_the_archive_waits_for_the_next_open(alice):
    bot = BotFactory(owner=alice, archived=True, auto_start=True, auto_start_since=SINCE)
    back = SINCE.replace(day=3)

    services.update_bot(bot=bot, changes={"status": "idle"}, now=back)

    bot.refresh_from_db()
    assert bot.auto_start_since == back


def test_an_edit_does_not_touch_a_balance_that_moved_meanwhile(owner, bot):
    stale = Bot.objects.get(pk=bot.pk)
    Bot.objects.filter(pk=bot.pk).update(cash_balance_cents=1)

    services.update_bot(bot=stale, changes={"name": "renamed"}, now=SINCE)

    bot.refresh_from_db()
    assert (bot.name, bot.cash_balance_cents) == ("renamed", 1)
