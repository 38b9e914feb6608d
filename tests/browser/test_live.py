"""The session page on its stream: live, broken, and back without a gap."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from common.times import to_ms
from sessions import financials
from sessions.models import BotSession
from simengine.step import Financials
from tests.browser.conftest import Web
from tests.dashboard.conftest import make_trade, write_line
from tests.factories import BotSessionFactory
from tests.sessions import market

pytestmark = pytest.mark.browser


@pytest.fixture
def session(owner) -> BotSession:
    """Running, two seconds old."""
    market.announce()
    market.publish([market.tick(1), market.tick(2)])
    session = BotSessionFactory(bot__owner=owner, bot__name="Spread", last_tick_seq=2)
    write_line(session, 0, 1_000)
    return session


def advance(session: BotSession, seq: int, profit_loss_cents: int) -> None:
    """One more second, committed as a runner does it."""
    nlv = session.opening_balance_cents + profit_loss_cents
    at_ms = to_ms(market.from_open(seq - 1))
    books = (nlv, nlv, profit_loss_cents, 0, profit_loss_cents, 0, nlv, 0)
    financials.chunk(session.pk, [Financials(seq, at_ms, *books)]).save()
    BotSession.objects.filter(pk=session.pk).update(last_tick_seq=seq)


@pytest.fixture
def watch(page: Page, sign_in: Callable[[], None], session: BotSession) -> Callable[[], None]:
    def open_page() -> None:
        sign_in()
        page.get_by_role("link", name="running").click()
        expect(page.locator("#stream-state")).to_have_text("● Live")

    return open_page


def test_figures_and_line_follow_the_stream(page: Page, watch, session) -> None:
    watch()
    expect(page.locator("[data-live=profit_loss]")).to_have_text("+$10.00")

    advance(session, 3, -2_550)

    expect(page.locator("[data-live=profit_loss]")).to_have_text("−$25.50")
    expect(page.locator("[data-live=net_liquidation_value]")).to_have_text("$24,974.50")
    expect(page.locator("[data-live=datetime]")).to_have_text("09:30:02")
    expect(page.locator("#pl-chart")).to_have_attribute("data-points", "3")
    expect(page.locator("#pl-chart canvas")).to_be_visible()


def test_trades_follow_the_stream(page: Page, watch, session) -> None:
    watch()
    expect(page.get_by_text("Nothing is open.")).to_be_visible()

    make_trade(session)
    advance(session, 3, 0)

    expect(page.get_by_role("row", name="put spread 5920/5945")).to_be_visible()


def test_what_came_last_is_shown_though_nothing_follows(page: Page, watch, session) -> None:
    watch()

    advance(session, 3, 0)  # the book is read at once
    expect(page.locator("[data-live=datetime]")).to_have_text("09:30:02")
    make_trade(session)
    advance(session, 4, 0)  # soon after it, and then the market stands still

    expect(page.get_by_role("row", name="put spread 5920/5945")).to_be_visible()


def test_a_broken_stream_is_announced_and_comes_back_without_a_gap(
    page: Page, watch, session, web: Web
) -> None:
    watch()

    web.stop()
    expect(page.locator("#stream-state")).to_contain_text("interrupted")
    for seq in range(3, 8):
        advance(session, seq, seq * 100)
    web.start()

    expect(page.locator("#stream-state")).to_have_text("● Live", timeout=30_000)
    expect(page.locator("[data-live=profit_loss]")).to_have_text("+$7.00")
    expect(page.locator("#pl-chart")).to_have_attribute("data-points", "7")


def test_the_page_says_when_polling_gets_no_answer(page: Page, sign_in, session, web: Web) -> None:
    sign_in()
    expect(page.locator("#offline")).to_be_hidden()

    web.stop()
    expect(page.locator("#offline")).to_be_visible()
    web.start()

    expect(page.locator("#offline")).to_be_hidden()


def test_a_stop_is_asked_for_with_the_positions_closed_first(page: Page, watch, session) -> None:
    make_trade(session)
    watch()
    page.get_by_role("link", name="Stop").click()

    page.get_by_label("Close them first.").check()
    page.get_by_role("button", name="Stop the session").click()

    expect(page.get_by_text("closes its positions and stops at its next tick")).to_be_visible()
    expect(page.locator("#session-head .badge")).to_have_text("killing")
    assert session.requests.get().kind == "kill_flat"
