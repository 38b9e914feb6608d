"""Requests made up from the document, good and bad, by two users, against the running system:
nothing breaks, nothing is answered that the document does not say, nothing is accepted that it
forbids, and every operation can succeed.

About 1,000 requests; ZEROHOUR_FUZZ_REQUESTS=10000 makes more.
"""

from __future__ import annotations

import os
from typing import Any
from uuid import uuid4

import httpx
import pytest
import schemathesis
import yaml
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

from tests.contract.conftest import UNKNOWN
from tests.contract.document import operations
from tests.contract.live import Live, Resident, sign_in_body
from tests.factories import PROGRAM

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1800)]

# A stream has no end to wait for; tests/contract/test_openapi.py asks it.
LINES = [line for line, _ in operations() if not line.endswith("/stream")]
REQUESTS = int(os.environ.get("ZEROHOUR_FUZZ_REQUESTS", "1000"))
EACH = max(10, REQUESTS // 60)  # good ones for each of some 45 operations, and 2/3 as many bad
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
ID_NAMES = ("bot_id", "session_id", "strategy_id", "token_id")
NOBODYS = dict.fromkeys(ID_NAMES, str(UNKNOWN))


@pytest.fixture(scope="module")
def schema(live: Live) -> Any:
    document = yaml.safe_load(httpx.get(f"{live.url}/openapi.yaml").content)
    document.pop("security", None)  # `send` signs in; tests/contract/test_ownership.py asks without
    for methods in document["paths"].values():
        for operation in methods.values():
            operation["security"] = []
    return schemathesis.openapi.from_dict(document)


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


def aim_path(case: Case, ids: dict[str, str]) -> None:
    """Point a request at what exists: chance never finds a UUID."""
    for name in ID_NAMES:
        if name in case.path_parameters:
            case.path_parameters[name] = ids[name]


def aim(case: Case, ids: dict[str, str], trading_date: str, luck: int) -> None:
    """And what else chance does not find."""
    aim_path(case, ids)
    if "trading_date" in case.path_parameters:
        case.path_parameters["trading_date"] = trading_date
    if case.operation.label == "POST /bots":
        case.body |= {"strategy_id": ids["strategy_id"], "name": f"{luck} {uuid4()}"}
    if case.operation.label == "POST /strategies" and luck < 3:
        case.body = {"name": "sound", "program": PROGRAM}
    if case.operation.label == "POST /auth/sessions":
        case.body |= sign_in_body()
    if "after" in (case.query or {}) and luck % 2:
        del case.query["after"]


def send(case: Case, live: Live, user: Resident) -> Any:
    line = case.operation.label
    token = user.a_token() if line == "DELETE /auth/sessions" else user.token
    headers = {"Authorization": token, "Accept-Encoding": "identity"}
    response = case.call(base_url=live.url, headers=headers, timeout=30)
    if response.status_code < 300:
        user.used_up(line)
    return response


def is_refused(response: Any) -> bool:
    """Not found; or refused before it was looked for: chance repeats a key for another path."""
    if response.status_code == 422:
        return bool(response.json()["error"] == "idempotency_key_reused")
    return response.status_code in (400, 404)


@pytest.mark.parametrize("line", LINES)
def test_good_requests_are_answered_as_documented_and_some_succeed(line, schema, live):
    operation = operation_of(schema, line)
    has_own_ids = "_id}" in line
    trading_date = live.alice.api.market()["trading_date"]
    succeeded = []

    @fuzz(EACH)
    @given(case=operation.as_strategy(), luck=st.integers(0, 9))
    def ask(case: Case, luck: int) -> None:
        is_own = luck < 8
        foreign = live.bob.ids_for("") | live.bob.session if luck == 8 else NOBODYS
        ids = live.alice.ids_for(line) if is_own else {**NOBODYS, **foreign}
        aim(case, ids, trading_date, luck)
        response = send(case, live, live.alice)
        case.validate_response(response, checks=CHECKS)
        succeeded.append(response.status_code < 400)
        assert is_own or not has_own_ids or is_refused(response)

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
def test_bad_requests_are_refused_as_documented(line, schema, live):
    operation = operation_of(schema, line)
    checks = CHECKS if line in TAKES_BAD_FORMS else [*CHECKS, negative_data_rejection]

    @fuzz(EACH * 2 // 3)
    @given(case=operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    def ask(case: Case) -> None:
        path = case.meta.components.get(ParameterLocation.PATH)
        if path is None or not path.mode.is_negative:
            aim_path(case, {**NOBODYS, **live.alice.ids_for(line)})
        response = send(case, live, live.alice)
        case.validate_response(response, checks=checks)

    ask()
