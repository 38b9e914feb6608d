"""How the web process answers: a request stays on one thread from its first middleware to its last.

Django's own ASGI handler crosses between the event loop and a new thread at every middleware, which
costs several times what an answer itself does (docs/performance.md). Only streams need the loop:
they are left to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.http.response import HttpResponseBase
from django.urls import get_resolver, set_script_prefix

THREADS = 4
STREAM_SUFFIX = "/stream"

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class WholeRequests(ASGIHandler):
    """Every middleware and view of a request in one call on one of `THREADS` threads."""

    def __init__(self) -> None:
        super().__init__()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="requests")

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        with body:
            response = await asyncio.get_running_loop().run_in_executor(
                self._threads, copy_context().run, self._respond, scope, body
            )
            await self.send_response(response, send)

    def _respond(self, scope: Scope, body: Any) -> HttpResponseBase:
        """On one of the threads. Closes the answer there too: the connection is that thread's."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=self.__class__, scope=scope)
        request, refusal = self.create_request(scope, body)
        response: Any = refusal if request is None else self.get_response(request)
        response._handler_class = self.__class__
        if response.streaming:  # a static file
            response.streaming_content = _once(response.getvalue())
        response.close()
        answer: HttpResponseBase = response
        return answer


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


class Application:
    """Streams to Django's handler on the event loop, everything else to `WholeRequests`."""

    def __init__(self) -> None:
        self._streams = ASGIHandler()
        self._requests = WholeRequests()
        get_resolver().url_patterns  # noqa: B018  every view is imported now, not by who comes first

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_stream = scope["path"].rstrip("/").endswith(STREAM_SUFFIX)
        await (self._streams if is_stream else self._requests)(scope, receive, send)
