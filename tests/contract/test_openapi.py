"""The OpenAPI document is complete, and what we answer is what it says."""

from __future__ import annotations

import pytest
from drf_spectacular.validation import validate_schema

from tests.contract.conftest import UNKNOWN
from tests.contract.document import (
    answer_problems,
    document,
    example_problems,
    operations,
)
from tests.contract.routes import OPERATIONS, ROUTES
from tests.factories import PASSWORD
from tests.sessions import market
from tests.sessions.conftest import drive, make_bot, put_spread, runner, sandbox

pytestmark = pytest.mark.django_db
__all__ = ["make_bot", "runner", "sandbox"]  # fixtures of the sessions' tests

FORM = {
    "legs": [
        {"direction": "sell", "type": "put", "strike": {"method": "delta", "value": 0.3}},
        {
            "direction": "buy",
            "type": "put",
            "strike": {"method": "offset", "value": -25, "from": 0},
        },
    ],
    "entry": {"times": ["10:00"]},
}


def test_the_document_is_valid():
    validate_schema(document())


def test_the_document_has_every_operation_and_no_other():
    assert {name for name, _ in operations()} == {
        f"{method} {route.path}" for method, route in OPERATIONS
    }


@pytest.mark.parametrize("name", [name for name, _ in operations()])
def test_an_operation_is_described_with_an_example_of_every_body(name):
    operation = dict(operations())[name]
    bodies = {
        f"{status} {media_type}": body
        for status, response in operation["responses"].items()
        for media_type, body in response.get("content", {}).items()
    }
    bodies |= operation.get("requestBody", {}).get("content", {})

    assert operation["summary"]
    assert operation["description"]
    assert [where for where, body in bodies.items() if not body.get("examples")] == []
    assert example_problems(operation) == []


@pytest.fixture
def walk(alice, client_for, open_market, make_bot, runner):
    """Asks as alice; every answer is held against the document."""
    client = client_for(alice)
    seen = set()

    def ask(line, body=None, *, query="", who=client, **ids):
        method, path = line.split()
        route = next(route for route in ROUTES if route.path == path)
        response = getattr(who, method.lower())(route.url(**ids) + query, body)
        seen.add((line, response.status_code))
        assert answer_problems(line, response) == [], f"{line} {response.status_code}"
        return response

    ask.seen = seen
    return ask


SESSION = "/bots/{bot_id}/sessions/{session_id}"
READS = ["", "/orders", "/positions", "/transactions", "/financials"]
READS += ["/decision-log", "/events", "/entries"]


def walk_strategies(walk):
    saved = walk("POST /strategies", {"name": "spread", "config": FORM}).json()
    own = {"strategy_id": saved["id"]}
    walk("GET /strategies")
    walk("GET /strategies/{strategy_id}", **own)
    walk("PATCH /strategies/{strategy_id}", {"description": "a day"}, **own)
    clone = walk("POST /strategies/{strategy_id}/clone", **own).json()
    walk("DELETE /strategies/{strategy_id}", strategy_id=clone["id"])
    walk("POST /strategies/preview", {"config": FORM})
    walk("POST /strategies/preview", {"program": "def"})
    walk("POST /strategies", {"name": "bad", "config": {}})
    walk("GET /strategies/form-schema")
    walk("GET /strategies/templates")
    return own


def walk_bots(walk, own):
    body = {"name": "walker", "starting_capital": "25000", **own}
    bot = walk("POST /bots", body).json()
    walk("POST /bots", body)
    walk("POST /bots", {})
    walk("POST /bots", {**body, "strategy_id": str(UNKNOWN)})
    walk("GET /bots")
    walk("GET /bots", query="?status=sleeping")
    walk("PATCH /bots/{bot_id}", {"reprice": {"opening": {"enabled": False}}}, bot_id=bot["id"])
    walk("PATCH /bots/{bot_id}", {"reprice": {"closing": 1}}, bot_id=bot["id"])
    walk("DELETE /bots/{bot_id}", bot_id=bot["id"])
    walk("GET /bots/{bot_id}", bot_id=bot["id"])


