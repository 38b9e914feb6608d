"""What open streams cost: `python -m bench.streams [--streams 100]`.

Starts a system of its own with a market at real speed and that many bots trading, and compares
`SECONDS` without and with one open stream for each session: the processor time and memory of the
web process, how far sessions are behind the market, and whether every stream had every second.
Prints JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean

import httpx
import psycopg

from tests.flows.api import Api, wait_until
from tests.flows.stack import Stack

SECONDS = 30
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
PROGRAM = {"program": 'times = ["10:00"]\n\n\ndef at(ctx, time):\n    ctx.log("ten")\n'}
LAG = """
SELECT avg(d.last_seq - s.last_tick_seq), max(d.last_seq - s.last_tick_seq)
FROM bot_sessions_botsession s JOIN marketdata_marketday d USING (trading_date)
WHERE s.status = 'running'
"""


@dataclass
class Reader:
    """One client of one stream: the seconds it was told of, in order."""

    url: str
    seconds: list[str] = field(default_factory=list)

    async def read(self, client: httpx.AsyncClient) -> None:
        async with client.stream("GET", self.url) as response:
            assert response.status_code == 200, response.status_code
            event = ""
            async for line in response.aiter_lines():
                if line.startswith("event: "):
                    event = line
                elif line.startswith("data: ") and event == "event: financial":
                    self.seconds.append(json.loads(line.removeprefix("data: "))["datetime"])


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def memory_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def watch(stack: Stack) -> dict[str, float]:
    """Half a minute of the running system."""
    pid, started = stack.pid("web"), time.monotonic()
    runner = stack.pid("worker-sessions")
    web_before, runner_before = cpu_seconds(pid), cpu_seconds(runner)
    lags: list[tuple[float, int]] = []
    with psycopg.connect(stack.env["DATABASE_URL"], autocommit=True) as database:
        while time.monotonic() - started < SECONDS:
            average, most = database.execute(LAG).fetchone() or (0, 0)
            lags.append((float(average), int(most)))
            time.sleep(0.2)
    lasted = time.monotonic() - started
    return {
        "web_cpu_pct": round(100 * (cpu_seconds(pid) - web_before) / lasted, 1),
        "web_memory_mb": round(memory_mb(pid), 1),
        "runner_cpu_pct": round(100 * (cpu_seconds(runner) - runner_before) / lasted, 1),
        "session_lag_ticks_average": round(mean(average for average, _ in lags), 2),
        "session_lag_ticks_most": max(most for _, most in lags),
    }


async def _read_all(readers: list[Reader], token: str, base: str) -> None:
    limits = httpx.Limits(max_connections=None)
    headers = {"Authorization": token}
    async with httpx.AsyncClient(
        base_url=base, headers=headers, limits=limits, timeout=60
    ) as client:
        await asyncio.gather(*(reader.read(client) for reader in readers))


@contextmanager
def sessions_of(count: int) -> Iterator[tuple[Stack, str, list[str]]]:
    options = "--lead-seconds 3"
    with Stack(speed=1, market_options=options, env={"USER_RATE_BURST": "100000"}) as stack:
        made = stack.manage("create_user", "bench@example.com", "--password", "a bench of oak")
        token = made.stdout.split()[-1]
        api = Api(stack, token)
        api.wait_for_the_open()
        bots = [api.make_bot(f"bot {number}", PROGRAM) for number in range(count)]
        urls = []
        for bot in bots:
            session = api.post(f"/bots/{bot}/sessions")["session_id"]
            urls.append(f"/api/bots/{bot}/sessions/{session}/stream")
        wait_until(
            lambda: all(api.sessions(bot)[0]["status"] == "running" for bot in bots[-3:]), "all run"
        )
        yield stack, token, urls


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=100)
    count = parser.parse_args().streams
    with sessions_of(count) as (stack, token, urls):
        without = watch(stack)
        readers = [Reader(url) for url in urls]
        with_streams = asyncio.run(_watched(stack, readers, token))
    complete = sum(_has_no_gap(reader.seconds) for reader in readers)
    print(
        json.dumps(
            {
                "streams": count,
                "without": without,
                "with": with_streams,
                "seconds_received": sum(len(reader.seconds) for reader in readers),
                "streams_without_gap_or_repeat": complete,
            },
            indent=2,
        )
    )


async def _watched(stack: Stack, readers: list[Reader], token: str) -> dict[str, float]:
    reading = asyncio.create_task(_read_all(readers, token, stack.base_url))
    await asyncio.sleep(3)  # all are connected by then
    found = await asyncio.to_thread(watch, stack)
    if reading.done():
        reading.result()
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    return found


def _has_no_gap(seconds: list[str]) -> bool:
    """One a second: as many as there are between the first and the last, in order."""
    if len(seconds) < 2 or seconds != sorted(set(seconds)):
        return False
    first, last = (
        time.strptime(each[:19], "%Y-%m-%dT%H:%M:%S") for each in (seconds[0], seconds[-1])
    )
    return len(seconds) == time.mktime(last) - time.mktime(first) + 1


if __name__ == "__main__":
    main()
