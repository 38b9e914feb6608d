"""The asyncio client: carries out what the shared core decides."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from httpx_sse import aconnect_sse

from zerohour_client import _async_groups as groups
from zerohour_client._calls import Call, Paged, StreamCall
from zerohour_client._exchange import Outcome, Send, Step, converse
from zerohour_client._follow import Follower, StreamEvent
from zerohour_client._settings import (
    DEFAULT_URL,
    LIMITS,
    Settings,
    authorization,
    check_url,
    tls,
    user_agent,
)

T = TypeVar("T")


class AsyncZerohour:
    """A Zerohour server. Use it as an async context manager, or `await aclose()`.

    `options` are the fields of `Settings`: timeout_seconds, silence_seconds, retry, stream_retry,
    rng. Raises ValueError for a bad url; calls raise `ZerohourError`.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        token: str | None = None,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        **options: Any,
    ) -> None:
        check_url(url)
        self.token = token
        self._settings = Settings(url, **options)
        self._sleep = sleep
        self._http = httpx.AsyncClient(
            base_url=self._settings.base_url,
            timeout=self._settings.timeout,
            headers={"User-Agent": user_agent()},
            limits=LIMITS,
            verify=tls(),
            transport=transport,
        )
        self.auth = groups.Auth(self)
        self.tokens = groups.Tokens(self)
        self.user = groups.User(self)
        self.strategies = groups.Strategies(self)
        self.bots = groups.Bots(self)
        self.sessions = groups.Sessions(self)
        self.market = groups.Market(self)
        self.service = groups.Service(self)

    async def sign_in(self, email: str, password: str) -> str:
        """Log in and use the new token from here on; it is returned as well."""
        self.token = await self.auth.login(email, password)
        return self.token

    async def sign_out(self) -> None:
        """Revoke the token in use and forget it."""
        await self.auth.logout()
        self.token = None

    async def run(self, call: Call[T]) -> T:
        """Carry out one operation of `zerohour_client.operations`."""
        return call.decode(await self._response(call))

    async def iterate(self, paged: Paged[T]) -> AsyncGenerator[T, None]:
        """Every row, fetched page by page as they are asked for."""
        call: Call[list[T]] | None = paged.first
        while call is not None:
            response = await self._response(call)
            for row in call.decode(response):
                yield row
            call = paged.after(response)

    async def follow(self, stream: StreamCall[T]) -> AsyncGenerator[StreamEvent[T], None]:
        """Events until the stream's end, over as many connections as it takes."""
        follower = Follower(stream, self._settings.stream_retry, self._settings.rng)
        while not follower.is_over:
            if follower.pause_seconds:
                await self._sleep(follower.pause_seconds)
            async with aclosing(self._one_connection(stream.path, follower)) as events:
                async for event in events:
                    yield event

    async def aclose(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        state = "signed in" if self.token else "signed out"
        return f"<{type(self).__name__} {self._settings.base_url} {state}>"

    async def _response(self, call: Call[Any]) -> httpx.Response:
        steps = converse(call, self._settings.retry, self._settings.rng)
        step = next(steps)
        while True:
            try:
                step = steps.send(await self._carry_out(step))
            except StopIteration as done:
                response: httpx.Response = done.value
                return response

    async def _carry_out(self, step: Step) -> Outcome:
        if not isinstance(step, Send):
            await self._sleep(step.seconds)
            return None
        try:
            return await self._http.request(**self._settings.request(step.call, self.token))
        except httpx.TransportError as error:
            return error

    async def _one_connection(
        self, path: str, follower: Follower[T]
    ) -> AsyncGenerator[StreamEvent[T], None]:
        headers = {**follower.headers(), **authorization(self.token)}
        timeout = self._settings.stream_timeout
        is_open = False
        try:
            async with aconnect_sse(
                self._http, "GET", path, headers=headers, timeout=timeout
            ) as source:
                if not source.response.is_success:
                    await source.response.aread()
                is_open = follower.opened(source.response)
                if not is_open:
                    return
                async for sse in source.aiter_sse():
                    event = follower.received(sse)
                    if event is not None:
                        yield event
            follower.ended()
        except httpx.TransportError as error:
            follower.dropped(error, was_open=is_open)
