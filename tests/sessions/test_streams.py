"""The session stream: what it sends, and that no reconnect loses or repeats anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import orjson
import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.test import AsyncClient

from sessions import services, streams
from tests.sessions import market
from tests.sessions.conftest import drive, put_spread

pytestmark = pytest.mark.django_db


@pytest.fixture
def traded(alice, make_bot, open_market, runner):
    session = services.start_session(user=alice, bot_id=make_bot(put_spread()).pk)
    market.publish([market.tick(seq) for seq in range(2, 41)])
    market.close()
    drive(runner())
    session.refresh_from_db()
    return session


def read_all(session, cursor=(0, 0)):
    messages = []
    while True:
        _, batch = streams.read_after(session.pk, cursor)
        if not batch:
            return messages
        messages += batch
        cursor = batch[-1][0]


def test_every_kind_of_message_comes_in_the_order_of_the_ticks(traded):
    messages = read_all(traded)

    ids = [at for at, _, _ in messages]
    assert ids == sorted(set(ids))
    kinds = {event for _, event, _ in messages}
    assert kinds == {"financial", "order", "position", "transaction", "decision", "status"}
    assert sum(event == "financial" for _, event, _ in messages) == traded.tick_count
    assert messages[-1][1:] == (
        "status",
        {"datetime": "2026-05-07T20:00:00.000Z", "status": "completed", "reason": ""},
    )


def test_a_reconnect_at_any_id_continues_without_gap_or_repeat(traded):
    whole = read_all(traded)

    for position, (at, _, _) in enumerate(whole):
        assert read_all(traded, at) == whole[position + 1 :]


@pytest.mark.parametrize(("events", "points"), [(3, 600), (500, 2), (2, 3)])
def test_small_batches_join_to_the_same_stream(traded, monkeypatch, events, points):
    whole = read_all(traded)
    monkeypatch.setattr(streams, "EVENTS_AT_ONCE", events)
    monkeypatch.setattr(streams, "POINTS_AT_ONCE", points)

    assert read_all(traded) == whole


async def events_of(response, count: int) -> list[dict]:
    """The first messages of a stream, parsed."""
    found: list[dict] = []
    body: AsyncIterator[bytes] = response.streaming_content
    async with asyncio.timeout(20):
        async for chunk in body:
            lines = chunk.decode().strip().splitlines()
            fields = dict(line.split(": ", 1) for line in lines if not line.startswith(":"))
            if fields:
                found.append({**fields, "data": orjson.loads(fields["data"])})
            if len(found) >= count:
                return found
    return found


@pytest.mark.django_db(transaction=True)
def test_the_stream_over_http_resumes_from_last_event_id(alice, client_for, traded):
    token = client_for(alice)._credentials["HTTP_AUTHORIZATION"]
    url = f"/api/bots/{traded.bot_id}/sessions/{traded.pk}/stream"

    async def read(last_event_id: str, count: int):
        response = await AsyncClient().get(
            url, headers={"Authorization": token, "Last-Event-ID": last_event_id}
        )
        return response, await events_of(response, count)

    async def both():
        response, first = await read("1.0", 10)
        _, rest = await read(first[-1]["id"], 5)
        _, joined = await read("1.0", 15)
        return response, first, rest, joined

    response, first, rest, joined = run(both())

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/event-stream"
    assert first + rest == joined


@pytest.mark.django_db(transaction=True)
def test_the_stream_has_the_refusals_of_every_read(alice, bob, client_for, traded):
    url = f"/api/bots/{traded.bot_id}/sessions/{traded.pk}/stream"
    tokens = {user: client_for(user)._credentials["HTTP_AUTHORIZATION"] for user in (alice, bob)}

    unsigned = sync_get(url)
    strangers = sync_get(url, Authorization=tokens[bob])
    bad_cursor = sync_get(url, Authorization=tokens[alice], **{"Last-Event-ID": "x"})

    assert (unsigned.status_code, orjson.loads(unsigned.content)["error"]) == (401, "unauthorized")
    assert strangers.status_code == 404
    assert bad_cursor.status_code == 400


def sync_get(url: str, **headers: str):
    async def get():
        return await AsyncClient().get(url, headers=headers)

    return run(get())


def run(awaitable):
    """Run it, and close the connections of the threads that the views worked in."""

    async def and_close():
        try:
            return await awaitable
        finally:
            await sync_to_async(connections.close_all)()

    return asyncio.run(and_close())
