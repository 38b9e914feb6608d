"""An operator throws the kill switch in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from sessions.models import BotSession, TradingHalt
from tests.browser.conftest import (  # noqa: F401  fixtures of the browser's tests
    chromium,
    page,
    web,
    web_process,
)
from tests.factories import PASSWORD, BotSessionFactory, UserFactory
from tests.sessions import market

pytestmark = pytest.mark.browser


@pytest.fixture
def session(transactional_db: None) -> BotSession:
    market.announce()
    market.publish([market.tick(1)])
    return BotSessionFactory(trading_date=market.DAY, bot__name="needle")


def sign_in(page: Page) -> None:  # noqa: F811
    UserFactory(email="root@example.com", is_staff=True, is_superuser=True)
    page.goto("/admin/login/?next=/admin/")
    page.locator("input[name=username]").fill("root@example.com")
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("button[type=submit]").click()


def test_the_kill_switch_from_the_health_page_to_its_lifting(
    page: Page,  # noqa: F811
    session: BotSession,
):
    sign_in(page)

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


def test_the_list_of_sessions_follows_them_but_not_under_the_operators_hand(
    page: Page,  # noqa: F811
    session: BotSession,
):
    sign_in(page)
    page.goto("/admin/bot_sessions/botsession/?status=live")
    row = page.get_by_role("row", name="needle")
    expect(row).to_be_visible()

    BotSession.objects.filter(pk=session.pk).update(takeovers=417)
    expect(row).to_contain_text("417")
    row.get_by_role("checkbox").check()
    BotSession.objects.filter(pk=session.pk).update(takeovers=418)
    page.wait_for_timeout(6_000)  # longer than between two readings
    expect(row).to_contain_text("417")
    row.get_by_role("checkbox").uncheck()

    expect(row).to_contain_text("418")
