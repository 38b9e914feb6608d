import asyncio
import functools
import json
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.test import AsyncClient
from knox.models import AuthToken

from common import sse
from common.times import to_ms
from marketdata import services, ticklog
from marketdata.streams import read_after
from tests.factories import UserFactory
from tests.marketdata.factories import A_DAY, OPEN_AT, WALL, make_day, make_tick

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60)]
STREAM = "/api/market-data/stream"


def in_event_loop(test):
    """Runs an async test; its database calls stay on the test's own thread."""

    @functools.wraps(test)
    def run(**fixtures):
        async_to_sync(test)(**fixtures)

    return run


@pytest.fixture
def token():
    return AuthToken.objects.create(UserFactory(email="alice@example.com"))[1]


@pytest.fixture
def market_day():
    ticklog.drop_partition(A_DAY)  # no flush of a transactional test empties the log
    ticklog.create_partition(A_DAY)
    day = make_day(source="synthetic:42")
    yield day
    ticklog.drop_partition(A_DAY)


def publish(day, *seqs):
    market_at = OPEN_AT + timedelta(seconds=seqs[-1] - 1)
    services.publish(
        day=day,
        ticks=[make_tick(seq) for seq in seqs],
        market_ms=to_ms(market_at),
        speed=30.0,
        now=WALL,
    )


async def read(response, count):
    """The first `count` events: (event, id, data)."""
    found = []
    async with asyncio.timeout(20):
        async for part in response.streaming_content:
            lines = dict(line.split(": ", 1) for line in part.decode().strip().split("\n"))
            if "event" in lines:
                found.append((lines["event"], lines.get("id"), json.loads(lines["data"])))
            if len(found) == count:
                break
    await response.streaming_content.aclose()
    return found


@in_event_loop
async def test_a_stream_starts_with_the_status_and_the_latest_tick(token, market_day):
    await sync_to_async(publish)(market_day, 1, 2, 3)

    response = await AsyncClient().get(STREAM, headers={"Authorization": token})
    status, tick = await read(response, 2)

    assert response.headers["Content-Type"] == "text/event-stream"
    assert (status[0], status[2]["phase"]) == ("status", "open")
    assert tick == (
        "market",
        "2026-05-07.3",
        {
            "datetime": "2026-05-07T13:30:02.000Z",
            "spx": "5950.25",
            "vix": "16.20",
            "expected_move": "21.50",
        },
    )


@in_event_loop
async def test_every_second_of_the_market_comes_once_and_in_order(token, market_day):
    await sync_to_async(publish)(market_day, 1)
    response = await AsyncClient().get(STREAM, headers={"Authorization": f"Bearer {token}"})
    reading = asyncio.create_task(read(response, 6))

    for seqs in ((2, 3), (4,), (5,)):
        await asyncio.sleep(0.05)
        await sync_to_async(publish)(market_day, *seqs)

    ids = [event_id for event, event_id, _ in await reading if event == "market"]
    assert ids == [f"2026-05-07.{seq}" for seq in (1, 2, 3, 4, 5)]


@in_event_loop
async def test_a_stream_continues_after_the_last_event_id(token, market_day):
    await sync_to_async(publish)(market_day, 1, 2, 3, 4)
    headers = {"Authorization": token, "Last-Event-ID": "2026-05-07.2"}

    events = await read(await AsyncClient().get(STREAM, headers=headers), 3)

    assert [event_id for _, event_id, _ in events[1:]] == ["2026-05-07.3", "2026-05-07.4"]


@in_event_loop
async def test_the_dashboards_cookie_opens_the_stream(market_day):
    user = await sync_to_async(UserFactory)(email="alice@example.com")
    await sync_to_async(publish)(market_day, 1)
    client = AsyncClient()
    await client.aforce_login(user, backend="django.contrib.auth.backends.ModelBackend")

    events = await read(await client.get(STREAM), 2)

    assert events[1][1] == "2026-05-07.1"


@pytest.mark.parametrize("headers", [{}, {"Authorization": "0" * 32}, {"Authorization": "x"}])
@in_event_loop
async def test_a_stream_is_for_users(headers):
    response = await AsyncClient().get(STREAM, headers=headers)

    assert (response.status_code, response.json()["error"]) == (401, "unauthorized")


@in_event_loop
async def test_a_stream_is_only_read(token):
    response = await AsyncClient().post(STREAM, headers={"Authorization": token})

    assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("given", ["x", "2026-05-07", "2026-02-30.1", "2026-05-07.-1"])
@in_event_loop
async def test_an_id_of_another_stream_is_refused(token, given):
    response = await AsyncClient().get(
        STREAM, headers={"Authorization": token, "Last-Event-ID": given}
    )

    assert (response.status_code, response.json()["error"]) == (400, "invalid_input")


@in_event_loop
async def test_a_quiet_stream_says_that_it_lives(token, market_day, monkeypatch):
    monkeypatch.setattr(sse, "KEEP_ALIVE_SECONDS", 0.0)
    response = await AsyncClient().get(STREAM, headers={"Authorization": token})

    async with asyncio.timeout(20):
        parts = [await anext(response.streaming_content) for _ in range(2)]
    await response.streaming_content.aclose()

    assert parts[1] == sse.KEEP_ALIVE


def test_a_new_day_is_told_from_its_first_tick(market_day):
    publish(market_day, 1, 2)

    _, cursor, events = read_after((A_DAY - timedelta(days=1), 23_401))

    assert [event_id for event_id, _ in events] == ["2026-05-07.1", "2026-05-07.2"]
    assert cursor == (A_DAY, 2)


def test_without_a_market_there_is_nothing_to_tell():
    now, cursor, events = read_after(None)

    assert (now.phase, cursor, events) == ("closed", None, [])
