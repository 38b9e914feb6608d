"""How the web process answers: a request stays on one thread from its first middleware to its last.

Django's own ASGI handler crosses between the event loop and a new thread at every middleware, which
costs several times what an answer itself does (docs/performance.md). Only streams need the loop:
they are left to it, and so is what asks whether the process is alive.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from io import BytesIO
from typing import Any

from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.http import HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import get_resolver, set_script_prefix

from common.api import API_PREFIX, error_body

THREADS = 8
PATIENCE_SECONDS = 10.0  # for a free thread; as long as a thread waits for a connection
STREAM_SUFFIX = "/stream"
PROBES = {"/health", "/ready", "/metrics"}  # answer while all threads wait for something

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class WholeRequests(ASGIHandler):
    """Every middleware and view of a request in one call on one of `THREADS` threads.

    More would only take turns with Python's lock. A request for which none becomes free in time,
    since all wait for a database that does not answer, is refused with 503.
    """

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
            running = self._threads.submit(copy_context().run, self._respond, scope, body)
            patience = _Patience(running)
            try:
                response = await asyncio.wrap_future(running)
            except asyncio.CancelledError:
                if not patience.is_over:
                    raise
                response = _busy(scope)
            finally:
                patience.end()
            await self.send_response(response, send)

    async def read_body(self, receive: Receive) -> Any:
        """Django's, but what comes whole, as nearly every body does, needs no file for it."""
        first = await receive()
        if first["type"] == "http.request" and not first.get("more_body", False):
            return BytesIO(first.get("body", b""))

        async def from_the_first() -> Mapping[str, Any]:
            return waiting.pop() if waiting else await receive()

        waiting = [first]
        return await super().read_body(from_the_first)

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


class _Patience:
    """Cancels what no thread has begun in time."""

    def __init__(self, running: Future[Any]) -> None:
        self.is_over = False
        self._running = running
        self._timer = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._give_up)

    def end(self) -> None:
        self._timer.cancel()

    def _give_up(self) -> None:
        self.is_over = self._running.cancel()


def _busy(scope: Scope) -> HttpResponseBase:
    message, headers = "All is busy here; try again.", {"Retry-After": "1"}
    if scope["path"].startswith(API_PREFIX):
        return JsonResponse(error_body("unavailable", message), status=503, headers=headers)
    return HttpResponse(message, status=503, headers=headers, content_type="text/plain")


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


class Application:
    """Streams and probes to Django's handler, everything else to `WholeRequests`."""

    def __init__(self) -> None:
        self._others = ASGIHandler()
        self._requests = WholeRequests()
        get_resolver().url_patterns  # noqa: B018  every view is imported now, not by who comes first

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].rstrip("/")
        is_other = path.endswith(STREAM_SUFFIX) or path in PROBES
        await (self._others if is_other else self._requests)(scope, receive, send)
