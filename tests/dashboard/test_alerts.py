from __future__ import annotations

import pytest

from alerts import services
from alerts.models import Channel, Delivery
from tests.alerts.conftest import channel, hook  # noqa: F401  fixtures
from tests.sessions import market


def test_a_channel_is_added_and_listed_with_its_secret(browser, alice) -> None:
    body = {"type": "webhook", "url": "https://example.com/hook", "kinds": ["halted", "filled"]}

    page = browser.post("/account/alerts", body, follow=True).content.decode()

    added = Channel.objects.get(owner=alice)
    assert added.kinds == ["filled", "halted"]
    assert added.secret in page
    assert "https://example.com/hook" in page


def test_what_is_wrong_is_said_and_what_was_typed_stays(browser, db) -> None:
    answer = browser.post(
        "/account/alerts", {"type": "webhook", "url": "nowhere", "kinds": ["filled"]}
    )

    page = answer.content.decode()
    assert answer.status_code == 400
    assert "must be a web address that begins with https://" in page
    assert 'value="nowhere"' in page
    assert not Channel.objects.exists()


def test_a_test_is_sent_logged_and_tried_again(browser, channel, hook) -> None:  # noqa: F811  fixtures
    hook.answers = [500]
    browser.post(f"/account/alerts/{channel.pk}/test")
    delivery = Delivery.objects.get()
    services.deliver_due(now=delivery.due_at)
    Delivery.objects.update(status="failed", due_at=None)

    page = browser.get("/account/alerts").content.decode()
    browser.post(f"/account/alerts/log/{delivery.pk}/again")

    delivery.refresh_from_db()
    assert "answered 500 Internal Server Error" in page
    assert delivery.status == "waiting"


def test_a_removed_channel_is_told_nothing_more(browser, channel) -> None:  # noqa: F811  a fixture
    browser.post(f"/account/alerts/{channel.pk}/remove")

    assert not Channel.objects.exists()


@pytest.mark.parametrize("action", ["remove", "test"])
def test_what_is_somebody_elses_is_not_there(strangers_browser, channel, action) -> None:  # noqa: F811  a fixture
    answer = strangers_browser.post(f"/account/alerts/{channel.pk}/{action}")

    assert answer.status_code == 404
    assert Channel.objects.exists()
    assert not Delivery.objects.exists()


def test_nobody_tries_somebody_elses_delivery_again(strangers_browser, channel) -> None:  # noqa: F811  a fixture
    delivery = services.send_test(
        owner=channel.owner, channel_id=channel.pk, now=market.from_open(0)
    )
    Delivery.objects.update(status="failed")

    answer = strangers_browser.post(f"/account/alerts/log/{delivery.pk}/again")

    assert answer.status_code == 404


def test_the_page_says_when_a_failed_delivery_is_tried_again(browser, channel, hook) -> None:  # noqa: F811  fixtures
    hook.answers = [500]
    browser.post(f"/account/alerts/{channel.pk}/test")
    services.deliver_due(now=Delivery.objects.get().due_at)

    page = browser.get("/account/alerts").content.decode()

    assert "after 10 s, 1 min, 5 min, 30 min, 2 h, then given up" in page
    assert "next try" in page
