"""Pictures of every page in light, dark and on a phone, for people to look at.

    bin/up --data DIR                                  (in another terminal)
    .venv/bin/python -m tests.browser.screenshots FOLDER [--url http://127.0.0.1:8000]

Signs in as the demo account and writes FOLDER/<page>-<look>.png; needs a Chromium, as the browser
tests do. What the pages weigh is measured by `python -m bench.pages`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from launcher import chromium
from tests.browser.chrome import FLAGS

# The account bin/up prints.
EMAIL = "demo@zerohour.local"
PASSWORD = "zerohour-demo"
LOOKS = {
    "light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2},
}
SETTLE_MS = 1500  # for charts to draw and the stream to begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    path = chromium.find()
    if path is None:
        parser.error(
            "no chromium found; install Debian's package chromium, or name one in CHROMIUM"
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        for look in LOOKS:
            _take(browser, look, given.url, given.folder)
        browser.close()


def _take(browser: Browser, look: str, url: str, folder: Path) -> None:
    context = browser.new_context(base_url=url, **LOOKS[look])  # type: ignore[arg-type]  # one dict for each look
    page = context.new_page()
    _shoot(page, "/login", folder / f"login-{look}.png")
    sign_in(page)
    for name, address in addresses(page).items():
        _shoot(page, address, folder / f"{name}-{look}.png")
    context.close()


def sign_in(page: Page) -> None:
    """As the demo account."""
    page.goto("/login")
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")


def addresses(page: Page) -> dict[str, str]:
    """Every page by name. The bot is the first that holds a trade, if one does; the strategy the
    first there is.
    """
    found = {"overview": "/", "market": "/market", "strategies": "/strategies"}
    found |= {"strategy-new": "/strategies/new?template=iron-condor", "account": "/account"}
    found |= {"strategy-program": "/strategies/new?kind=program"}
    found |= {"bot-new": "/bots/new", "alerts": "/account/alerts"}
    page.goto("/")
    trades = page.locator("td[data-label=Trades]:not(:text-is('0'))")
    holders = page.locator("table.overview tbody tr").filter(has=trades)
    rows = holders if holders.count() else page.locator("table.overview tbody tr")
    for name, selector in (("bot", "a[id^=bot-]"), ("session", "a[id^=session-]")):
        link = rows.first.locator(selector)
        if link.count():
            found[name] = link.first.get_attribute("href") or ""
    if "bot" in found:
        found |= {name: f"{found['bot']}/{name}" for name in ("edit", "start", "archive")}
    if "session" in found:
        found |= {name: f"{found['session']}/{name}" for name in ("stop", "cancel-orders")}
    page.goto("/strategies")
    link = page.locator("main a[href^='/strategies/']:not([href*=new])")
    if link.count():
        found["strategy"] = link.first.get_attribute("href") or ""
        found["strategy-delete"] = f"{found['strategy']}/delete"
    return found


def _shoot(page: Page, address: str, path: Path) -> None:
    page.goto(address)
    page.wait_for_timeout(SETTLE_MS)
    page.screenshot(path=path, full_page=True)
    print(path.name)


if __name__ == "__main__":
    main()
