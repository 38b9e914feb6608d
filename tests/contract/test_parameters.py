"""Query parameters: what a call does not know it refuses, on every route."""

from __future__ import annotations

import pytest

from tests.contract.document import operations
from tests.contract.routes import OPERATIONS, operation_id

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("open_market")]

# A probe or a browser may add what it likes to these.
DISCOVERY = {"/health", "/ready", "/openapi.yaml", "/docs"}
CALLS = [(method, route) for method, route in OPERATIONS if route.path not in DISCOVERY]


def described(line: str) -> set[str]:
    parameters = dict(operations())[line].get("parameters", [])
    return {each["name"] for each in parameters if each["in"] == "query"}


def ask(estate, method, route, query):
    url = route.url(**estate.ids(), trading_date="2026-05-07")
    return estate.client.generic(method, f"{url}?{query}")


@pytest.mark.parametrize(("method", "route"), CALLS, ids=operation_id)
def test_an_unknown_parameter_is_refused_with_those_that_are_known(method, route, alices):
    known = described(f"{method} {route.path}")

    refused = ask(alices, method, route, "no_such=1")

    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_input")
    (reason,) = refused.json()["fields"]["no_such"]
    assert set(reason.split("known are ")[1].split(", ")) == (known or {"none"})


@pytest.mark.parametrize(
    ("method", "route", "name"),
    [
        (method, route, name)
        for method, route in CALLS
        for name in sorted(described(f"{method} {route.path}"))
    ],
    ids=operation_id,
)
def test_a_parameter_is_given_once(method, route, name, alices):
    refused = ask(alices, method, route, f"{name}=1&{name}=2")

    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_input")
    assert refused.json()["fields"] == {name: ["must be given once"]}


def test_a_probe_may_add_what_it_likes(anonymous):
    assert anonymous.get("/api/health?cache=1").status_code == 200
