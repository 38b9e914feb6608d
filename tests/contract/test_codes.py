"""Refusals that every call of a kind shares, asked of each; and those no other test asks for."""

from __future__ import annotations

import pytest

from sessions import services
from sessions.models import BotSession
from strategies.runtime.sandbox import SandboxUnavailable
from tests.contract.document import operations
from tests.contract.routes import ALL_METHODS, OPERATIONS, ROUTES, WRITES, operation_id
from tests.factories import PASSWORD, BotFactory, StrategyLinkFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("open_market")]

WRITING = [(method, route) for method, route in OPERATIONS if method in WRITES]
LIMITED = [
    (method, route)
    for method, route in OPERATIONS
    if "429" in dict(operations())[f"{method} {route.path}"]["responses"]
]
PAGED = [
    line.split()[1]
    for line, operation in operations()
    if {"limit", "after"} <= {parameter["name"] for parameter in operation.get("parameters", [])}
]
IDEMPOTENT = [
    line
    for line, operation in operations()
    if "Idempotency-Key" in {parameter["name"] for parameter in operation.get("parameters", [])}
]
BODIES = {
    "/strategies": {"name": "x", "config": {}},
    "/bots": {"strategy_id": "x", "name": "x", "starting_capital": "1"},
}


def url_of(estate, route):
    return route.url(**estate.ids(), trading_date="2026-05-07")


def refusal(response):
    return response.status_code, response.json()["error"]


@pytest.mark.parametrize("route", ROUTES, ids=operation_id)
def test_a_method_that_is_not_there_is_told_the_right_ones(route, alices):
    expected = {*route.methods, *({"HEAD"} if route.is_stream else {"OPTIONS"})}

    for method in set(ALL_METHODS) - {*route.methods, "HEAD", "OPTIONS"}:
        refused = alices.client.generic(method, url_of(alices, route))

        assert refusal(refused) == (405, "method_not_allowed")
        assert set(refused["Allow"].split(", ")) | {"HEAD"} == expected | {"HEAD"}
        assert refused["Allow"] in refused.json()["message"]


@pytest.mark.parametrize(("method", "route"), WRITING, ids=operation_id)
def test_a_body_that_is_not_json_is_refused_with_what_to_send(method, route, alices):
    refused = alices.client.generic(
        method, url_of(alices, route), b"name=x", content_type="application/x-www-form-urlencoded"
    )

    assert refusal(refused) == (415, "unsupported_media_type")


@pytest.mark.parametrize(("method", "route"), WRITING, ids=operation_id)
def test_broken_json_is_invalid_input_about_the_body(method, route, alices):
    refused = alices.client.generic(
        method, url_of(alices, route), b'{"name": ', content_type="application/json"
    )

    assert refusal(refused) == (400, "invalid_input")
    assert list(refused.json()["fields"]) == ["body"]


@pytest.mark.parametrize(("method", "route"), WRITING, ids=operation_id)
def test_a_body_beyond_the_limit_is_refused(method, route, alices, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100

    refused = alices.client.generic(
        method, url_of(alices, route), b'"%s"' % (b"x" * 100), content_type="application/json"
    )

    assert refusal(refused) == (413, "body_too_large")


@pytest.mark.parametrize(("method", "route"), LIMITED, ids=operation_id)
def test_a_user_beyond_the_burst_is_told_when_to_come_back(method, route, alices, settings):
    settings.THROTTLE_RATES = {
        scope: {"burst": 0, "refill_per_minute": 1} for scope in settings.THROTTLE_RATES
    }
    line = f"{method} {route.path}"
    body = {"email": "alice@example.com", "password": PASSWORD} if "auth" in line else {}

    refused = getattr(alices.client, method.lower())(url_of(alices, route), body)

    assert refusal(refused) == (429, "rate_limit_exceeded")
    assert int(refused["Retry-After"]) >= 1


@pytest.mark.parametrize("path", PAGED)
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=x", "limit"),
        ("limit=10001", "limit"),
        ("after=x", "after"),
        ("after=WyIxIiwgIjIiLCAiMyJd", "after"),
    ],
)
def test_a_list_refuses_a_limit_or_a_cursor_it_cannot_use(path, query, field, alices):
    refused = alices.client.get(f"/api{path.format(**alices.ids())}?{query}")

    assert refusal(refused) == (400, "invalid_input")
    assert list(refused.json()["fields"]) == [field]


@pytest.mark.parametrize(
    ("read", "field"),
    [
        ("/orders?status=odd", "status"),
        ("/financials?interval=0", "interval"),
        ("/financials?interval=3601", "interval"),
        ("/financials?since=yesterday", "since"),
    ],
)
def test_a_bad_question_names_what_is_wrong(read, field, alices):
    url = f"/api/bots/{alices.bot.pk}/sessions/{alices.session.pk}"

    refused = alices.client.get(url + read)

    assert refusal(refused) == (400, "invalid_input")
    assert list(refused.json()["fields"]) == [field]


def test_a_stream_refuses_an_id_that_is_none_of_its_own(alices):
    url = f"/api/bots/{alices.bot.pk}/sessions/{alices.session.pk}/stream"

    refused = alices.client.get(url, headers={"Last-Event-ID": "2026-05-07.1"})

    assert refusal(refused) == (400, "invalid_input")


@pytest.mark.parametrize("line", IDEMPOTENT)
def test_a_key_used_for_another_body_is_refused(line, alices):
    path = line.split()[1]
    url, key = f"/api{path.format(**alices.ids())}", {"HTTP_IDEMPOTENCY_KEY": "one"}
    alices.client.post(url, BODIES.get(path, {}), format="json", **key)

    refused = alices.client.post(url, {"another": "body"}, format="json", **key)

    assert refusal(refused) == (422, "idempotency_key_reused")


def test_without_a_sandbox_registration_fails_and_leaves_no_session(alice, client_for, monkeypatch):
    def down():
        raise SandboxUnavailable("no worker")

    monkeypatch.setattr(services, "shared_sandbox", down)
    bot = BotFactory(owner=alice, strategy_link=StrategyLinkFactory(owner=alice))

    refused = client_for(alice).post(f"/api/bots/{bot.pk}/sessions")

    assert refusal(refused) == (503, "register_sim_failed")
    assert not BotSession.objects.exists()
