"""Registering on the pages, by the API's own rules."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.test import Client

from accounts.models import User
from tests.factories import PASSWORD, UserFactory

ADDRESS = "carol@example.com"


@pytest.fixture
def visitor(db) -> Client:
    return Client()


def ask(visitor: Client, **changes: str):
    return visitor.post("/register", {"action": "send", "email": ADDRESS, **changes})


def code_sent() -> str:
    return re.findall(r"\b\d{6}\b", mail.outbox[-1].body)[0]


def answer(visitor: Client, **changes: str):
    body = {"email": ADDRESS, "verification_code": code_sent(), "password": PASSWORD}
    return visitor.post("/register", {**body, **changes}, follow=True)


def test_address_code_and_password_make_an_account_that_is_signed_in(visitor) -> None:
    ask(visitor, email="Carol@Example.com")

    page = answer(visitor).content.decode()

    assert User.objects.get().email == ADDRESS
    assert "Your first bot in three steps" in page


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"verification_code": "000000"}, "code"),
        ({"verification_code": "12"}, "must be the 6 digits we sent"),
        ({"password": "12345678"}, "too common"),
        ({"password": ""}, "password"),
    ],
)
def test_what_is_wrong_is_said_and_nobody_is_registered(visitor, changes, why) -> None:
    ask(visitor)

    refused = answer(visitor, **changes)

    assert refused.status_code == 400
    assert why in refused.content.decode()
    assert not User.objects.exists()


def test_the_page_does_not_tell_whether_an_address_has_an_account(visitor) -> None:
    UserFactory(email=ADDRESS)

    known = ask(visitor).content.decode()
    unknown = ask(visitor, email="dave@example.com").content.decode()

    masked = re.compile(r"value=\"[^\"]{40,}\"|(carol|dave)@example.com")
    assert masked.sub("", known) == masked.sub("", unknown)


def test_an_address_that_is_none_is_refused(visitor) -> None:
    refused = ask(visitor, email="carol")

    assert refused.status_code == 400
    assert "email" in refused.content.decode()
    assert mail.outbox == []


def test_a_second_code_within_the_minute_is_refused_with_the_wait(visitor) -> None:
    ask(visitor)

    assert ask(visitor).status_code == 429


def test_attempts_are_limited_but_looks_are_not(visitor, settings) -> None:
    settings.THROTTLE_RATES = {
        **settings.THROTTLE_RATES,
        "auth_ip": {"burst": 2, "refill_per_minute": 1},
    }
    browser = Client(REMOTE_ADDR="203.0.113.77")
    looks = [browser.get("/register").status_code for _ in range(5)]
    attempts = [ask(browser, email=f"user{n}@example.com") for n in range(3)]

    assert looks == [200] * 5
    assert [attempt.status_code for attempt in attempts] == [200, 200, 429]
    assert int(attempts[2]["Retry-After"]) > 0
    assert "Too many attempts" in attempts[2].content.decode()


def test_without_a_mail_server_the_page_says_where_the_mail_is(visitor, settings) -> None:
    usual = ask(visitor).content.decode()
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

    printed = ask(visitor, email="dave@example.com").content.decode()

    assert "output of its web process" not in usual
    assert "output of its web process" in printed
