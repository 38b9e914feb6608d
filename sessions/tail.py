"""The newest messages of the sessions that somebody watches, read once for all streams of a
process.

A wake-up costs a few queries, however many streams and sessions there are. A stream that is further
behind than what is kept here (a reconnect, a slow client) reads for itself until it has caught up,
so it holds nobody up and no memory grows with it.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import takewhile
from weakref import WeakKeyDictionary

from django.db import DatabaseError, InterfaceError

from common import sse
from sessions.messages import Cursor, Message, read_many
from sessions.models import BotSession
from sessions.wakeups import MOVED_CHANNEL

KEPT = 600
# What a lost wake-up costs. Longer than a tick, so that none is asked for in vain.
POLL_SECONDS = 1.5

Sent = tuple[Cursor, bytes]

log = logging.getLogger(__name__)


def encoded(messages: list[Message]) -> list[Sent]:
    return [
        (at, sse.message(event, data, event_id=f"{at[0]}.{at[1]}")) for at, event, data in messages
    ]


@dataclass
class Watched:
    """One session: its row as last read, None once deleted, and all messages after `since`."""

    row: BotSession | None
    since: Cursor
    newest: Cursor
    messages: deque[Sent] = field(default_factory=lambda: deque(maxlen=KEPT))
    streams: set[asyncio.Event] = field(default_factory=set)

    def after(self, cursor: Cursor) -> list[Sent] | None:
        """What is kept after a cursor; None if it lies further back than that."""
        if cursor < self.since:
            return None
        return list(takewhile(lambda item: item[0] > cursor, reversed(self.messages)))[::-1]

    def take(self, row: BotSession | None, messages: list[Message]) -> None:
        is_news = row is None or self.row is None or row.status != self.row.status
        is_end = row is not None and row.settled_at is not None
        self.row = row
        for item in encoded(messages):
            if len(self.messages) == KEPT:
                self.since = self.messages[0][0]
            self.messages.append(item)
            self.newest = item[0]
        if messages or is_news or is_end:
            for woken in self.streams:
                woken.set()


class Tail:
    """Of one event loop."""

    def __init__(self) -> None:
        self._watched: dict[uuid.UUID, Watched] = {}
        self._follower: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def watched(self, session: BotSession) -> AsyncIterator[tuple[Watched, asyncio.Event]]:
        """The session's newest messages, and an event that is set when there are more."""
        tip = (session.last_tick_seq, 10**9)
        item = self._watched.setdefault(session.pk, Watched(session, tip, tip))
        woken = asyncio.Event()
        item.streams.add(woken)
        if self._follower is None or self._follower.done():
            self._follower = asyncio.create_task(self._follow())
            self._follower.add_done_callback(self._when_it_ends)
        try:
            yield item, woken
        finally:
            item.streams.discard(woken)
            if not item.streams:
                self._watched.pop(session.pk, None)
            if not self._watched and self._follower is not None:
                self._follower.cancel()
                self._follower = None

    def _when_it_ends(self, follower: asyncio.Task[None]) -> None:
        """A bug ends its streams, rather than leave them silent: their clients come again."""
        failure = None if follower.cancelled() else follower.exception()
        if failure is not None:
            log.error("the streams of sessions end: %s", failure, exc_info=failure)
            for item in self._watched.values():
                item.take(None, [])

    async def _follow(self) -> None:
        async with sse.hub().subscribed(MOVED_CHANNEL) as woken:
            while True:
                woken.clear()
                try:
                    await self._read()
                except (DatabaseError, InterfaceError) as exc:
                    log.warning("streams wait for the database: %s", exc)
                    await asyncio.sleep(sse.RETRY_AFTER_SECONDS)
                await sse.wait(woken, at_most_seconds=POLL_SECONDS)

    async def _read(self) -> None:
        asked = dict(self._watched)  # others may join while the answer is on its way
        found = await sse.read(read_many, {pk: item.newest for pk, item in asked.items()})
        for pk, item in asked.items():
            item.take(*found.get(pk, (None, [])))


_tails: WeakKeyDictionary[asyncio.AbstractEventLoop, Tail] = WeakKeyDictionary()


def tail() -> Tail:
    """The tail of the running event loop."""
    return _tails.setdefault(asyncio.get_running_loop(), Tail())
