"""A client process of `python -m bench.load`: each wish a line of JSON on stdin, and what it saw a
line on stdout.

"requests": `rate` requests a second at fixed moments, drawn from `mix` over `targets`; an answer's
time is from the moment it was due, and is counted after a lead. "streams": so many open streams
until the time is over.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections import defaultdict
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import aiohttp

CLIENTS = 50  # each with connections of its own: one for all would stay with one web process
TIMEOUT = aiohttp.ClientTimeout(total=None, sock_read=30)
SINCE_SECONDS = 60  # of market: what a page that was away for a moment asks for


async def request(wish: dict[str, Any]) -> dict[str, Any]:
    chance = random.Random(7)
    routes, weights = zip(*wish["mix"].items(), strict=True)
    seen: dict[str, list[float]] = defaultdict(list)
    failed: dict[str, int] = defaultdict(int)
    late_ms, asking = 0.0, set()
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(_client()) for _ in range(CLIENTS)]
        since = await _market_time(clients[0], wish)
        began = time.perf_counter()

        async def ask(route: str, target: dict[str, str], due: float) -> None:
            url = wish["base_url"] + _path(route, target, since + timedelta(seconds=due - began))
            client, headers = chance.choice(clients), {"Authorization": target["token"]}
            async with client.get(url, headers=headers) as answer:
                await answer.read()
            if due - began >= wish["counted_after_seconds"]:
                seen[route or "(session)"].append((time.perf_counter() - due) * 1e3)
            if answer.status != 200:
                failed[f"{route} {answer.status}"] += 1

        for number in range(int(wish["rate"] * wish["seconds"])):
            due = began + number / wish["rate"]
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            late_ms = max(late_ms, (time.perf_counter() - due) * 1e3)
            route = chance.choices(routes, weights)[0]
            task = asyncio.create_task(ask(route, chance.choice(wish["targets"]), due))
            asking.add(task)
            task.add_done_callback(asking.discard)
        for outcome in await asyncio.gather(*asking, return_exceptions=True):
            if isinstance(outcome, BaseException):
                failed[type(outcome).__name__] += 1
    return {"ms": seen, "failed": dict(failed), "late_ms": round(late_ms, 1)}


async def stream(wish: dict[str, Any]) -> dict[str, Any]:
    chosen = wish["targets"][: wish["streams"]]
    told: list[list[datetime]] = [[] for _ in chosen]
    async with _client() as client:
        reading = [
            asyncio.create_task(_read(client, wish["base_url"] + _session(target), target, seconds))
            for target, seconds in zip(chosen, told, strict=True)
        ]
        done, waiting = await asyncio.wait(reading, timeout=wish["seconds"])
        for task in waiting:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)
    gaps = sum(
        round((after - before).total_seconds()) - 1
        for seconds in told
        for before, after in pairwise(seconds)
    )
    return {
        "open": len(waiting),
        "ended": sorted({str(task.exception()) for task in done}),
        "seconds": sum(map(len, told)),
        "gaps": gaps,
    }


async def _read(
    client: aiohttp.ClientSession, url: str, target: dict[str, str], seconds: list[datetime]
) -> None:
    headers = {"Authorization": target["token"]}
    async with client.get(f"{url}/stream", headers=headers, raise_for_status=True) as answer:
        event = ""
        async for raw in answer.content:
            line = raw.decode().rstrip()
            if line.startswith("event: "):
                event = line.removeprefix("event: ")
            elif line.startswith("data: ") and event == "financial":
                at = json.loads(line.removeprefix("data: "))["datetime"]
                seconds.append(datetime.fromisoformat(at))


def _client() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=TIMEOUT)


def _session(target: dict[str, str]) -> str:
    return f"/bots/{target['bot']}/sessions/{target['session']}"


def _path(route: str, target: dict[str, str], now: datetime) -> str:
    since = f"{now - timedelta(seconds=SINCE_SECONDS):%Y-%m-%dT%H:%M:%SZ}"
    filled = route.format(bot=target["bot"], since=since)
    if filled.startswith("/"):
        return filled
    return f"{_session(target)}/{filled}".rstrip("/")


async def _market_time(client: aiohttp.ClientSession, wish: dict[str, Any]) -> datetime:
    url, headers = wish["base_url"], {"Authorization": wish["targets"][0]["token"]}
    async with client.get(f"{url}/market-data/status", headers=headers) as answer:
        answer.raise_for_status()
        last = (await answer.json())["last_tick_at"]
    return datetime.fromisoformat(last).astimezone(UTC)


def main() -> None:
    for line in sys.stdin:
        wish = json.loads(line)
        do = {"requests": request, "streams": stream}[wish["kind"]]
        print(json.dumps(asyncio.run(do(wish))), flush=True)


if __name__ == "__main__":
    main()
