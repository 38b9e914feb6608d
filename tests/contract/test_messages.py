"""What a refusal says: the field, and what is allowed in it, whatever was wrong with the value."""

from __future__ import annotations

import pytest

from tests.contract.routes import ROUTES
from tests.contract.test_mass_assignment import VALID, send, valid_body

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("open_market")]

SESSION = "/bots/{bot_id}/sessions/{session_id}"
BLOCK = {
    "nudge_after_seconds": "from 1 to 600",
    "min_interval_seconds": "from 1 to 120",
    "flat_tolerance_ticks": "from 1 to 20",
    "enabled": "true or false",
}
POLICY = {
    "max_daily_loss_pct": "from 0.0050 to 0.5000",
    "max_open_positions": "from 1 to 100",
    "max_open_orders": "from 1 to 50",
    "data_staleness_threshold_ms": "from 500 to 10000",
    "error_budget": "from 0 to 100",
    "auto_pause_on_error": "true or false",
    "reprice": "an object",
    "reprice.opening.max_concession": "a multiple of 0.05 from 0 to 10",
    **{
        f"reprice.{kind}.{name}": rule
        for kind in ("opening", "closing")
        for name, rule in BLOCK.items()
    },
}
BOT = {
    **POLICY,
    "name": "1 to 80 characters",
    "description": "0 to 2000 characters",
    "schedule.auto_start": "true or false",
    "schedule.weekdays": "mon, tue, wed, thu, fri",
}
STRATEGY = {
    "name": "1 to 80 characters",
    "description": "0 to 2000 characters",
    "privacy": "one of private, public",
}
ADDRESS = "an e-mail address of at most 254 characters"
ALLOWED = {
    "POST /bots": {
        **BOT,
        "strategy_id": "the UUID of a saved strategy",
        "starting_capital": "from 1000 to 1000000000",
    },
    "PATCH /bots/{bot_id}": {**BOT, "status": "one of idle, archived"},
    "POST /strategies": STRATEGY,
    "PATCH /strategies/{strategy_id}": STRATEGY,
    "PATCH /user": {
        "slippage": "from 0 to 5",
        **{f"fee_schedule.{name}": "from 0 to 100" for name in ("open", "close", "exercise")},
    },
    "POST /auth/sessions": {
        "email": ADDRESS,
        "password": "1 to 128 characters",
        "name": "0 to 80 characters",
        "scopes": '["read"] or ["read", "trade"]',
    },
    "POST /auth/register": {
        "email": ADDRESS,
        "password": "1 to 128 characters",
        "verification_code": "the 6 digits we sent",
    },
    "POST /auth/verify-email": {"email": ADDRESS},
}
# Too long, too large, of the wrong type, nothing: never allowed anywhere.
WRONG = ["9" * 2001, -1, 10**12, 0.00001, None, [], True]
QUERIES = {
    "/bots": {"limit": "from 1 to 1000", "status": "one of idle, archived"},
    "/strategies": {"limit": "from 1 to 1000"},
    f"{SESSION}/orders": {
        "limit": "from 1 to 10000",
        "status": "one of pending, filled, canceled, expired, rejected",
    },
    f"{SESSION}/financials": {"interval": "from 1 to 3600", "since": "2026-05-07T14:30:00Z"},
    "/market-data/historical/{trading_date}": {
        "interval": "from 1 to 3600",
        "series": "some of spx, vix, expected_move",
    },
}


def nested(path, value):
    for name in reversed(path.split(".")):
        value = {name: value}
    return value


@pytest.mark.parametrize(
    ("line", "path"), [(line, path) for line, rules in ALLOWED.items() for path in rules]
)
def test_a_body_is_told_what_is_allowed_in_the_field(line, path, alices):
    is_flag = ALLOWED[line][path] == "true or false"
    for wrong in [value for value in WRONG if not (is_flag and value is True)]:
        refused = send(alices, line, {**valid_body(alices, line), **nested(path, wrong)})

        said = refused.json()
        assert refused.status_code == 400, wrong
        assert list(said["fields"]) == [path], wrong
        assert ALLOWED[line][path] in said["fields"][path][0], wrong
        assert said["message"].startswith(f"{path}: {said['fields'][path][0]}"), wrong


@pytest.mark.parametrize(
    ("path", "name"), [(path, name) for path, rules in QUERIES.items() for name in rules]
)
@pytest.mark.parametrize("wrong", ["", "x", "-1", "99999", "1.5"])
def test_a_query_is_told_what_is_allowed_in_the_parameter(path, name, wrong, alices):
    route = next(route for route in ROUTES if route.path == path)
    url = route.url(**alices.ids(), trading_date="2026-05-07")

    refused = alices.client.get(f"{url}?{name}={wrong}")

    said = refused.json()
    assert refused.status_code == 400
    assert list(said["fields"]) == [name]
    assert QUERIES[path][name] in said["fields"][name][0]


CREATING = [line for line, body in VALID.items() if body and not line.startswith("PATCH")]


@pytest.mark.parametrize("line", CREATING)
def test_a_missing_field_is_named(line, alices):
    refused = send(alices, line, {})

    assert refused.status_code == 400
    assert {tuple(reasons) for reasons in refused.json()["fields"].values()} <= {
        ("is required",),
        ("give either config or program",),
    }


def test_every_policy_problem_of_a_body_is_told_at_once(alices):
    wrong = {"max_open_positions": 0, "error_budget": 101}
    wrong["reprice"] = {"opening": {"nudge_after_seconds": 0}, "closing": {"max_concession": "1"}}

    refused = send(alices, "PATCH /bots/{bot_id}", wrong)

    assert set(refused.json()["fields"]) == {
        "max_open_positions",
        "error_budget",
        "reprice.opening.nudge_after_seconds",
        "reprice.closing.max_concession",
    }


def test_of_a_policy_with_very_many_wrong_fields_the_first_are_told(alices):
    wrong = {"reprice": {"opening": {f"no_{number}": 1 for number in range(1000)}}}

    refused = send(alices, "PATCH /bots/{bot_id}", wrong)

    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_reprice")
    assert 1 <= len(refused.json()["fields"]) <= 50
