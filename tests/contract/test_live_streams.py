"""Streams of the running system: a web process that dies, and a client that does not read."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from launcher import processes
from launcher.paths import ROOT, VENV_PYTHON
from launcher.ports import free_port
from tests.contract.live import Live
from tests.flows.api import wait_until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

Event = tuple[str, dict[str, Any]]  # id, data


@pytest.fixture
def path(live) -> str:
    session = live.alice.new_session()
    path = f"/bots/{session['bot_id']}/sessions/{session['session_id']}"
    wait_until(lambda: live.alice.api.get(path)["tick_count"] > 2, "the session runs")
    return path


@contextmanager
def web_process(live: Live, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A web process beside the others, to be killed."""
    command = [VENV_PYTHON, "-m", "uvicorn", "config.asgi:application", "--port", str(port)]
    started = processes.spawn(
        [*command, "--lifespan", "off", "--log-level", "warning"],
        log=None,
        stop_signal=signal.SIGTERM,
        env={**live.stack.env, "DB_POOL": "1", "DB_TIMEOUTS": "1"},
        cwd=ROOT,
    )
    try:
        wait_until(lambda: _answers(port), "the web process answers")
        yield started
    finally:
        processes.stop(started, signal.SIGKILL, patience_seconds=5)


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health").is_success
    except httpx.TransportError:
        return False


def events(live: Live, port: int, path: str, *, last_event_id: str = "") -> Iterator[Event]:
    """The events with an id, until the connection ends."""
    headers = {"Authorization": live.alice.token}
    headers |= {"Last-Event-ID": last_event_id} if last_event_id else {}
    url = f"http://127.0.0.1:{port}/api{path}/stream"
    with httpx.stream("GET", url, headers=headers, timeout=60) as response:
        assert response.status_code == 200
        event_id = ""
        for line in response.iter_lines():
            if line.startswith("id: "):
                event_id = line.removeprefix("id: ")
            elif line.startswith("data: ") and event_id:
                yield event_id, json.loads(line.removeprefix("data: "))
            elif not line:
                event_id = ""


def until_the_process_dies(stream: Iterator[Event], process: Any, count: int) -> list[Event]:
    found = []
    try:
        for event in stream:
            found.append(event)
            if len(found) == count:
                os.kill(process.pid, signal.SIGKILL)
    except httpx.TransportError:
        return found
    return found


def test_a_stream_goes_on_after_its_web_process_was_killed(live, path):
    port = free_port()
    with web_process(live, port) as first:
        before = until_the_process_dies(
            events(live, port, path, last_event_id="1.0"), first, count=5
        )
        time.sleep(3)  # the session goes on without it

    with web_process(live, port):
        resumed = events(live, port, path, last_event_id=before[-1][0])
        after = [next(resumed) for _ in range(8)]
        whole = events(live, port, path, last_event_id="1.0")
        expected = [next(whole) for _ in range(len(before) + 8)]

    assert before + after == expected


def test_a_client_that_does_not_read_holds_nobody_up(live, path):
    """Its connection fills up and its stream waits; the session and the other streams do not."""
    host, port = "127.0.0.1", live.stack.port
    with socket.create_connection((host, port)) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        head = f"GET /api{path}/stream HTTP/1.1\r\nHost: {host}\r\nLast-Event-ID: 1.0\r\n"
        deaf.sendall(f"{head}Authorization: {live.alice.token}\r\n\r\n".encode())
        before = live.alice.api.get(path)["tick_count"]

        heard = events(live, port, path)
        seconds = [next(heard)[1] for _ in range(6)]

        after = live.alice.api.get(path)["tick_count"]
    assert len(seconds) == 6
    assert after - before >= 5


def test_more_streams_than_connections_of_the_pool(live, path):
    """Each waits without one: forty streams and a read beside them."""
    streams = [events(live, live.stack.port, path, last_event_id="1.0") for _ in range(40)]

    firsts = [next(stream)[0] for stream in streams]
    seconds = [next(stream)[0] for stream in streams]

    assert live.alice.api.get(path)["status"] == "running"
    assert all(
        tuple(map(int, later.split("."))) > tuple(map(int, sooner.split(".")))
        for sooner, later in zip(firsts, seconds, strict=True)
    )


def test_every_stream_of_many_opened_at_once_has_every_second(live, path):
    streams = [events(live, live.stack.port, path, last_event_id="1.0") for _ in range(20)]

    found = [[next(stream)[0] for _ in range(6)] for stream in streams]

    assert all(each == found[0] for each in found)
