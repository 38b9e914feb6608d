from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.clients.scripted import Answer, Scripted
from zerohour_client import AsyncZerohour, RetryPolicy, Zerohour
from zerohour_client.cli import credentials
from zerohour_client.cli.main import app

TOKEN = "0f4be1c2a95d4e7783d06c5fa1b2c3d4"
QUICK = {"retry": RetryPolicy(attempts=4), "stream_retry": RetryPolicy(attempts=4)}

Use = Callable[[Any], Any]


@pytest.fixture
def serve() -> Iterator[Callable[..., Scripted]]:
    """Starts a server with these answers, until the test ends."""
    with ExitStack() as servers:

        def start(*answers: Answer) -> Scripted:
            return servers.enter_context(Scripted(list(answers)))

        yield start


class Driver:
    """Uses either client in the same words; pauses are noted instead of slept."""

    def __init__(self, *, is_async: bool) -> None:
        self.is_async = is_async
        self.pauses: list[float] = []

    def use(self, server: Scripted | str, use: Use, **options: Any) -> Any:
        """What `use(client)` gives: its result, or the list of what it iterates over."""
        url = server if isinstance(server, str) else server.url
        given = {"token": TOKEN, **QUICK, **options}
        if self.is_async:
            return asyncio.run(self._use_async(url, use, given))
        with Zerohour(url, sleep=self.pauses.append, **given) as client:
            result = use(client)
            return list(result) if isinstance(result, Iterator) else result

    async def _use_async(self, url: str, use: Use, options: dict[str, Any]) -> Any:
        async with AsyncZerohour(url, sleep=self._note, **options) as client:
            result = use(client)
            if isinstance(result, AsyncIterator):
                return [each async for each in result]
            return await result

    async def _note(self, seconds: float) -> None:
        self.pauses.append(seconds)


@pytest.fixture(params=["sync", "async"])
def driver(request: pytest.FixtureRequest) -> Driver:
    return Driver(is_async=request.param == "async")


@pytest.fixture
def tokens(tmp_path, monkeypatch):
    """The file that tokens are kept in."""
    path = tmp_path / "config" / "tokens.json"
    monkeypatch.setenv("ZEROHOUR_CONFIG", str(path))
    monkeypatch.delenv("ZEROHOUR_TOKEN", raising=False)
    return path


@pytest.fixture
def run(tokens, monkeypatch):
    """Runs one command against a server, signed in."""

    def invoke(server, *words, given=""):
        credentials.save(server.url, TOKEN)
        monkeypatch.setenv("ZEROHOUR_URL", server.url)
        return CliRunner().invoke(app, [*words], input=given)

    return invoke
