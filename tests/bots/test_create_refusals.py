"""Every refusal of POST /bots: the code, the fields it names, and the order of the checks."""

from __future__ import annotations

import json
import uuid

import pytest

from bots.models import Bot
from strategies.models import StrategyLink
from tests.factories import BotFactory, StrategyLinkFactory


def refusal(response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]


def test_without_a_token_nothing_is_created(anonymous, body):
    response = anonymous.post("/api/bots", body)

    assert refusal(response) == (401, "unauthorized")
    assert not Bot.objects.exists()


@pytest.mark.parametrize("missing", ["strategy_id", "name", "starting_capital"])
def test_a_missing_required_field_is_invalid_input_and_named(owner, body, missing):
    del body[missing]

    response = owner.post("/api/bots", body)

    assert refusal(response) == (400, "invalid_input")
    assert list(response.json()["fields"]) == [missing]


@pytest.mark.parametrize("strategy_id", ["", "a1b2c3d4", "not-a-uuid", 7, True, None, [], {}, 1.5])
def test_a_malformed_strategy_id_is_invalid_strategy_id(owner, body, strategy_id):
    response = owner.post("/api/bots", {**body, "strategy_id": strategy_id})

    assert refusal(response) == (400, "invalid_strategy_id")
    assert list(response.json()["fields"]) == ["strategy_id"]


@pytest.mark.parametrize(
    "capital",
    [
        "999.99",
        "1000000000.01",
        "0",
        "-25000",
        "1000.001",
        "",
        "abc",
        "NaN",
        "Infinity",
        "1e6",
        "25_000",
        "٢٥٠٠٠",
        None,
        True,
        [],
        {},
        10**400,
    ],
)
def test_a_wrong_starting_capital_is_invalid_starting_capital(owner, body, capital):
    response = owner.post("/api/bots", {**body, "starting_capital": capital})

    assert refusal(response) == (400, "invalid_starting_capital")
    assert list(response.json()["fields"]) == ["starting_capital"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "   "),
        ("name", "x" * 81),
        ("name", 5),
        ("name", None),
        ("description", 5),
        ("description", None),
        ("description", "x" * 2001),
        ("engine", "paper"),
        ("engine", ""),
        ("engine", None),
        ("engine", 1),
        ("schedule", None),
        ("schedule", []),
        ("schedule", True),
    ],
)
def test_a_wrong_value_elsewhere_is_invalid_input_and_named(owner, body, field, value):
    response = owner.post("/api/bots", {**body, field: value})

    assert refusal(response) == (400, "invalid_input")
    assert list(response.json()["fields"]) == [field]
    assert field in response.json()["message"]


@pytest.mark.parametrize("field", ["strategy_id", "name", "description", "engine"])
@pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
def test_text_no_database_can_hold_is_refused(owner, body, field, text):
    response = owner.post(
        "/api/bots", json.dumps({**body, field: text}), content_type="application/json"
    )

    assert response.status_code == 400
    assert not Bot.objects.exists()


@pytest.mark.parametrize(
    ("schedule", "path"),
    [
        ({"auto_start": "yes"}, "schedule.auto_start"),
        ({"auto_start": 1}, "schedule.auto_start"),
        ({"auto_start": None}, "schedule.auto_start"),
        ({"weekdays": []}, "schedule.weekdays"),
        ({"weekdays": "mon"}, "schedule.weekdays"),
        ({"weekdays": None}, "schedule.weekdays"),
        ({"weekdays": ["mon", "sat"]}, "schedule.weekdays.1"),
        ({"weekdays": [1]}, "schedule.weekdays.0"),
        ({"weekdays": ["mon", "mon"]}, "schedule.weekdays"),
        ({"timezone": "UTC"}, "schedule.timezone"),
    ],
)
def test_a_wrong_schedule_is_invalid_input_with_its_path(owner, body, schedule, path):
    response = owner.post("/api/bots", {**body, "schedule": schedule})

    assert refusal(response) == (400, "invalid_input")
    assert list(response.json()["fields"]) == [path]


