"""POST /auth/verify-email: a code by mail, one a minute, saying nothing about accounts."""

import re
from datetime import timedelta
from smtplib import SMTPException

import pytest
from django.core import mail
from django.utils import timezone

from accounts import codes
from accounts.models import EmailCode

pytestmark = pytest.mark.django_db
ADDRESS = "carol@example.com"


def ask(client, email=ADDRESS, **more):
    return client.post("/api/auth/verify-email", {"email": email, **more})


def test_the_code_of_six_digits_goes_to_the_address(anonymous):
    answer = ask(anonymous)

    assert (answer.status_code, answer.content) == (204, b"")
    (message,) = mail.outbox
    assert message.to == [ADDRESS]
    assert len(re.findall(r"\b\d{6}\b", message.body)) == 1


def test_an_address_with_an_account_gets_the_same_answer_and_mail(anonymous, alice):
    answer = ask(anonymous, alice.email)

    assert (answer.status_code, answer.content) == (204, b"")
    assert [message.to for message in mail.outbox] == [[alice.email]]


def test_only_a_keyed_hash_of_the_code_is_stored(anonymous, settings):
    ask(anonymous)

    code = re.search(r"\b\d{6}\b", mail.outbox[0].body).group()
    stored = EmailCode.objects.get().code_hash
    assert code not in stored
    settings.SECRET_KEY = "another key"
    assert codes._hash(ADDRESS, code) != stored


def test_a_second_code_within_a_minute_is_refused_with_the_time_left(anonymous):
    ask(anonymous)
    EmailCode.objects.update(sent_at=timezone.now() - timedelta(seconds=20))

    refused = ask(anonymous, ADDRESS.upper())

    assert (refused.status_code, refused.json()["error"]) == (429, "rate_limit_exceeded")
    assert refused["Retry-After"] in {"39", "40"}
    assert len(mail.outbox) == 1


def test_after_a_minute_a_new_code_replaces_the_old_one_with_five_new_tries(anonymous):
    ask(anonymous)
    old_hash = EmailCode.objects.get().code_hash
    EmailCode.objects.update(sent_at=timezone.now() - timedelta(seconds=61), tries=5)

    answer = ask(anonymous)

    row = EmailCode.objects.get()
    assert answer.status_code == 204
    assert row.code_hash != old_hash
    assert (row.tries, row.used_at) == (0, None)


def test_the_minute_is_counted_per_address(anonymous):
    ask(anonymous)

    answer = ask(anonymous, "dave@example.com")

    assert answer.status_code == 204


def test_mail_that_cannot_be_sent_is_said_and_costs_no_minute(anonymous, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise SMTPException("secret host is down")

    with monkeypatch.context() as patched:
        patched.setattr(codes, "send_mail", refuse)
        failed = ask(anonymous)

    answer = ask(anonymous)

    assert (failed.status_code, failed.json()["error"]) == (503, "mail_unavailable")
    assert "secret" not in failed.content.decode()
    assert answer.status_code == 204


@pytest.mark.parametrize(
    "email", ["", "x", "a@b", 5, None, ["a@example.com"], "a@exam\nple.com", "a" * 250 + "@x.com"]
)
def test_what_is_no_address_is_refused_by_name(anonymous, email):
    refused = ask(anonymous, email)

    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_input")
    assert list(refused.json()["fields"]) == ["email"]
    assert not mail.outbox


def test_an_unknown_field_is_refused(anonymous):
    refused = ask(anonymous, name="Carol")

    assert list(refused.json()["fields"]) == ["name"]


def test_an_old_token_does_not_hinder(anonymous):
    answer = anonymous.post(
        "/api/auth/verify-email", {"email": ADDRESS}, headers={"Authorization": "0" * 32}
    )

    assert answer.status_code == 204
