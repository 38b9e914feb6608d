"""What a channel is sent, how it is signed, and what becomes of what is not taken."""

from __future__ import annotations

import re
import smtplib
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.core import mail
from django.db import connection

from alerts import outbound, services
from alerts.models import Channel, Delivery
from common.errors import InvalidInput, NotFound
from tests.sessions import market

NOW = datetime(2026, 5, 7, 14, 0, tzinfo=UTC)
DOCS = Path(__file__).resolve().parent.parent.parent / "docs" / "alerts.md"


def deliver(seconds: float = 0) -> Delivery:
    services.deliver_due(now=NOW + timedelta(seconds=seconds))
    return Delivery.objects.get()


@pytest.fixture
def delivery(channel) -> Delivery:
    return services.send_test(owner=channel.owner, channel_id=channel.pk, now=NOW)


def is_genuine(*arguments: Any) -> bool:
    """The check of docs/alerts.md, run as it stands there."""
    (code,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    scope: dict[str, Any] = {}
    exec(code, scope)  # the page's own example
    return scope["is_genuine"](*arguments)


def test_a_webhook_gets_signed_json_once(hook, channel, delivery) -> None:
    delivered = deliver()
    services.deliver_due(now=NOW + timedelta(days=1))

    ((headers, body),) = hook.received
    assert (delivered.status, delivered.answer) == ("delivered", "204 No Content")
    assert orjson.loads(body)["id"] == str(delivery.pk) == headers["Zerohour-Delivery"]
    assert orjson.loads(body)["kind"] == "test"


def test_the_signature_is_checked_as_the_page_says(hook, channel, delivery) -> None:
    deliver()

    ((headers, body),) = hook.received
    header, now = headers["Zerohour-Signature"], NOW.timestamp()
    assert is_genuine(channel.secret, header, body, now)
    assert not is_genuine(channel.secret, header, body + b" ", now)
    assert not is_genuine("0" * 64, header, body, now)
    assert not is_genuine(channel.secret, header, body, now + 301)


def test_what_is_not_taken_is_tried_again_after_growing_waits_and_then_given_up(
    hook, delivery
) -> None:
    hook.answers = [500]
    waits, at = [], 0.0

    while (row := deliver(at)).status == "waiting":
        wait = (row.due_at - NOW).total_seconds() - at
        waits.append(wait)
        services.deliver_due(now=NOW + timedelta(seconds=at + wait - 1))  # not due yet
        at += wait

    assert waits == [10, 60, 300, 1_800, 7_200]
    assert (row.status, row.attempts, len(hook.received)) == ("failed", 6, 6)
    assert row.answer == "answered 500 Internal Server Error"
    assert row.due_at is None


def test_a_second_try_that_is_taken_ends_it(hook, delivery) -> None:
    hook.answers = [503, 200]

    assert deliver().status == "waiting"
    assert deliver(10).status == "delivered"


def test_a_redirect_is_not_followed(hook, delivery) -> None:
    hook.answers = [302]

    assert deliver().answer == "answered 302 Found"
    assert len(hook.received) == 1


def test_an_address_nobody_listens_at_is_an_answer_too(hook, channel, delivery) -> None:
    Channel.objects.update(url="http://127.0.0.1:1/")

    assert deliver().answer.startswith("no connection")


def test_a_name_nobody_knows_is_an_answer_too(hook, channel, delivery) -> None:
    Channel.objects.update(url="http://no-such-host.invalid/")

    assert deliver().answer == "no-such-host.invalid is not a known host"


def test_a_given_up_delivery_can_be_tried_again(hook, alice, delivery) -> None:
    Delivery.objects.update(status="failed", attempts=6, due_at=None)

    services.try_again(owner=alice, delivery_id=delivery.pk, now=NOW)

    assert deliver().status == "delivered"


def test_only_ones_own_failed_delivery_is_tried_again(bob, alice, delivery) -> None:
    with pytest.raises(NotFound):
        services.try_again(owner=alice, delivery_id=delivery.pk, now=NOW)  # still waiting
    Delivery.objects.update(status="failed")
    with pytest.raises(NotFound):
        services.try_again(owner=bob, delivery_id=delivery.pk, now=NOW)


def test_an_e_mail_says_it_in_its_subject(alice, db) -> None:
    channel = services.add_channel(
        owner=alice, channel_type="email", kinds=["halted"], market_at=market.OPEN_AT
    )
    services.send_test(owner=alice, channel_id=channel.pk, now=NOW)

    assert deliver().status == "delivered"
    (sent,) = mail.outbox
    assert (sent.subject, sent.to) == (
        "A test from Zerohour: alerts reach you here.",
        ["alice@example.com"],
    )


def test_a_mail_server_that_refuses_is_tried_again(alice, db, monkeypatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise smtplib.SMTPServerDisconnected("gone")

    monkeypatch.setattr(services, "send_mail", refuse)  # the mail server is outside our walls
    channel = services.add_channel(
        owner=alice, channel_type="email", kinds=["halted"], market_at=market.OPEN_AT
    )
    services.send_test(owner=alice, channel_id=channel.pk, now=NOW)

    assert deliver().answer == "the mail was not taken: gone"


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_each_delivery_once(hook, channel) -> None:
    for _ in range(10):
        services.send_test(owner=channel.owner, channel_id=channel.pk, now=NOW)
    gate = threading.Barrier(3)

    def run() -> None:
        gate.wait()
        services.deliver_due(now=NOW)
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    ids = [headers["Zerohour-Delivery"] for headers, _ in hook.received]
    assert len(ids) == len(set(ids)) == 10


def test_a_worker_that_dies_in_between_costs_a_wait_only(hook, delivery) -> None:
    Delivery.objects.update(attempts=1, due_at=NOW + services.CLAIM)  # claimed, then gone

    services.deliver_due(now=NOW)
    assert hook.received == []
    assert deliver(services.CLAIM.total_seconds()).status == "delivered"


def test_what_ended_long_ago_is_forgotten(hook, delivery) -> None:
    deliver()

    assert services.delete_old_deliveries(kept_days=30, now=NOW + timedelta(days=30)) == 0
    assert services.delete_old_deliveries(kept_days=30, now=NOW + timedelta(days=31)) == 1


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://example.com/hook", "begins with https://"),
        ("ftp://example.com/", "begins with https://"),
        ("example.com/hook", "begins with https://"),
        ("https://", "begins with https://"),
        ("https://example.com:99999/", "web address"),
        ("https://[::1/", "web address"),
        ("https://me:secret@example.com/", "must not contain a password"),
        (f"https://example.com/{'x' * 500}", "at most 500"),
    ],
)
def test_an_address_that_cannot_be_is_refused_with_the_reason(alice, url, why) -> None:
    with pytest.raises(InvalidInput) as refused:
        services.add_channel(
            owner=alice,
            channel_type="webhook",
            url=url,
            kinds=["filled"],
            market_at=market.OPEN_AT,
        )

    assert why in refused.value.fields["url"][0]
    assert not Channel.objects.exists()


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "10.1.2.3", "192.168.0.1", "169.254.169.254", "::1"]
)
def test_private_addresses_are_not_called(host) -> None:
    with pytest.raises(outbound.NotReached, match="private network"):
        outbound.checked_address(host, 443, allow_private=False)


