"""A stand-in for the thread that listens: it fills the book at each wait of the market."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime

from common.times import to_ms
from marketdata import queries
from marketdata.feeds.live.feed import LiveFeed
from marketdata.feeds.live.vendor import OfficialClose
from tests.marketdata.live.fakes import LiveWall, call, put, spot


class Listener:
    """What the link's thread would hear, at each wait of the market. `is_up` is the connection."""

    def __init__(self, monkeypatch, wall: LiveWall, until: datetime) -> None:
        self.is_up = True
        self.closes: dict[datetime, OfficialClose] = {}
        self.seen: list[tuple[datetime, str, bool, int]] = []
        self._wall, self._until = wall, until
        self.feed: LiveFeed | None = None
        wall.on_wait = self.hear
        listener = self

        @contextmanager
        def connected(feed):
            listener.feed = feed
            listener.hear()
            yield

        monkeypatch.setattr(LiveFeed, "connected", connected)
        monkeypatch.setattr(LiveFeed, "is_connected", property(lambda _: listener.is_up))

    def hear(self) -> None:
        at = self._wall.at
        now = queries.market_now()
        seq = 0 if now.day is None else now.day.last_seq
        self.seen.append((at, now.phase, now.is_healthy, seq))
        if self.feed is not None and self.is_up:
            mid = 1_000 + seq % 5 * 10
            quotes = [call(595_000, mid, mid + 20), put(595_000, mid, mid + 20)]
            self.feed.book.apply([spot(595_000 + seq), *quotes], to_ms(at))
            due = [close for when, close in self.closes.items() if when <= at]
            self.feed.book.apply(due, to_ms(at))
        if self.feed is not None and not self.is_up:
            self.feed.book.clear()
        self._wall.is_stopping = at >= self._until
