"""Server-Sent Events: the wire format, the response, and one Redis subscription a process.

A stream never trusts the wake-up for content: it reads rows from the database by its own cursor, so
a lost wake-up costs a moment and a slow client costs nobody anything.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakKeyDictionary

import orjson
import redis.asyncio
from django.conf import settings
from django.http import StreamingHttpResponse
from redis.exceptions import RedisError

KEEP_ALIVE = b": keep-alive\n\n"
KEEP_ALIVE_SECONDS = 15.0
RETRY_AFTER_SECONDS = 2.0

log = logging.getLogger(__name__)


def message(event: str, data: Any, *, event_id: str | None = None) -> bytes:
    """One event; `data` is JSON on one line."""
    head = f"id: {event_id}\n" if event_id is not None else ""
    return f"{head}event: {event}\ndata: ".encode() + orjson.dumps(data) + b"\n\n"


def response(messages: AsyncIterator[bytes]) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        messages,
        content_type="text/event-stream",
        headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
    )


class Hub:
    """Wakes the streams of this process when something is published on their channel."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._listener: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def subscribed(self, channel: str) -> AsyncIterator[asyncio.Event]:
        """An event that is set on every wake-up of `channel`; clear it before reading."""
        woken = asyncio.Event()
        self._waiting.setdefault(channel, set()).add(woken)
        if self._listener is None or self._listener.done():
            self._listener = asyncio.create_task(self._listen())
        try:
            yield woken
        finally:
            self._waiting[channel].discard(woken)
            if not any(self._waiting.values()) and self._listener is not None:
                self._listener.cancel()
                self._listener = None

    async def _listen(self) -> None:
        while True:
            try:
                await self._relay()
            except (RedisError, OSError) as exc:
                log.warning("streams fall back to polling for a moment: %s", exc)
                await asyncio.sleep(RETRY_AFTER_SECONDS)

    async def _relay(self) -> None:
        client = redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_timeout=None)
        async with client, client.pubsub(ignore_subscribe_messages=True) as subscription:
            await subscription.psubscribe("market:*", "sessions:*")
            async for published in subscription.listen():
                channel = published["channel"].decode()
                for woken in self._waiting.get(channel, ()):
                    woken.set()


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """The hub of the running event loop."""
    return _hubs.setdefault(asyncio.get_running_loop(), Hub())


async def wait(woken: asyncio.Event, *, at_most_seconds: float) -> None:
    """Sleep until woken, or for that long: a lost wake-up must not stop a stream."""
    try:
        await asyncio.wait_for(woken.wait(), at_most_seconds)
    except TimeoutError:
        return