@pytest.mark.parametrize(
    "server_owned",
    [
        "id",
        "owner",
        "status",
        "runtime_status",
        "cash_balance",
        "cash_balance_cents",
        "strategy",
        "type",
        "active_session",
        "last_session",
        "created_at",
        "updated_at",
        "policy",
        "starting_capital_cents",
        "auto_start",
        "surprise",
    ],
)
def test_a_field_the_body_does_not_have_is_refused_by_name(owner, body, server_owned):
    response = owner.post("/api/bots", {**body, server_owned: "1"})

    assert refusal(response) == (400, "invalid_input")
    assert list(response.json()["fields"]) == [server_owned]
    assert "unknown field" in response.json()["fields"][server_owned][0]
    assert not Bot.objects.exists()


@pytest.mark.parametrize("whole", ["[]", '"bot"', "5", "null", "true", "{"])
def test_a_body_that_is_no_object_is_invalid_input(owner, whole):
    response = owner.post("/api/bots", whole, content_type="application/json")

    assert refusal(response) == (400, "invalid_input")


def test_all_problems_are_named_at_once_and_the_first_of_the_page_gives_the_code(owner, body):
    response = owner.post(
        "/api/bots",
        {
            "strategy_id": "x",
            "name": "spread",
            "starting_capital": "1",
            "reprice": {"opening": {"max_concession": "0.07"}},
        },
    )

    assert refusal(response) == (400, "invalid_strategy_id")
    assert set(response.json()["fields"]) == {
        "strategy_id",
        "starting_capital",
        "reprice.opening.max_concession",
    }


def test_an_unknown_strategy_is_refused(owner, body):
    response = owner.post("/api/bots", {**body, "strategy_id": str(uuid.uuid4())})

    assert refusal(response) == (403, "strategy_not_found_or_not_owned")


@pytest.mark.parametrize("privacy", StrategyLink.Privacy.values)
def test_a_strangers_link_is_refused_even_if_it_is_public(owner, bob, body, privacy):
    theirs = StrategyLinkFactory(owner=bob, privacy=privacy)

    response = owner.post("/api/bots", {**body, "strategy_id": str(theirs.pk)})

    assert refusal(response) == (403, "strategy_not_found_or_not_owned")


@pytest.mark.parametrize("engine", ["broker_tastytrade", "broker_", "broker_ibkr"])
def test_a_broker_engine_is_not_available(owner, body, engine):
    response = owner.post("/api/bots", {**body, "engine": engine})

    assert refusal(response) == (409, "engine_not_available")
    assert not Bot.objects.exists()


def test_a_name_of_an_active_bot_is_taken(owner, alice, body):
    BotFactory(owner=alice, name="spread")

    response = owner.post("/api/bots", body)

    assert refusal(response) == (409, "name_taken")
    assert Bot.objects.count() == 1


def test_a_name_of_an_archived_bot_is_free(owner, alice, body):
    BotFactory(owner=alice, name="spread", archived=True)

    response = owner.post("/api/bots", body)

    assert response.status_code == 201


def test_a_strangers_name_is_free(owner, bob, body):
    BotFactory(owner=bob, name="spread")

    response = owner.post("/api/bots", body)

    assert response.status_code == 201


def test_the_checks_come_in_the_order_of_the_page(owner, alice, body):
    BotFactory(owner=alice, name="spread")
    worst = {
        **body,
        "strategy_id": str(uuid.uuid4()),
        "engine": "broker_x",
        "error_budget": 101,
    }

    codes = []
    for better in (
        {},
        {"error_budget": 5},
        {"strategy_id": body["strategy_id"]},
        {"engine": "live_sim"},
    ):
        worst |= better
        codes.append(owner.post("/api/bots", worst).json()["error"])

    assert codes == [
        "invalid_input",
        "strategy_not_found_or_not_owned",
        "engine_not_available",
        "name_taken",
    ]
