"""Pictures of every page in light, dark and on a phone, for people to look at.

    bin/up --data DIR                                  (in another terminal)
    .venv/bin/python -m tests.browser.screenshots FOLDER [--url http://127.0.0.1:8000]

Signs in as the demo account and writes FOLDER/<page>-<look>.png; needs a Chromium, as the browser
tests do. Says of each page how many bytes it took and when it was first painted.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.chrome import FLAGS, chromium_path

# The account bin/up prints.
EMAIL = "demo@zerohour.local"
PASSWORD = "zerohour-demo"
LOOKS = {
    "light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2},
}
SETTLE_MS = 1500  # for charts to draw and the stream to begin
FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"
BYTES = """performance.getEntriesByType('resource')
    .concat(performance.getEntriesByType('navigation'))
    .reduce((sum, entry) => sum + entry.transferSize, 0)"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    path = chromium_path()
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
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")
    for name, address in _addresses(page).items():
        _shoot(page, address, folder / f"{name}-{look}.png")
    context.close()


def _addresses(page: Page) -> dict[str, str]:
    """Every page by name; those of a bot, a session and a strategy are the first there are."""
    found = {"overview": "/", "market": "/market", "strategies": "/strategies"}
    found |= {"strategy-new": "/strategies/new?template=iron-condor", "account": "/account"}
    found |= {"bot-new": "/bots/new"}
    page.goto("/")
    for name, selector in (("bot", "a[id^=bot-]"), ("session", "a[id^=session-]")):
        link = page.locator(selector)
        if link.count():
            found[name] = link.first.get_attribute("href") or ""
    if "bot" in found:
        found |= {"bot-edit": f"{found['bot']}/edit", "start": f"{found['bot']}/start"}
    if "session" in found:
        found["stop"] = f"{found['session']}/stop"
    page.goto("/strategies")
    link = page.locator("main a[href^='/strategies/']:not([href*=new])")
    if link.count():
        found["strategy"] = link.first.get_attribute("href") or ""
    return found


def _shoot(page: Page, address: str, path: Path) -> None:
    page.goto(address)
    page.wait_for_timeout(SETTLE_MS)
    kilobytes, paint_ms = page.evaluate(BYTES) / 1000, page.evaluate(FIRST_PAINT)
    page.screenshot(path=path, full_page=True)
    print(f"{path.name:28} {kilobytes:6.0f} kB  first paint {paint_ms:5.0f} ms")


if __name__ == "__main__":
    main()
