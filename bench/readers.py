"""A client process of `python -m bench.load`: each wish a line of JSON on stdin, and what it saw a
line on stdout.

"requests": `rate` requests a second at fixed moments, drawn from `mix` over `targets`; an answer's
time is from the moment it was due, and is counted after a lead. "streams": so many open streams
until the time is over.

It shares the machine with what it measures, so it does little: requests are written as they are,
and what streams say is kept and understood when the time is over.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import chain, pairwise
from typing import Any, cast
from urllib.parse import urlsplit

import httptools
import uvloop

from common.priority import give_way

CLIENTS = 50  # each with connections of its own: one for all would stay with one web process
PATIENCE_SECONDS = 30.0  # for the last answers
SINCE_SECONDS = 60  # of market: what a page that was away for a moment asks for


class Connection(asyncio.Protocol):
    """One request at a time over HTTP/1.1. `said` is the body as it came, of a stream so far."""

    @classmethod
    async def to(cls, address: str) -> Connection:
        url = urlsplit(address)
        assert url.hostname is not None
        assert url.port is not None
        _, made = await asyncio.get_running_loop().create_connection(cls, url.hostname, url.port)
        return made

    def __init__(self) -> None:
        self.said: list[bytes] = []
        self.is_open = False
        self._parser = httptools.HttpResponseParser(self)
        self._answered: asyncio.Future[int] | None = None

    def ask(self, address: str, token: str, *, encoding: str = "identity") -> asyncio.Future[int]:
        """GET; the status once the whole answer is there. Raises ConnectionError."""
        if not self.is_open:
            raise ConnectionResetError("closed before it was asked")
        url = urlsplit(address)
        path = f"{url.path}?{url.query}" if url.query else url.path
        head = f"GET {path} HTTP/1.1\r\nHost: {url.netloc}\r\nAuthorization: {token}\r\n"
        self.said = []
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(f"{head}Accept-Encoding: {encoding}\r\n\r\n".encode())
        return self._answered

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(exc or ConnectionResetError("closed before the answer"))

    def on_body(self, body: bytes) -> None:
        self.said.append(body)

    def on_message_complete(self) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(self._parser.get_status_code())

    def close(self) -> None:
        self._transport.close()


async def request(wish: dict[str, Any]) -> dict[str, Any]:
    chance = random.Random(7)
    routes, weights = zip(*wish["mix"].items(), strict=True)
    seen: dict[str, list[float]] = defaultdict(list)
    failed: dict[str, int] = defaultdict(int)
    late_ms, asking = 0.0, set()
    clients: list[list[Connection]] = [[] for _ in range(CLIENTS)]
    since = await _market_time(wish)
    began = time.perf_counter()

    async def ask(route: str, target: dict[str, str], due: float) -> None:
        url = wish["base_url"] + _path(route, target, since + timedelta(seconds=due - began))
        status = await _ask(chance.choice(clients), url, target["token"])
        if due - began >= wish["counted_after_seconds"]:
            seen[route or "(session)"].append((time.perf_counter() - due) * 1e3)
        if status != 200:
            failed[f"{route} {status}"] += 1

    def note_end(task: asyncio.Task[None]) -> None:
        asking.discard(task)
        if not task.cancelled() and (failure := task.exception()):
            failed[type(failure).__name__] += 1

    for number in range(int(wish["rate"] * wish["seconds"])):
        due = began + number / wish["rate"]
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        late_ms = max(late_ms, (time.perf_counter() - due) * 1e3)
        route = chance.choices(routes, weights)[0]
        task = asyncio.create_task(ask(route, chance.choice(wish["targets"]), due))
        asking.add(task)
        task.add_done_callback(note_end)
    if asking:
        _, unanswered = await asyncio.wait(asking, timeout=PATIENCE_SECONDS)
        if unanswered:
            failed["no answer"] = len(unanswered)
    for connection in chain.from_iterable(clients):
        connection.close()
    return {"ms": seen, "failed": dict(failed), "late_ms": round(late_ms, 1)}


async def _ask(idle: list[Connection], url: str, token: str) -> int:
    """Over one of the client's connections that wait for nothing, or over a new one."""
    while idle:
        connection = idle.pop()
        try:
            return await _ask_over(connection, idle, url, token)
        except ConnectionError:
            continue  # the server closes those that were quiet for long, perhaps just now
    return await _ask_over(await Connection.to(url), idle, url, token)


async def _ask_over(connection: Connection, idle: list[Connection], url: str, token: str) -> int:
    status = await connection.ask(url, token, encoding="gzip")
    idle.append(connection)
    return status


async def stream(wish: dict[str, Any]) -> dict[str, Any]:
    chosen = wish["targets"][: wish["streams"]]
    reading = []
    for target in chosen:
        url = f"{wish['base_url']}{_session(target)}/stream"
        connection = await Connection.to(url)
        reading.append((connection, connection.ask(url, target["token"])))
    await asyncio.sleep(wish["seconds"])
    ended = [answered for _, answered in reading if answered.done()]
    told = [_seconds(connection) for connection, _ in reading]
    for connection, answered in reading:
        answered.cancel()
        connection.close()
    gaps = sum(
        round((after - before).total_seconds()) - 1
        for seconds in told
        for before, after in pairwise(seconds)
    )
    return {
        "open": len(reading) - len(ended),
        "ended": sorted({str(each.exception() or each.result()) for each in ended}),
        "seconds": sum(map(len, told)),
        "gaps": gaps,
    }


def _seconds(connection: Connection) -> list[datetime]:
    """Of which seconds a stream told."""
    told, event = [], ""
    for line in b"".join(connection.said).decode().splitlines():
        if line.startswith("event: "):
            event = line.removeprefix("event: ")
        elif line.startswith("data: ") and event == "financial":
            told.append(datetime.fromisoformat(json.loads(line.removeprefix("data: "))["datetime"]))
    return told


def _session(target: dict[str, str]) -> str:
    return f"/bots/{target['bot']}/sessions/{target['session']}"


def _path(route: str, target: dict[str, str], now: datetime) -> str:
    since = f"{now - timedelta(seconds=SINCE_SECONDS):%Y-%m-%dT%H:%M:%SZ}"
    filled = route.format(bot=target["bot"], since=since)
    if filled.startswith("/"):
        return filled
    return f"{_session(target)}/{filled}".rstrip("/")


async def _market_time(wish: dict[str, Any]) -> datetime:
    connection = await Connection.to(wish["base_url"])
    url = f"{wish['base_url']}/market-data/status"
    status = await connection.ask(url, wish["targets"][0]["token"])
    connection.close()
    if status != 200:
        raise ConnectionError(f"GET {url}: {status}")
    last = json.loads(b"".join(connection.said))["last_tick_at"]
    return datetime.fromisoformat(last).astimezone(UTC)


def main() -> None:
    give_way(1)  # elsewhere clients have processors of their own, and no tick waits for them
    # Python's own stdout, where it is unbuffered, loses what a pipe does not take at once.
    with open(sys.stdout.fileno(), "w", closefd=False) as told:
        for line in sys.stdin:
            wish = json.loads(line)
            do = {"requests": request, "streams": stream}[wish["kind"]]
            print(json.dumps(uvloop.run(do(wish))), file=told, flush=True)


if __name__ == "__main__":
    main()
