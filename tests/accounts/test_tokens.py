"""POST and DELETE /auth/sessions, and what the Authorization header accepts."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from knox.models import AuthToken
from rest_framework.test import APIClient

from accounts import tasks
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db


def sign_in(client, email="alice@example.com", password=PASSWORD, **more):
    return client.post("/api/auth/sessions", {"email": email, "password": password, **more})


def user_with(header):
    return APIClient().get("/api/user", headers={"Authorization": header})


@pytest.fixture
def token(alice):
    return AuthToken.objects.create(alice)[1]


def test_signing_in_answers_a_token_of_32_lower_case_hex(anonymous, alice):
    answer = sign_in(anonymous)

    assert answer.status_code == 201
    assert re.fullmatch("[0-9a-f]{32}", answer.json()["token"])
    assert user_with(answer.json()["token"]).status_code == 200


def test_only_a_hash_of_the_token_is_stored(anonymous, alice):
    token = sign_in(anonymous).json()["token"]

    row = AuthToken.objects.values().get()
    assert token not in str(row)


@pytest.mark.parametrize("email", ["ALICE@example.com", "Alice@Example.COM", " alice@example.com "])
def test_capitals_in_the_address_do_not_matter(anonymous, alice, email):
    assert sign_in(anonymous, email=email).status_code == 201


def test_wrong_password_unknown_address_closed_account_are_answered_alike(anonymous, alice, bob):
    bob.is_active = False
    bob.save()

    answers = [
        sign_in(anonymous, password="wrong"),
        sign_in(anonymous, email="nobody@example.com"),
        sign_in(anonymous, email=bob.email),
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json()["error"] == "unauthorized"
    assert answers[0]["WWW-Authenticate"] == "Bearer"


def test_an_unknown_address_costs_as_much_hashing_as_a_known_one(anonymous, alice, monkeypatch):
    hashed = []
    monkeypatch.setattr("accounts.services.make_password", hashed.append)

    sign_in(anonymous, email="nobody@example.com", password="guess")

    assert hashed == ["guess"]


def test_an_expired_token_in_the_header_does_not_hinder_signing_in(alice):
    client = APIClient(headers={"Authorization": "0" * 32})

    assert sign_in(client).status_code == 201


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"password": "x"}, "email"),
        ({"email": "alice@example.com"}, "password"),
        ({"email": 1, "password": "x"}, "email"),
        ({"email": "alice@example.com", "password": 1}, "password"),
        ({"email": "alice@example.com", "password": "x", "otp": "1"}, "otp"),
    ],
)
def test_a_malformed_body_is_refused_by_name(anonymous, alice, body, field):
    refused = anonymous.post("/api/auth/sessions", body)

    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_input")
    assert list(refused.json()["fields"]) == [field]


@pytest.mark.parametrize("prefix", ["", "Bearer ", "bearer ", "BEARER  ", " "])
def test_the_token_is_accepted_bare_and_as_bearer(token, prefix):
    assert user_with(prefix + token).status_code == 200


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: "Token " + token,
        lambda token: "Basic " + token,
        lambda token: "Bearer",
        lambda token: token[:-1],
        lambda token: token + "0",
        lambda token: token.upper().replace("0", "A"),
        lambda token: f"{token} {token}",
        lambda token: "0" * 32,
        lambda token: "é" * 32,
    ],
)
def test_anything_else_in_the_header_is_unauthorized(token, spoil):
    refused = user_with(spoil(token))

    assert (refused.status_code, refused.json()["error"]) == (401, "unauthorized")
    assert refused["WWW-Authenticate"] == "Bearer"


def test_no_header_is_unauthorized(anonymous):
    refused = anonymous.get("/api/user")

    assert (refused.status_code, refused.json()["error"]) == (401, "unauthorized")
    assert "POST /auth/sessions" in refused.json()["message"]
    assert refused["WWW-Authenticate"] == "Bearer"


def test_the_session_cookie_of_the_dashboard_opens_nothing_here(alice):
    client = APIClient()
    client.force_login(alice)

    assert client.get("/api/user").status_code == 401


def test_a_closed_account_is_shut_out_at_once(alice, token):
    alice.is_active = False
    alice.save()

    assert user_with(token).status_code == 401


def test_signing_out_revokes_the_token_used_and_no_other(alice, token):
    _, other = AuthToken.objects.create(alice)

    answer = APIClient().delete("/api/auth/sessions", headers={"Authorization": token})

    assert (answer.status_code, answer.content) == (204, b"")
    assert user_with(token).status_code == 401
    assert user_with(other).status_code == 200


def test_signing_out_needs_a_token(anonymous):
    refused = anonymous.delete("/api/auth/sessions")

    assert (refused.status_code, refused.json()["error"]) == (401, "unauthorized")


def test_a_token_past_its_end_is_refused(alice, token):
    AuthToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))

    assert user_with(token).status_code == 401


def test_a_token_in_use_lives_on(alice, token):
    soon = timezone.now() + timedelta(days=3)
    AuthToken.objects.update(expiry=soon)

    user_with(token)

    assert AuthToken.objects.get().expiry > soon + timedelta(days=80)


def test_a_request_with_a_token_in_use_is_one_query(alice, token, django_assert_num_queries):
    user_with(token)

    with django_assert_num_queries(1):
        user_with(token)


def test_cleaning_up_forgets_expired_tokens_and_only_those(alice, token):
    old, _ = AuthToken.objects.create(alice)
    AuthToken.objects.filter(pk=old.pk).update(expiry=timezone.now() - timedelta(days=1))

    tasks.clean_up()

    assert AuthToken.objects.count() == 1
    assert user_with(token).status_code == 200


def test_a_wrong_method_is_told_the_right_ones(anonymous):
    refused = anonymous.put("/api/auth/register", {})

    assert refused.status_code == 405
    assert refused["Allow"] == "POST, OPTIONS"
