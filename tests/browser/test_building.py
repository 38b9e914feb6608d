"""Writing a strategy with its preview beside it, and looking closely at a session's charts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from common.times import to_ms
from sessions import financials
from sessions.models import BotSession
from simengine.step import Financials
from strategies.models import StrategyLink
from tests.browser.test_live import advance
from tests.dashboard.conftest import write_line
from tests.factories import BotSessionFactory
from tests.sessions import market

pytestmark = pytest.mark.browser


@pytest.fixture
def chain(owner) -> None:
    market.announce()
    market.publish([market.tick(1), market.tick(2)])


def test_the_preview_follows_what_is_typed_and_the_form_is_saved(
    page: Page, sign_in, chain
) -> None:
    sign_in()
    page.goto("/strategies/new?template=put-credit-spread")
    preview = page.locator("#preview")
    expect(preview).to_contain_text("Nothing would be opened now")  # no strike so far below

    strike = page.locator("#field-legs-0-strike-method")
    strike.select_option("points_otm")
    page.locator("#field-legs-0-strike-value").fill("5")
    expect(preview).to_contain_text("$2,255.00")  # what a 25 point spread at 2.45 can lose
    page.locator("#field-sizing-contracts").fill("2")
    expect(preview).to_contain_text("$4,510.00")
    page.locator("#field-entry-times").fill("noon")
    expect(preview).to_contain_text("Not ready")
    page.locator("#field-entry-times").fill("12:00")
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.get_by_text("is saved. A bot can run it now.")).to_be_visible()
    config = StrategyLink.objects.get().config
    assert config["sizing"] == {"contracts": 2}
    assert config["entry"]["times"] == ["12:00"]


def test_legs_are_added_and_removed_with_what_was_typed_kept(page: Page, sign_in, chain) -> None:
    sign_in()
    page.goto("/strategies/new?template=long-call")
    page.get_by_label("Name").fill("Mine")

    page.get_by_role("button", name="Add a leg").click()
    expect(page.locator("legend", has_text="Leg 1")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("Mine")
    page.get_by_role("button", name="Remove leg 1").click()

    expect(page.locator("legend", has_text="Leg 1")).to_have_count(0)


def test_a_program_that_does_not_parse_is_shown_at_its_line(page: Page, sign_in, chain) -> None:
    sign_in()
    page.goto("/strategies/new?kind=program")

    page.locator("#field-source").fill("times = []\n\ndef at(ctx, time):\n    return (\n")

    expect(page.locator("#preview mark")).to_contain_text("4      return (")


@pytest.fixture
def session(chain, owner) -> BotSession:
    session = BotSessionFactory(
        bot__owner=owner,
        last_tick_seq=2,
        created_at=market.OPEN_AT,
        last_tick_at=market.from_open(1),
    )
    write_line(session, 0, 1_000)
    return session


def test_the_index_follows_the_market_below_the_profit(page: Page, sign_in, session) -> None:
    sign_in()
    page.goto(f"/bots/{session.bot_id}/sessions/{session.pk}")
    expect(page.locator("#spot-chart")).to_have_attribute("data-points", "2")

    market.publish([market.tick(3)])
    advance(session, 3, 2_000)

    expect(page.locator("#spot-chart")).to_have_attribute("data-points", "3")
    expect(page.locator("#pl-chart")).to_have_attribute("data-points", "3")


def test_the_charts_zoom_and_pan_by_keyboard_together(page: Page, sign_in, session) -> None:
    ticks = [market.tick(seq) for seq in range(3, 601)]
    market.publish(ticks)
    points = [point(seq) for seq in range(3, 601)]
    financials.chunk(session.pk, points).save()
    BotSession.objects.update(last_tick_seq=600, last_tick_at=market.from_open(599))
    sign_in()
    page.goto(f"/bots/{session.bot_id}/sessions/{session.pk}")
    charts = page.locator("#pl-chart"), page.locator("#spot-chart")
    first, last = (to_ms(market.from_open(second)) // 1000 for second in (0, 599))
    for chart in charts:
        expect(chart).to_have_attribute("data-shown", f"{first} {last}")

    charts[0].focus()
    page.keyboard.press("-")  # there is nothing beyond the whole
    page.keyboard.press("+")
    for chart in charts:
        expect(chart).to_have_attribute("data-shown", f"{first + 60} {last - 60}")
    page.keyboard.press("ArrowRight")
    for chart in charts:
        expect(chart).to_have_attribute("data-shown", f"{first + 108} {last - 12}")
    page.keyboard.press("0")

    for chart in charts:
        expect(chart).to_have_attribute("data-shown", f"{first} {last}")


FINGERS = """async (moves) => {
    const over = document.querySelector('#pl-chart .u-over');
    const { left, width } = over.getBoundingClientRect();
    for (const [name, pointerId, share] of moves) {
        over.dispatchEvent(new PointerEvent(name, {
            pointerId, pointerType: 'touch', clientX: left + share * width, bubbles: true,
        }));
        await new Promise(requestAnimationFrame);
    }
}"""


def test_two_fingers_zoom_the_charts_and_one_pans_them(page: Page, sign_in, session) -> None:
    market.publish([market.tick(seq) for seq in range(3, 602)])
    financials.chunk(session.pk, [point(seq) for seq in range(3, 602)]).save()
    BotSession.objects.update(last_tick_seq=601, last_tick_at=market.from_open(600))
    sign_in()
    page.goto(f"/bots/{session.bot_id}/sessions/{session.pk}")
    first = to_ms(market.OPEN_AT) // 1000
    for chart in ("#pl-chart", "#spot-chart"):
        expect(page.locator(chart)).to_have_attribute("data-shown", f"{first} {first + 600}")

    # Two fingers, 0.2 of the width apart around the middle, move to 0.4 apart, then lift.
    down = [("pointerdown", 1, 0.4), ("pointerdown", 2, 0.6)]
    apart = [("pointermove", 1, 0.3), ("pointermove", 2, 0.7)]
    up = [("pointerup", 1, 0.3), ("pointerup", 2, 0.7)]
    page.evaluate(FINGERS, [*down, *apart, *up])
    shown = page.locator("#spot-chart").get_attribute("data-shown").split()
    zoomed = int(shown[1]) - int(shown[0])
    one = [("pointerdown", 1, 0.5), ("pointermove", 1, 0.4), ("pointerup", 1, 0.4)]
    page.evaluate(FINGERS, one)
    panned = page.locator("#spot-chart").get_attribute("data-shown").split()

    assert zoomed == pytest.approx(300, abs=2)
    assert int(panned[0]) - int(shown[0]) == pytest.approx(30, abs=2)


def point(seq: int) -> Financials:
    books = (2_500_000 + seq, 2_500_000, seq, 0, seq, 0, 2_500_000, 0)
    return Financials(seq, to_ms(market.from_open(seq - 1)), *books)
