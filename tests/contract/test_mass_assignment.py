"""What the server owns cannot be set from outside: every such field, thrown at every write, is
refused by name and changes nothing.
"""

from __future__ import annotations

import pytest
from django.apps import apps

from tests.contract.conftest import OUR_APPS, everything_stored
from tests.contract.document import document, operations, request_schema
from tests.contract.routes import OPERATIONS, ROUTES, WRITES
from tests.factories import PASSWORD, PROGRAM

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("open_market")]

SESSION = "/bots/{bot_id}/sessions/{session_id}"
# A body that the write accepts as it stands. A new write needs its line here.
VALID = {
    "POST /auth/verify-email": {"email": "carol@example.com"},
    "POST /auth/register": {
        "email": "carol@example.com",
        "verification_code": "123456",
        "password": PASSWORD,
    },
    "POST /auth/sessions": {"email": "alice@example.com", "password": PASSWORD},
    "DELETE /auth/sessions": {},
    "DELETE /auth/tokens/{token_id}": {},
    "PATCH /user": {"slippage": "0.10"},
    "POST /strategies": {"name": "a strategy", "program": PROGRAM},
    "POST /strategies/preview": {"program": PROGRAM},
    "PATCH /strategies/{strategy_id}": {"name": "renamed"},
    "DELETE /strategies/{strategy_id}": {},
    "POST /strategies/{strategy_id}/clone": {},
    "POST /bots": {"strategy_id": "{strategy_id}", "name": "a bot", "starting_capital": "25000"},
    "PATCH /bots/{bot_id}": {"name": "renamed"},
    "DELETE /bots/{bot_id}": {},
    "POST /bots/{bot_id}/sessions": {},
    f"DELETE {SESSION}": {},
    f"POST {SESSION}/cancel-all-orders": {},
}
NESTED = [
    ("PATCH /user", "fee_schedule"),
    ("POST /bots", "reprice"),
    ("POST /bots", "reprice.opening"),
    ("POST /bots", "reprice.closing"),
    ("POST /bots", "schedule"),
    ("PATCH /bots/{bot_id}", "reprice"),
    ("PATCH /bots/{bot_id}", "schedule"),
]


def server_owned() -> set[str]:
    """Names of everything that is answered anywhere, and of every column of ours."""
    answered = {
        name
        for shape in document()["components"]["schemas"].values()
        for name in shape.get("properties", {})
    }
    fields = [
        field
        for label in OUR_APPS
        for model in apps.get_app_config(label).get_models()
        for field in model._meta.concrete_fields
    ]
    return answered | {name for field in fields for name in (field.name, field.attname)}


def send(estate, line, body):
    method, path = line.split()
    route = next(route for route in ROUTES if route.path == path)
    return estate.client.generic(
        method,
        route.url(**estate.ids()),
        data=estate.client._encode_data(body, "json")[0],
        content_type="application/json",
    )


def valid_body(estate, line):
    ids = {name: str(value) for name, value in estate.ids().items()}
    body = VALID[line]
    return {
        name: value.format(**ids) if isinstance(value, str) and value.startswith("{") else value
        for name, value in body.items()
    }


def test_every_write_has_its_line():
    writes = {f"{method} {route.path}" for method, route in OPERATIONS if method in WRITES}

    assert set(VALID) == writes


@pytest.mark.parametrize("line", VALID)
def test_every_field_the_server_owns_is_refused_by_name_and_changes_nothing(line, alices):
    operation = dict(operations())[line]
    thrown = server_owned() - set(request_schema(operation).get("properties", {}))
    before = everything_stored()

    answer = send(alices, line, {**valid_body(alices, line), **dict.fromkeys(thrown, "1")})

    assert len(thrown) > 100
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_input")
    assert set(answer.json()["fields"]) == thrown
    assert everything_stored() == before


@pytest.mark.parametrize(("line", "path"), NESTED)
def test_so_is_one_inside_an_object(line, path, alices):
    before = everything_stored()
    nested: dict = {"id": "1"}
    for name in reversed(path.split(".")):
        nested = {name: nested}

    answer = send(alices, line, {**valid_body(alices, line), **nested})

    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == [f"{path}.id"]
    assert everything_stored() == before


@pytest.mark.parametrize("line", [line for line, body in VALID.items() if not body])
@pytest.mark.parametrize("body", [[1], "text", 7, True])
def test_a_body_that_is_no_object_is_refused_where_none_is_taken(line, body, alices):
    answer = send(alices, line, body)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_input")
    assert list(answer.json()["fields"]) == ["body"]