def walk_session(walk, bot, runner):
    ids = {"bot_id": bot.pk}
    walk("GET /bots/{bot_id}/summary", **ids)
    ids["session_id"] = walk("POST /bots/{bot_id}/sessions", **ids).json()["session_id"]
    walk("POST /bots/{bot_id}/sessions", **ids)
    walk(f"GET {SESSION}", **ids)  # nothing is frozen to the second yet
    market.publish([market.tick(seq) for seq in range(2, 61)])
    driver = runner()
    drive(driver)
    for read in READS:
        walk(f"GET {SESSION}{read}", **ids)
    walk(f"GET {SESSION}/integrity", **ids)
    walk(f"GET {SESSION}/orders", query="?status=odd", **ids)
    walk(f"GET {SESSION}/financials", query="?interval=0", **ids)
    walk("DELETE /bots/{bot_id}", **ids)
    walk(f"POST {SESSION}/cancel-all-orders", **ids)
    walk(f"DELETE {SESSION}", **ids)
    market.close()
    drive(driver)
    walk(f"DELETE {SESSION}", **ids)
    walk(f"POST {SESSION}/cancel-all-orders", **ids)
    for read in READS:
        walk(f"GET {SESSION}{read}", **ids)
    for path in ("", "/sessions", "/summary", "/adjustments"):
        walk(f"GET /bots/{{bot_id}}{path}", **ids)
    walk("GET /bots")


def test_every_answer_of_a_walk_is_as_the_document_says(walk, make_bot, runner, anonymous):
    for path in ("/health", "/ready", "/openapi.yaml", "/docs"):
        walk(f"GET {path}", who=anonymous)
    walk("GET /user", who=anonymous)
    walk("GET /user")
    walk("PATCH /user", {"fee_schedule": {"open": "1.10"}})
    walk("PATCH /user", {"slippage": 99})
    walk("POST /auth/verify-email", {"email": "carol@example.com"}, who=anonymous)
    walk("POST /auth/verify-email", {"email": "carol@example.com"}, who=anonymous)
    walk("POST /auth/register", {"email": "carol@example.com"}, who=anonymous)
    credentials = {"email": "alice@example.com", "password": PASSWORD}
    walk("POST /auth/sessions", {**credentials, "scopes": ["read"]}, who=anonymous)
    walk("POST /auth/sessions", {**credentials, "password": "wrong"}, who=anonymous)
    newest = walk("GET /auth/tokens").json()[0]
    walk("DELETE /auth/tokens/{token_id}", token_id=newest["id"])
    walk("DELETE /auth/tokens/{token_id}", token_id=newest["id"])
    walk_bots(walk, walk_strategies(walk))
    walk_session(walk, make_bot(put_spread()), runner)
    walk("GET /market-data/status")
    walk("GET /market-data/chain")
    for day in ("2026-05-07", "2001-01-01", "yesterday"):
        walk("GET /market-data/historical/{trading_date}", trading_date=day)
    walk("DELETE /auth/sessions")

    answered = {line for line, status in walk.seen if status < 300}
    documented = {name for name, _ in operations() if not name.endswith("/stream")}
    assert documented - answered == {"POST /auth/register"}  # tests/accounts/test_register.py


def test_a_stream_answers_as_the_document_says(alices, bobs, anonymous, open_market):
    for line in ("GET /market-data/stream", f"GET {SESSION}/stream"):
        url = "/api" + line.split()[1].format(**alices.ids())
        refused = [
            alices.client.get(url, headers={"Last-Event-ID": "x"}),
            anonymous.get(url),
            bobs.client.get(f"/api/bots/{UNKNOWN}/sessions/{UNKNOWN}/stream"),
        ]
        good = alices.client.get(url)

        assert (good.status_code, good["Content-Type"]) == (200, "text/event-stream")
        assert "text/event-stream" in dict(operations())[line]["responses"]["200"]["content"]
        for answer in refused if "bot_id" in line else refused[:2]:
            assert answer_problems(line, answer) == []
