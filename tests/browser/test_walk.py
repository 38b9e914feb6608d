"""A newcomer's way through the pages."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from bots.models import Bot
from tests.factories import BotFactory
from tests.sessions import market

pytestmark = pytest.mark.browser


@pytest.fixture
def bot(owner):
    return BotFactory(owner=owner, name="Spread")


def test_signing_in_leads_to_the_bots_and_signing_out_back(page: Page, sign_in, bot) -> None:
    sign_in()
    expect(page.get_by_role("link", name="Spread", exact=True)).to_be_visible()

    page.get_by_role("button", name="Sign out").click()

    expect(page.get_by_role("heading", name="Sign in to Zerohour")).to_be_visible()


def test_the_first_bot_in_three_steps(page: Page, sign_in, owner) -> None:
    sign_in()
    page.get_by_role("link", name="Save a strategy").click()
    page.get_by_role("link", name="Iron condor", exact=True).click()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="New bot with it").click()
    page.get_by_label("Name").fill("My condor")

    page.get_by_role("button", name="Create the bot").click()

    expect(page.get_by_role("heading", name="My condor")).to_be_visible()
    assert Bot.objects.get(name="My condor").strategy_name == "Iron condor"


def test_a_wrong_setting_is_said_beside_it_and_then_saved_right(page: Page, sign_in, bot) -> None:
    sign_in()
    page.get_by_role("link", name="Spread", exact=True).click()
    page.get_by_role("link", name="Edit settings").click()
    field = page.get_by_label("Open trades at most")

    field.fill("0")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#field-max_open_positions-error")).to_have_text(
        "must be a whole number from 1 to 100"
    )
    expect(page.locator("#problems")).to_be_focused()
    field.fill("3")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("Changes take effect with the next session")).to_be_visible()
    bot.refresh_from_db()
    assert bot.policy["max_open_positions"] == 3


def test_a_start_outside_hours_is_refused_with_the_reason(page: Page, sign_in, bot) -> None:
    market.announce()
    sign_in()
    page.get_by_role("link", name="Start Spread").click()

    page.get_by_role("button", name="Start the session").click()

    expect(page.get_by_role("alert")).to_contain_text("outside regular trading hours")


def test_a_token_is_created_shown_once_and_revoked(page: Page, sign_in, owner) -> None:
    sign_in()
    page.get_by_role("link", name="Account").click()
    page.get_by_role("button", name="Create a token").click()
    expect(page.locator("#new-token .token")).to_have_text(re.compile("^[0-9a-f]{32}$"))

    page.get_by_role("button", name="Revoke").click()

    expect(page.get_by_text("No token yet.")).to_be_visible()


def test_the_rows_follow_without_a_reload_and_keep_the_focus(page: Page, sign_in, bot) -> None:
    sign_in()
    link = page.get_by_role("link", name="Spread", exact=True)
    link.focus()

    Bot.objects.filter(pk=bot.pk).update(cash_balance_cents=2_612_345)

    expect(page.get_by_role("row", name="Spread")).to_contain_text("$26,123.45")
    expect(link).to_be_focused()


def test_the_pages_can_be_walked_by_keyboard_alone(page: Page, sign_in, bot) -> None:
    sign_in()
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()

    page.keyboard.press("Enter")

    expect(page.locator("main")).to_be_focused()


@pytest.mark.parametrize("address", ["/", "/market", "/strategies", "/account", "/bots/new"])
def test_no_page_is_wider_than_a_phone(page: Page, sign_in, bot, address) -> None:
    market.announce()
    market.publish([market.tick(1)])
    page.set_viewport_size({"width": 360, "height": 740})
    sign_in()

    page.goto(address)

    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 360
