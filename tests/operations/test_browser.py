"""An operator throws the kill switch in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from sessions.models import TradingHalt
from tests.browser.conftest import (  # noqa: F401  fixtures of the browser's tests
    chromium,
    page,
    web,
    web_process,
)
from tests.factories import PASSWORD, BotSessionFactory, UserFactory
from tests.sessions import market

pytestmark = pytest.mark.browser


def test_the_kill_switch_from_the_health_page_to_its_lifting(page: Page):  # noqa: F811
    UserFactory(email="root@example.com", is_staff=True, is_superuser=True)
    market.announce()
    market.publish([market.tick(1)])
    session = BotSessionFactory(trading_date=market.DAY, bot__name="needle")
    page.goto("/admin/login/?next=/admin/")
    page.locator("input[name=username]").fill("root@example.com")
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("button[type=submit]").click()

    page.get_by_role("link", name="Health").first.click()
    page.get_by_role("link", name="Live sessions").click()
    expect(page.get_by_text("needle")).to_be_visible()
    page.get_by_role("link", name="Health").first.click()
    page.get_by_role("link", name="Halt all trading").click()
    page.get_by_label("Reason").fill("quotes look wrong")
    page.get_by_role("button", name="Halt all trading").click()
    expect(page.get_by_role("alert")).to_contain_text("quotes look wrong")
    page.get_by_role("link", name="Lift the halt").click()
    page.get_by_label("Reason").fill("they are right")
    page.get_by_role("button", name="Lift the halt").click()
    expect(page.get_by_role("link", name="Halt all trading")).to_be_visible()

    session.refresh_from_db()
    assert session.status == "killing"
    assert TradingHalt.objects.get().lift_reason == "they are right"
