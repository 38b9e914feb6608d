"""Who may reach what: every route × method × another's id, an unknown id, and parents and children
that do not belong together. What is not yours does not exist, to the byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, auto
from itertools import product

import pytest

from strategies.models import StrategyLink
from tests.contract.conftest import UNKNOWN, everything_stored
from tests.contract.routes import ALL_METHODS, OPERATIONS, ROUTES, WRITES, operation_id
from tests.factories import PROGRAM, StrategyLinkFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("open_market")]


class Reach(Enum):
    EVERYBODY = auto()  # no token, and nothing of any user in the answer
    SIGNED_IN = auto()  # the same for every user
    CALLER = auto()  # about the caller, whom the token names
    OWNER = auto()  # about the object the path names


SESSION = "/bots/{bot_id}/sessions/{session_id}"

# A new route or method needs its line here.
MATRIX = {
    "GET /health": Reach.EVERYBODY,
    "GET /ready": Reach.EVERYBODY,
    "GET /openapi.yaml": Reach.EVERYBODY,
    "GET /docs": Reach.EVERYBODY,
    "POST /auth/verify-email": Reach.EVERYBODY,
    "POST /auth/register": Reach.EVERYBODY,
    "POST /auth/sessions": Reach.EVERYBODY,
    "DELETE /auth/sessions": Reach.CALLER,
    "GET /auth/tokens": Reach.CALLER,
    "DELETE /auth/tokens/{token_id}": Reach.OWNER,
    "GET /user": Reach.CALLER,
    "PATCH /user": Reach.CALLER,
    "GET /strategies": Reach.CALLER,
    "POST /strategies": Reach.CALLER,
    "POST /strategies/preview": Reach.SIGNED_IN,
    "GET /strategies/form-schema": Reach.EVERYBODY,
    "GET /strategies/templates": Reach.EVERYBODY,
    "GET /strategies/{strategy_id}": Reach.OWNER,
    "PATCH /strategies/{strategy_id}": Reach.OWNER,
    "DELETE /strategies/{strategy_id}": Reach.OWNER,
    "POST /strategies/{strategy_id}/clone": Reach.OWNER,
    "GET /market-data/status": Reach.SIGNED_IN,
    "GET /market-data/chain": Reach.SIGNED_IN,
    "GET /market-data/historical/{trading_date}": Reach.SIGNED_IN,
    "GET /market-data/stream": Reach.SIGNED_IN,
    "GET /bots": Reach.CALLER,
    "POST /bots": Reach.CALLER,
    "GET /bots/{bot_id}": Reach.OWNER,
    "PATCH /bots/{bot_id}": Reach.OWNER,
    "DELETE /bots/{bot_id}": Reach.OWNER,
    "GET /bots/{bot_id}/summary": Reach.OWNER,
    "GET /bots/{bot_id}/adjustments": Reach.OWNER,
    "GET /bots/{bot_id}/sessions": Reach.OWNER,
    "POST /bots/{bot_id}/sessions": Reach.OWNER,
    f"GET {SESSION}": Reach.OWNER,
    f"DELETE {SESSION}": Reach.OWNER,
    f"POST {SESSION}/cancel-all-orders": Reach.OWNER,
    f"GET {SESSION}/orders": Reach.OWNER,
    f"GET {SESSION}/positions": Reach.OWNER,
    f"GET {SESSION}/transactions": Reach.OWNER,
    f"GET {SESSION}/financials": Reach.OWNER,
    f"GET {SESSION}/decision-log": Reach.OWNER,
    f"GET {SESSION}/events": Reach.OWNER,
    f"GET {SESSION}/entries": Reach.OWNER,
    f"GET {SESSION}/integrity": Reach.OWNER,
    f"GET {SESSION}/stream": Reach.OWNER,
}
OBJECT_IDS = {"token_id", "bot_id", "session_id", "strategy_id"}
OF_OBJECTS = [route for route in ROUTES if OBJECT_IDS & set(route.parameters)]
# A body the owner's request would go through with, and one that nobody's would.
BODIES = [{"name": "mine now"}, {"no_such_field": 1}]


def reaching(*wanted: Reach) -> list[tuple[str, object]]:
    return [
        (method, route)
        for method, route in OPERATIONS
        if MATRIX.get(f"{method} {route.path}") in wanted
    ]


def ask(client, method, url, body=None):
    response = client.generic(
        method,
        url,
        data="" if body is None else client._encode_data(body, "json")[0],
        content_type="application/json",
    )
    if response.streaming:
        response.close()
        return response.status_code, dict(response.headers), b""
    return response.status_code, dict(response.headers), response.content


def wrong_ids(route, caller, owner) -> Iterator[dict[str, object]]:
    """Every combination of the path's ids except those that are the caller's own together."""
    candidates = {
        "token_id": [owner.token.pk, UNKNOWN],
        "strategy_id": [owner.link.pk, UNKNOWN],
        "bot_id": [caller.bot.pk, owner.bot.pk, UNKNOWN],
        "session_id": [
            caller.session.pk,
            caller.other_session.pk,
            owner.session.pk,
            UNKNOWN,
        ],
    }
    names = route.parameters
    for values in product(*(candidates[name] for name in names)):
        ids = dict(zip(names, values, strict=True))
        if any(ids[name] != caller.ids()[name] for name in names):
            yield ids


def test_every_route_and_method_has_its_line_in_the_matrix():
    assert set(MATRIX) == {f"{method} {route.path}" for method, route in OPERATIONS}


def test_a_path_with_an_id_is_reached_by_its_owner_only():
    with_ids = {f"{method} {route.path}" for route in OF_OBJECTS for method in route.methods}

    assert with_ids == {line for line, reach in MATRIX.items() if reach is Reach.OWNER}


@pytest.mark.parametrize("route", OF_OBJECTS, ids=operation_id)
@pytest.mark.parametrize("method", ALL_METHODS)
def test_not_yours_is_answered_as_what_does_not_exist(method, route, alices, bobs):
    before = everything_stored()
    nothing = route.url(**dict.fromkeys(route.parameters, UNKNOWN))

    for body in [None, *BODIES] if method in route.methods and method in WRITES else [None]:
        expected = ask(bobs.client, method, nothing, body)
        for ids in wrong_ids(route, caller=bobs, owner=alices):
            assert ask(bobs.client, method, route.url(**ids), body) == expected, ids
        if method in route.methods and body is None:
            assert (expected[0], b'"not_found"' in expected[2]) == (404, True)

    assert everything_stored() == before


@pytest.mark.parametrize(("method", "route"), reaching(Reach.OWNER), ids=operation_id)
def test_the_owner_reaches_it(method, route, alices):
    status, _, content = ask(alices.client, method, route.url(**alices.ids()))

    assert status not in (401, 403, 404)
    assert status < 500, content


@pytest.mark.parametrize(
    ("method", "route"),
    reaching(Reach.OWNER, Reach.CALLER, Reach.SIGNED_IN),
    ids=operation_id,
)
def test_without_a_token_everything_of_a_user_is_unauthorized(method, route, alices, anonymous):
    own = route.url(**alices.ids(), trading_date="2026-05-07")
    nobodys = route.url(**dict.fromkeys(alices.ids(), UNKNOWN), trading_date="2026-05-07")

    answer = ask(anonymous, method, own)

    assert (answer[0], b'"unauthorized"' in answer[2]) == (401, True)
    assert answer == ask(anonymous, method, nobodys)


@pytest.mark.parametrize(("method", "route"), reaching(Reach.EVERYBODY), ids=operation_id)
def test_what_is_open_to_everybody_asks_for_no_token(method, route, alices, anonymous):
    assert ask(anonymous, method, route.url(), {})[0] not in (401, 403, 404)


@pytest.mark.parametrize("path", ["/strategies", "/bots", "/user", "/auth/tokens"])
def test_a_list_holds_nothing_of_another_user(path, alices, bobs):
    _, _, content = ask(bobs.client, "GET", f"/api{path}")

    foreign = [*alices.ids().values(), alices.other_bot.pk, alices.user.pk]
    assert not [name for name in foreign if str(name).encode() in content]


def test_a_public_strategy_is_read_and_cloned_by_a_stranger_and_not_changed(alices, bobs):
    link = StrategyLinkFactory(owner=alices.user, privacy=StrategyLink.Privacy.PUBLIC)
    public, unknown = f"/api/strategies/{link.pk}", f"/api/strategies/{UNKNOWN}"

    assert ask(bobs.client, "GET", public)[0] == 200
    assert ask(bobs.client, "POST", f"{public}/clone")[0] == 201
    for method in ("PATCH", "DELETE"):
        assert ask(bobs.client, method, public) == ask(bobs.client, method, unknown)
    assert StrategyLink.objects.filter(pk=link.pk, name=link.name).exists()


def test_another_users_strategy_in_a_body_is_refused_as_an_unknown_one(alices, bobs):
    bodies = [
        {"strategy_id": str(strategy_id), "name": "a bot", "starting_capital": "25000"}
        for strategy_id in (alices.link.pk, UNKNOWN)
    ]

    anothers, nobodys = (ask(bobs.client, "POST", "/api/bots", body) for body in bodies)

    assert anothers == nobodys
    assert (anothers[0], b"strategy_not_found_or_not_owned" in anothers[2]) == (403, True)


def test_another_users_strategy_as_a_filter_finds_nothing_like_an_unknown_one(alices, bobs):
    anothers = ask(bobs.client, "GET", f"/api/bots?strategy_id={alices.link.pk}")

    assert anothers == ask(bobs.client, "GET", f"/api/bots?strategy_id={UNKNOWN}")
    assert anothers[2] == b"[]"


def test_another_users_idempotency_key_replays_nothing(alices, bobs):
    key = {"HTTP_IDEMPOTENCY_KEY": "the-same-key"}
    program = {"name": "secret", "program": PROGRAM}

    first = alices.client.post("/api/strategies", program, **key)
    second = bobs.client.post("/api/strategies", program, **key)

    assert (first.status_code, second.status_code) == (201, 201)
    assert "Idempotent-Replayed" not in second
    assert first.json()["id"] != second.json()["id"]
