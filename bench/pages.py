"""What each page costs on a first visit: `python -m bench.pages [--url http://127.0.0.1:8000]`.

    bin/up --data DIR                   (in another terminal; leave it until a day is over)

Signs in as the demo account with an empty cache for every page, and prints how many bytes and
requests it took and when it was first painted: the median of three visits. Then it zooms and pans
the charts of the last whole day, and prints how long a frame took. Needs a Chromium.
"""

from __future__ import annotations

import argparse
from statistics import median, quantiles

from playwright.sync_api import Page, sync_playwright

from launcher import chromium
from tests.browser.chrome import FLAGS
from tests.browser.measure import Load, first_load
from tests.browser.screenshots import addresses, sign_in

VISITS = 3
SETTLE_MS = 1_500
STEPS = 120
FRAMES = """async (steps) => {
    const over = document.querySelector('#pl-chart .u-over');
    const frame = () => new Promise(requestAnimationFrame);
    const took = [];
    let last = await frame();
    for (let step = 0; step < steps; step++) {
        over.dispatchEvent(new WheelEvent('wheel', {
            deltaY: step < steps / 3 ? -100 : 100, shiftKey: step % 2 === 1, cancelable: true,
        }));
        const now = await frame();
        took.push(now - last);
        last = now;
    }
    return took;
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    given = parser.parse_args()
    path = chromium.find()
    if path is None:
        parser.error(chromium.NONE_FOUND)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        page = browser.new_context(base_url=given.url).new_page()
        _print("login", _visits(page, "/login"))
        sign_in(page)
        pages = addresses(page)
        whole_day = _whole_day(page, pages["bot"])
        if whole_day:
            pages["session-settled"] = whole_day
        for name, address in pages.items():
            _print(name, _visits(page, address))
        if whole_day:
            _print_frames(page, whole_day)
        browser.close()


def _whole_day(page: Page, bot: str) -> str | None:
    """The newest session of a bot that is over."""
    page.goto(bot)
    row = page.locator("tr", has=page.locator(".badge.completed")).first
    return row.locator("th a").get_attribute("href") if row.count() else None


def _visits(page: Page, address: str) -> list[Load]:
    return [first_load(page, address, settle_ms=SETTLE_MS) for _ in range(VISITS)]


def _print(name: str, loads: list[Load]) -> None:
    kilobytes = median(load.wire_bytes for load in loads) / 1000
    requests = median(load.requests for load in loads)
    paint_ms = median(load.first_paint_ms for load in loads)
    print(f"{name:14} {kilobytes:6.0f} kB {requests:4.0f} requests  first paint {paint_ms:5.0f} ms")


def _print_frames(page: Page, address: str) -> None:
    page.goto(address)
    page.locator("#pl-chart[data-points]").wait_for()
    points = page.locator("#pl-chart").get_attribute("data-points")
    took = page.evaluate(FRAMES, STEPS)
    p95 = quantiles(took, n=20)[-1]
    print(f"zoom and pan over {points} seconds: a frame {median(took):.0f} ms, 95 % {p95:.0f} ms")


if __name__ == "__main__":
    main()