def test_the_address_that_was_checked_is_the_one_that_is_called(monkeypatch) -> None:
    """A name that answers with a public address first and a private one afterwards."""
    answers = iter(["93.184.215.14", "127.0.0.1"])
    asked = []

    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(2, 1, 6, "", (next(answers), port))]

    monkeypatch.setattr(outbound.socket, "getaddrinfo", resolve)  # the name server is not ours

    assert outbound.checked_address("rebinding.example", 443, allow_private=False) == (
        "93.184.215.14"
    )
    with pytest.raises(outbound.NotReached, match="private network"):
        outbound.post("http://rebinding.example/", body=b"", headers={}, allow_private=False)
    assert asked == ["rebinding.example"] * 2


def test_there_is_one_e_mail_channel_and_a_limit_to_the_others(alice, hook) -> None:
    def add(channel_type: str) -> None:
        services.add_channel(
            owner=alice,
            channel_type=channel_type,
            url=hook.url,
            kinds=["filled"],
            market_at=market.OPEN_AT,
        )

    add("email")
    with pytest.raises(InvalidInput, match="told already"):
        add("email")
    for _ in range(services.CHANNELS_LIMIT - 1):
        add("webhook")
    with pytest.raises(InvalidInput, match="which is all there can be"):
        add("webhook")


@pytest.mark.parametrize("kinds", [[], ["filled", "dreamt"]])
def test_kinds_that_are_none_are_refused(alice, hook, kinds) -> None:
    with pytest.raises(InvalidInput, match="must be some of started"):
        services.add_channel(
            owner=alice,
            channel_type="webhook",
            url=hook.url,
            kinds=kinds,
            market_at=market.OPEN_AT,
        )
