"""What holds for every page: readable by everybody, by keyboard too, and light."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import resolve
from playwright.sync_api import Browser, Page, expect

from dashboard.urls import urlpatterns
from tests.browser.measure import first_load
from tests.browser.world import DAY_SECONDS, World, build, fill_the_day

pytestmark = pytest.mark.browser
MOST_BYTES = 300_000
RULES = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
SIGNED_OUT = ("/login", "/register")
# Routes that only take a form, or are parts and files of a page.
NO_PAGES = {
    "logout",
    "token-create",
    "token-revoke",
    "alert-remove",
    "alert-test",
    "alert-again",
    "bot-sessions-csv",
    "strategy-clone",
    "strategy-update",
    "backtest-start",
    "backtest-cancel",
    "backtest-csv",
}


@pytest.fixture
def world(owner) -> World:
    return build(owner)


def test_the_addresses_are_those_of_every_page(world: World) -> None:
    named = [route for route in urlpatterns if route.name]
    parts = {route.name for route in named if str(route.pattern).startswith("dashboard/")}
    pages = {route.name for route in named} - parts - NO_PAGES

    shown = {
        resolve(address.split("?")[0]).url_name
        for name, address in world.addresses().items()
        if name != "not-found"
    }

    assert pages - {"login", "register"} == shown


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_passes_the_rules_of_wcag_aa(
    page: Page, sign_in: Callable[[], None], world: World, scheme
) -> None:
    page.emulate_media(color_scheme=scheme)
    wrong = []
    for address in SIGNED_OUT:
        page.goto(address)
        wrong += complaints(page)
    sign_in()

    for address in world.addresses().values():
        page.goto(address)
        wrong += complaints(page)

    assert not wrong, "\n".join(wrong)


def complaints(page: Page) -> list[str]:
    found = Axe().run(page, options=RULES).response["violations"]
    return [
        f"{rule['id']} at {page.url}: {node['target']} {node['failureSummary']}"
        for rule in found
        for node in rule["nodes"]
    ]


def test_the_rules_find_what_is_wrong(page: Page) -> None:
    """The control: grey on grey, a picture without words, a field without a name."""
    page.goto("/login")
    page.evaluate(
        """() => {
            const heading = document.querySelector('h1');
            heading.insertAdjacentHTML('afterend', '<img src="x"><input>');
            heading.style.color = '#aaa';
        }"""
    )

    rules = {said.split(" at ")[0] for said in complaints(page)}

    assert {"color-contrast", "image-alt", "label"} <= rules


def test_no_page_is_heavier_than_allowed_on_a_first_visit(
    page: Page, sign_in: Callable[[], None], world: World
) -> None:
    """The session's page with the whole day's 23,400 seconds."""
    fill_the_day(world.live)
    sign_in()

    loads = {
        name: first_load(page, address, settle_ms=200)
        for name, address in world.addresses().items()
        if name != "session"
    }
    loads["session"] = first_load(page, world.addresses()["session"], settle_ms=3_000)
    expect(page.locator("#pl-chart")).to_have_attribute("data-points", str(DAY_SECONDS))
    expect(page.locator("#spot-chart")).to_have_attribute("data-points", str(DAY_SECONDS))

    too_heavy = {name: load for name, load in loads.items() if load.wire_bytes > MOST_BYTES}
    assert too_heavy == {}
    assert loads["session"].wire_bytes > 100_000  # it was counted


FOCUS = """() => {
    const at = document.activeElement;
    const style = getComputedStyle(at);
    return [at.tagName === 'BODY' ? '' : at.outerHTML.slice(0, 120),
            style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2];
}"""
REACHABLE = """() => [...document.querySelectorAll(
    'a[href], button, select, textarea, input:not([type=hidden]), [tabindex="0"]'
)].filter(each => each.checkVisibility() && each.type !== 'radio').length"""


@pytest.mark.parametrize("name", ["overview", "bot", "bot-edit", "session", "session-stop"])
def test_the_tab_key_reaches_everything_in_order_and_shows_where_it_is(
    page: Page, sign_in: Callable[[], None], world: World, name
) -> None:
    sign_in()
    page.goto(world.addresses()[name])
    expected = page.evaluate(REACHABLE)

    seen = []
    page.keyboard.press("Tab")
    while (stop := page.evaluate(FOCUS))[0] and len(seen) < expected + 20:
        seen.append(stop)
        page.keyboard.press("Tab")

    assert seen[0][0].startswith('<a class="skip"')
    assert len(seen) >= expected
    assert [where for where, is_marked in seen if not is_marked] == []


def test_a_time_says_the_readers_own_on_hover(
    chromium: Browser, page: Page, sign_in: Callable[[], None], world: World
) -> None:
    sign_in()
    page.context.storage_state()
    tokyo = chromium.new_context(
        storage_state=page.context.storage_state(), timezone_id="Asia/Tokyo", locale="en-GB"
    )
    tab = tokyo.new_page()
    tab.goto(page.url.rstrip("/") + world.addresses()["session"])
    shown = tab.locator("#session-book time", has_text="09:30:10").first

    shown.hover()

    expect(shown).to_have_attribute(
        "title", "7 May 2026, 22:30:10 your time, 2026-05-07 13:30:10 UTC"
    )
    tokyo.close()
