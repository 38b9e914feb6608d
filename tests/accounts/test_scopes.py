"""Tokens: their list, their end, and those that may only read. Ours, beyond the contract."""

import re
from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone
from knox.models import AuthToken
from rest_framework.test import APIClient

from accounts import services
from accounts.models import TokenDetails, User
from tests.contract.document import operations
from tests.contract.routes import OPERATIONS
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db

UNKNOWN = "00000000-0000-4000-8000-000000000000"
WRITES = [
    (method, route)
    for method, route in OPERATIONS
    if method != "GET" and dict(operations())[f"{method} {route.path}"].get("security")
]


def sign_in(client, **more):
    body = {"email": "alice@example.com", "password": PASSWORD, **more}
    return client.post("/api/auth/sessions", body)


def client_with(token):
    return APIClient(headers={"Authorization": token})


@pytest.fixture
def monitor(alice):
    return client_with(services.create_token(user=alice, name="monitor", scopes=["read"]))


@pytest.fixture
def trader(alice):
    return client_with(services.create_token(user=alice, name="trader"))


def test_signing_in_gives_both_scopes_and_no_name_unless_asked(anonymous, alice):
    token = sign_in(anonymous).json()["token"]

    (row,) = client_with(token).get("/api/auth/tokens").json()
    assert (row["scopes"], row["name"]) == (["read", "trade"], "")


@pytest.mark.parametrize("scopes", [["read"], ["read", "trade"], ["trade", "read"]])
def test_signing_in_takes_scopes_and_a_name(anonymous, alice, scopes):
    token = sign_in(anonymous, scopes=scopes, name="on the wall").json()["token"]

    (row,) = client_with(token).get("/api/auth/tokens").json()
    assert (row["scopes"], row["name"]) == (sorted(scopes), "on the wall")


@pytest.mark.parametrize(
    "scopes",
    [[], ["trade"], ["admin"], ["read", "read"], "read", ["read", "admin"], None, [["read"]], [{}]],
)
def test_other_scopes_are_refused_with_what_would_do(anonymous, alice, scopes):
    refused = sign_in(anonymous, scopes=scopes)

    assert refused.status_code == 400
    assert list(refused.json()["fields"]) == ["scopes"]
    assert not AuthToken.objects.exists()


@pytest.mark.parametrize("name", [1, None, "x" * 81])
def test_a_name_is_a_text_of_at_most_80(anonymous, alice, name):
    assert list(sign_in(anonymous, name=name).json()["fields"]) == ["name"]


def test_the_list_shows_everything_but_the_token_newest_first(alice, monitor, trader):
    before = timezone.now()

    rows = trader.get("/api/auth/tokens").json()

    assert [row["name"] for row in rows] == ["trader", "monitor"]
    assert set(rows[0]) == {"id", "name", "scopes", "created_at", "last_used_at", "expires_at"}
    assert UUID(rows[0]["id"])
    assert re.fullmatch(r"[\d-]{10}T[\d:]{8}\.\d{3}Z", rows[0]["expires_at"])
    assert rows[0]["created_at"] < rows[0]["expires_at"]
    assert rows[0]["last_used_at"] >= before.isoformat()[:19]
    assert rows[1]["last_used_at"] is None
    assert not re.search(r"[0-9a-f]{32}", str(rows))


def test_only_ones_own_tokens_that_still_open_something_are_listed(alice, bob, trader):
    services.create_token(user=bob, name="bob's")
    old, _ = AuthToken.objects.create(alice)
    AuthToken.objects.filter(pk=old.pk).update(expiry=timezone.now() - timedelta(seconds=1))

    assert [row["name"] for row in trader.get("/api/auth/tokens").json()] == ["trader"]


def test_a_use_is_written_down_at_most_once_a_minute(alice, trader, django_assert_num_queries):
    trader.get("/api/user")
    details = TokenDetails.objects.get(name="trader")
    with django_assert_num_queries(1):
        trader.get("/api/user")

    TokenDetails.objects.update(last_used_at=details.last_used_at - timedelta(minutes=2))
    trader.get("/api/user")

    again = TokenDetails.objects.get(name="trader").last_used_at
    assert details.last_used_at <= again <= timezone.now()


def test_a_revoked_token_opens_nothing_and_the_others_go_on(alice, monitor, trader):
    token_id = TokenDetails.objects.get(name="monitor").pk

    answer = trader.delete(f"/api/auth/tokens/{token_id}")

    assert (answer.status_code, answer.content) == (204, b"")
    assert monitor.get("/api/user").status_code == 401
    assert trader.get("/api/user").status_code == 200
    assert trader.delete(f"/api/auth/tokens/{token_id}").status_code == 404


def test_anothers_token_is_not_found(alice, bob, trader):
    services.create_token(user=bob)
    token_id = TokenDetails.objects.get(token__user=bob).pk

    anothers = trader.delete(f"/api/auth/tokens/{token_id}")

    assert (anothers.status_code, anothers.json()["error"]) == (404, "not_found")
    assert anothers.content == trader.delete(f"/api/auth/tokens/{UNKNOWN}").content
    assert AuthToken.objects.filter(user=bob).exists()


@pytest.mark.parametrize(("method", "route"), WRITES)
def test_a_token_that_only_reads_is_refused_on_every_write(monitor, method, route):
    url = route.url(bot_id=UNKNOWN, session_id=UNKNOWN, strategy_id=UNKNOWN, token_id=UNKNOWN)

    refused = getattr(monitor, method.lower())(url, {})

    assert (refused.status_code, refused.json()["error"]) == (403, "insufficient_scope")


def test_it_is_refused_before_anything_is_looked_at(monitor):
    refused = monitor.generic("POST", "/api/bots", b"{", content_type="text/plain")

    assert refused.status_code == 403


def test_it_reads_what_its_user_reads(monitor):
    for path in ("/user", "/bots", "/strategies", "/auth/tokens", "/market-data/status"):
        assert monitor.get(f"/api{path}").status_code == 200


def test_a_token_made_elsewhere_has_details_too(alice):
    row, token = AuthToken.objects.create(alice)

    assert row.details.scopes == ["read", "trade"]
    assert client_with(token).patch("/api/user", {"slippage": "0.10"}).status_code == 200


def test_tokens_are_counted_once_whoever_ends_them(alice, bob):
    for _ in range(2):
        services.create_token(user=alice)
    services.create_token(user=bob)
    AuthToken.objects.filter(user=bob).update(expiry=timezone.now() - timedelta(days=1))

    ended = services.delete_expired_tokens(now=timezone.now())
    revoked = services.revoke_all_tokens(users=User.objects.filter(pk=alice.pk))

    assert (ended, revoked) == (1, 2)
    assert not TokenDetails.objects.exists()
