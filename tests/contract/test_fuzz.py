"""Requests made up from the document, good and bad, by two users: nothing breaks, nothing is
answered that the document does not say, nothing is accepted that it forbids, and every operation
can succeed.

About 1,000 requests; ZEROHOUR_FUZZ_REQUESTS=10000 makes more.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.contract.conftest import UNKNOWN, Estate
from tests.contract.document import document, operations
from tests.factories import PASSWORD, PROGRAM

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("open_market")]

# A stream has no end to wait for; tests/contract/test_openapi.py asks it.
LINES = [line for line, _ in operations() if not line.endswith("/stream")]
REQUESTS = int(os.environ.get("ZEROHOUR_FUZZ_REQUESTS", "1000"))
EACH = max(10, REQUESTS // 50)  # good ones for each of some 40 operations, and 2/3 as many bad
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# Needs a code from a mail: tests/accounts/test_register.py.
NEVER_BY_CHANCE = {"POST /auth/register"}
# Answers with the problems of a bad form: that is what it is for.
TAKES_BAD_FORMS = {"POST /strategies/preview"}
NEEDS_AN_IDLE_BOT = {"DELETE /bots/{bot_id}", "POST /bots/{bot_id}/sessions"}
ID_NAMES = ("bot_id", "session_id", "strategy_id", "token_id")


@pytest.fixture(scope="module")
def schema() -> Any:
    described = {name: part for name, part in document().items() if name != "security"}
    described["paths"] = {
        path: {method: {**operation, "security": []} for method, operation in methods.items()}
        for path, methods in document()["paths"].items()
    }  # `send` signs in; tests/contract/test_ownership.py asks without a token
    loaded = schemathesis.openapi.from_dict(described)
    loaded.app = get_wsgi_application()
    return loaded


@contextmanager
def one_connection() -> Iterator[None]:
    """The test's transaction outlives the requests in it, as with Django's own test client."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


def operation_of(schema: Any, line: str) -> Any:
    method, path = line.split()
    return schema[path][method]


def fuzz(count: int) -> Any:
    return settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def ids_of(owner: Estate, line: str) -> dict[str, str]:
    """The owner's ids, with a bot that the operation can succeed on."""
    ids = {name: str(value) for name, value in owner.ids().items()}
    if line in NEEDS_AN_IDLE_BOT:
        owner.other_bot.sessions.all().delete()
        ids["bot_id"] = str(owner.other_bot.pk)
    return ids


def aim_path(case: Case, ids: dict[str, str]) -> None:
    """Point a request at what exists: chance never finds a UUID."""
    for name in ID_NAMES:
        if name in case.path_parameters:
            case.path_parameters[name] = ids[name]


def aim(case: Case, ids: dict[str, str], luck: int) -> None:
    """And what else chance does not find."""
    aim_path(case, ids)
    if "trading_date" in case.path_parameters:
        case.path_parameters["trading_date"] = "2026-05-07"
    if case.operation.label == "POST /bots":
        case.body["strategy_id"] = ids["strategy_id"]
    if case.operation.label == "POST /strategies" and luck < 3:
        case.body = {"name": "sound", "program": PROGRAM}
    if case.operation.label == "POST /auth/sessions":
        case.body |= {"email": "alice@example.com", "password": PASSWORD}


def send(case: Case, user: Estate) -> Any:
    """Each request finds the same world: what it changes is undone."""
    token = user.client._credentials["HTTP_AUTHORIZATION"]
    with one_connection(), transaction.atomic():
        response = case.call(headers={"Authorization": token, "Accept-Encoding": "identity"})
        transaction.set_rollback(True)
    return response


@pytest.mark.parametrize("line", LINES)
def test_good_requests_are_answered_as_documented_and_some_succeed(line, schema, alices, bobs):
    operation = operation_of(schema, line)
    own, anothers = ids_of(alices, line), ids_of(bobs, line)
    nobodys = {name: str(UNKNOWN) for name in ID_NAMES}
    succeeded = []

    @fuzz(EACH)
    @given(case=operation.as_strategy(), luck=st.integers(0, 9))
    def ask(case: Case, luck: int) -> None:
        aim(case, {8: anothers, 9: nobodys}.get(luck, own), luck)
        if "after" in (case.query or {}) and luck % 2:
            del case.query["after"]
        response = send(case, alices)
        case.validate_response(response, checks=CHECKS)
        succeeded.append(response.status_code < 400)

    ask()

    assert any(succeeded) or line in NEVER_BY_CHANCE


def takes_input(line: str) -> bool:
    operation = dict(operations())[line]
    given_by_client = [
        parameter
        for parameter in operation.get("parameters", [])
        if parameter["in"] in ("path", "query") or parameter["name"] == "Idempotency-Key"
    ]
    return bool(given_by_client or "requestBody" in operation)


@pytest.mark.parametrize("line", [line for line in LINES if takes_input(line)])
def test_bad_requests_are_refused_as_documented(line, schema, alices):
    operation = operation_of(schema, line)
    own = ids_of(alices, line)
    checks = CHECKS if line in TAKES_BAD_FORMS else [*CHECKS, negative_data_rejection]

    @fuzz(EACH * 2 // 3)
    @given(case=operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    def ask(case: Case) -> None:
        path = case.meta.components.get(ParameterLocation.PATH)
        if path is None or not path.mode.is_negative:
            aim_path(case, own)
        response = send(case, alices)
        case.validate_response(response, checks=checks)

    ask()
