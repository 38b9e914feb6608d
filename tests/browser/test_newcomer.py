"""A newcomer's whole way on the live processes: from no account to a killed and a halted session.

The chain is that of tests/flows/tapes.py. Both bots sell the put spread 5945/5920 at market at
15:45; at 15:50 its mid jumps by 1.20, which is more than the second bot's cap of 125 dollars.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import tab
from tests.flows.api import Api, wait_until
from tests.flows.stack import Stack
from tests.flows.tapes import HandTape

pytestmark = [pytest.mark.browser, pytest.mark.stack, pytest.mark.timeout(300)]
TAPE = HandTape(first="15:40:00", puts_up_cents={"15:50:00": 120})
PROGRAM = """times = ["15:45"]


def at(ctx, time):
    ctx.open([sell("put", points_otm=5), buy("put", offset=-25, leg=0)], order="market")
"""
PASSWORD = "correct horse battery staple"
PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The market stands still after its first ticks, and moves only when it is told to."""
    tape = TAPE.write(tmp_path_factory.mktemp("tape"))
    as_installed = {"DJANGO_SETTINGS_MODULE": "config.settings.base"}  # its mail goes to the log
    with Stack(tape=tape, speed=1, market_options="--lead-seconds 1", env=as_installed) as running:
        Api.signed_up(running, "watcher@example.com").wait_for_the_open()
        running.manage("market", "pause")
        yield running


@pytest.fixture
def visitor(chromium: Browser, stack: Stack) -> Iterator[Page]:
    with tab(chromium, stack.base_url) as page:
        expect.set_options(timeout=PATIENCE_MS)
        yield page
        expect.set_options(timeout=10_000)


def test_from_no_account_to_a_killed_and_a_halted_session(visitor: Page, stack: Stack) -> None:
    register(visitor, stack)
    expect(visitor.get_by_role("heading", name="Your first bot in three steps")).to_be_visible()
    save_a_strategy(visitor)
    create_a_bot(visitor, "Killed", cap_pct="5")
    start(visitor, "Killed")
    create_a_bot(visitor, "Halted", cap_pct="0.5")
    start(visitor, "Halted")
    expect(visitor.locator("#stream-state")).to_have_text("● Live")

    stack.manage("market", "step", "360")
    spread = visitor.locator("#session-book tr", has_text="put spread 5920/5945").first
    expect(spread).to_be_visible()
    stop_with_its_positions_closed(visitor, "Killed")
    stack.manage("market", "step", "1200")  # to the close

    expect(visitor.locator("#session-head .badge")).to_have_text("killed")
    expect(visitor.locator("#session-book")).to_contain_text("Nothing is open.")
    visitor.goto("/")
    expect(visitor.get_by_role("row", name="Halted")).to_contain_text("halted")


def register(page: Page, stack: Stack) -> None:
    page.goto("/")
    page.get_by_role("link", name="Register").click()
    page.get_by_label("E-mail address").fill("newcomer@example.com")
    page.get_by_role("button", name="Send me a code").click()
    page.get_by_label("Code from the e-mail").fill(code_sent_by(stack))
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Register").click()


def code_sent_by(stack: Stack) -> str:
    """Mail is written to the web process's log unless a server is named."""
    found = wait_until(
        lambda: re.search(r"verification code is (\d{6})", stack.log("web")), "the mail is sent"
    )
    return found[1]


def save_a_strategy(page: Page) -> None:
    page.get_by_role("link", name="Save a strategy").click()
    tab_of_programs = page.get_by_role("link", name="Program", exact=True)
    tab_of_programs.click()
    expect(tab_of_programs).to_have_attribute("aria-current", "page")
    page.get_by_label("Name").fill("Put spread at a quarter to four")
    page.locator("#field-source").fill(PROGRAM)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("is saved. A bot can run it now.")).to_be_visible()


def create_a_bot(page: Page, name: str, *, cap_pct: str) -> None:
    page.goto("/bots/new")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Daily loss cap (%)").fill(cap_pct)
    page.get_by_role("button", name="Create the bot").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()


def start(page: Page, name: str) -> None:
    page.get_by_role("link", name="Start", exact=True).click()
    page.get_by_role("button", name="Start the session").click()
    expect(page.get_by_text(f"{name} is starting.")).to_be_visible()


def stop_with_its_positions_closed(page: Page, name: str) -> None:
    page.goto("/")
    page.get_by_role("link", name=f"Stop {name}").click()
    expect(page.get_by_text("It holds 1 open trade:")).to_be_visible()
    page.get_by_label("Close them first.").check()
    page.get_by_role("button", name="Stop the session").click()
    expect(page.get_by_text("closes its positions and stops at its next tick")).to_be_visible()
