"""Server-Sent Events: the wire format, the response, and one Redis subscription a process.

A stream never trusts the wake-up for content: it reads rows from the database by its own cursor, so
a lost wake-up costs a moment and a slow client costs nobody anything.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

import orjson
import redis.asyncio
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connections
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from redis.exceptions import RedisError

from common import errors
from common.api import refused

KEEP_ALIVE = b": keep-alive\n\n"
KEEP_ALIVE_SECONDS = 15.0
RETRY_AFTER_SECONDS = 2.0

log = logging.getLogger(__name__)

Parameters = ParamSpec("Parameters")
Found = TypeVar("Found")
StreamView = Callable[..., Coroutine[Any, Any, HttpResponseBase]]

CONTENT_TYPE = "text/event-stream"
HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
_READERS = ThreadPoolExecutor(max_workers=4, thread_name_prefix="streams")


async def read(
    query: Callable[Parameters, Found], *args: Parameters.args, **kwargs: Parameters.kwargs
) -> Found:
    """The query's answer, from one of the few threads that all streams of the process share."""
    ask = sync_to_async(_released, thread_sensitive=False, executor=_READERS)
    return await ask(query, *args, **kwargs)


async def read_first(
    query: Callable[Parameters, Found], *args: Parameters.args, **kwargs: Parameters.kwargs
) -> Found:
    """The same on the request's own thread, for what is asked before a stream begins."""
    return await sync_to_async(_released)(query, *args, **kwargs)


async def read_together(query: Callable[..., Found], *args: Any) -> Found:
    """As `read`; streams that ask the same while the answer is on its way share it. After a wake-up
    a hundred of them ask once.
    """
    asked = _asked.setdefault(asyncio.get_running_loop(), {})
    key = (query, args)
    if key not in asked:
        asked[key] = asyncio.create_task(read(query, *args))
        asked[key].add_done_callback(lambda _: asked.pop(key))
    # Shielded: the stream that asked first may end before the answer is there.
    found: Found = await asyncio.shield(asked[key])
    return found


_asked: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Any, asyncio.Task[Any]]]
_asked = WeakKeyDictionary()


def _released(
    query: Callable[Parameters, Found], *args: Parameters.args, **kwargs: Parameters.kwargs
) -> Found:
    """Gives the connection back after it: a stream that waits must not keep one of the pool."""
    try:
        return query(*args, **kwargs)
    finally:
        for connection in connections.all(initialized_only=True):
            if not connection.in_atomic_block:
                connection.close()


class NotRead(errors.Refusal):
    """A stream is only read."""

    status = 405
    code = "method_not_allowed"

    @property
    def headers(self) -> dict[str, str]:
        return {"Allow": "GET, HEAD"}


def stream_view(open_stream: Callable[..., Awaitable[AsyncIterator[bytes]]]) -> StreamView:
    """The view of a stream. What `open_stream` refuses before it begins is answered as anywhere
    else; HEAD gets what stands above the events, which would never end.
    """

    @wraps(open_stream)
    async def view(request: HttpRequest, **ids: Any) -> HttpResponseBase:
        try:
            if request.method not in ("GET", "HEAD"):
                raise NotRead(f"{request.method} is not allowed here; allowed: GET, HEAD.")
            messages = await open_stream(request, **ids)
        except errors.Refusal as refusal:
            return refused(refusal)
        if request.method == "HEAD":
            return HttpResponse(content_type=CONTENT_TYPE, headers=HEADERS)
        return StreamingHttpResponse(messages, content_type=CONTENT_TYPE, headers=HEADERS)

    return view


def message(event: str, data: Any, *, event_id: str | None = None) -> bytes:
    """One event; `data` is JSON on one line."""
    head = f"id: {event_id}\n" if event_id is not None else ""
    return f"{head}event: {event}\ndata: ".encode() + orjson.dumps(data) + b"\n\n"


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
        async with asyncio.timeout(at_most_seconds):
            await woken.wait()
    except TimeoutError:
        return
