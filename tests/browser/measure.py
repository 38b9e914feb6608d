"""What a page costs its reader: bytes over the wire, requests, first paint."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import CDPSession, Page

SHOWN = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"


@dataclass(frozen=True)
class Load:
    """A first visit: nothing of it was in the browser's cache."""

    wire_bytes: int  # headers and bodies as they came, compressed ones compressed
    requests: int  # that were answered
    first_paint_ms: float


def first_load(page: Page, address: str, *, settle_ms: int) -> Load:
    """Open an address with an empty cache and watch until `settle_ms` after it has loaded.

    A stream that stays open is no part of it.
    """
    tool = page.context.new_cdp_session(page)
    received = _count_bytes(tool)
    tool.send("Network.clearBrowserCache")
    page.goto(address, wait_until="load")
    page.wait_for_timeout(settle_ms)
    tool.detach()
    return Load(sum(received), len(received), page.evaluate(SHOWN))


def _count_bytes(tool: CDPSession) -> list[int]:
    received: list[int] = []
    tool.on("Network.loadingFinished", lambda part: received.append(part["encodedDataLength"]))
    tool.send("Network.enable")
    return received
