"""The session stream: what it sends, and that no reconnect loses or repeats anything."""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import AsyncIterator

import orjson
import pytest
from asgiref.sync import sync_to_async
from django.db import connection, connections
from django.test import AsyncClient
from django.test.utils import CaptureQueriesContext

from common import sse
from sessions import messages, services, tail
from tests.factories import BotSessionFactory
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
    found = []
    while True:
        _, batch = messages.read_after(session.pk, cursor)
        if not batch:
            return found
        found += batch
        cursor = batch[-1][0]


def test_every_kind_of_message_comes_in_the_order_of_the_ticks(traded):
    whole = read_all(traded)

    ids = [at for at, _, _ in whole]
    assert ids == sorted(set(ids))
    kinds = {event for _, event, _ in whole}
    assert kinds == {"financial", "order", "position", "transaction", "decision", "status"}
    assert sum(event == "financial" for _, event, _ in whole) == traded.tick_count
    assert whole[-1][1:] == (
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
    monkeypatch.setattr(messages, "EVENTS_AT_ONCE", events)
    monkeypatch.setattr(messages, "POINTS_AT_ONCE", points)

    assert read_all(traded) == whole


def read_as_it_ends(alice, make_bot, runner):
    """Ids of all messages, read after each commit of a day that ends without ticks: the feed falls
    silent, orders are cancelled, the market closes, its value comes late.
    """
    session = services.start_session(user=alice, bot_id=make_bot(put_spread()).pk)
    driver = runner()
    found, cursor = [], (0, 0)

    def read():
        nonlocal cursor
        drive(driver)
        batch = read_all(session, cursor)
        found.extend(at for at, _, _ in batch)
        cursor = found[-1]

    market.publish([market.tick(seq) for seq in range(2, 41)])
    read()
    services.request_cancel_all(user=alice, session=session, now=market.from_open(41))
    driver._asked_at[session.pk] = -10.0  # a silent second ago
    read()
    market.close(settlement_cents=None)
    read()
    market.close()
    read()
    return session, found


def test_what_is_committed_later_at_the_same_tick_comes_later(alice, make_bot, open_market, runner):
    session, found = read_as_it_ends(alice, make_bot, runner)

    whole = read_all(session)
    assert found == [at for at, _, _ in whole]
    assert {"transaction", "status"} <= {event for at, event, _ in whole if at[0] == 40}


def test_in_the_order_of_the_rows_some_of_them_never_come(
    alice, make_bot, open_market, runner, monkeypatch
):
    """The control."""
    monkeypatch.setattr(messages, "place_of", lambda row: row.index)

    session, found = read_as_it_ends(alice, make_bot, runner)

    assert set(found) < {at for at, _, _ in read_all(session)}


@pytest.fixture
def running(alice, make_bot, open_market):
    return services.start_session(user=alice, bot_id=make_bot(put_spread()).pk)


def read_while_it_runs(session, driver, monkeypatch):
    """Ids of all messages, read while the runner commits ticks between two of the queries: so many
    that points leave the session's row for a chunk.
    """
    points, firsts = messages._points, iter(range(2, 102, 20))

    def after_a_commit(rows, wanted):
        if (first := next(firsts, None)) is not None:
            market.publish([market.tick(seq) for seq in range(first, first + 20)])
            drive(driver)
        return points(rows, wanted)

    monkeypatch.setattr(messages, "_points", after_a_commit)
    found, cursor = [], (0, 0)
    for _ in range(15):
        _, batch = messages.read_after(session.pk, cursor)
        found += [at for at, _, _ in batch]
        cursor = found[-1] if found else cursor
    return found


def test_a_commit_between_two_queries_of_a_read_loses_nothing(running, runner, monkeypatch):
    found = read_while_it_runs(running, runner(), monkeypatch)

    assert found == [at for at, _, _ in read_all(running)]
    assert len(found) > 12


def test_the_bound_at_the_sessions_own_tick_is_what_keeps_them(running, runner, monkeypatch):
    """The control: without it the points of a tick come, and its events never do."""
    monkeypatch.setattr(messages, "_reach", lambda row: 10**8)

    found = read_while_it_runs(running, runner(), monkeypatch)

    assert set(found) < {at for at, _, _ in read_all(running)}


async def events_of(response, count: int) -> list[dict]:
    """The first messages of a stream, parsed. What is sent at once may be several."""
    found: list[dict] = []
    body: AsyncIterator[bytes] = response.streaming_content
    async with asyncio.timeout(20):
        async for chunk in body:
            for message in chunk.decode().strip().split("\n\n"):
                lines = message.splitlines()
                fields = dict(line.split(": ", 1) for line in lines if not line.startswith(":"))
                if fields:
                    found.append({**fields, "data": orjson.loads(fields["data"])})
            if len(found) >= count:
                return found[:count]
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


@pytest.mark.parametrize("count", [1, 20])
def test_a_wake_up_costs_three_queries_however_many_sessions_are_watched(
    count, alice, django_assert_num_queries
):
    cursors = {BotSessionFactory(bot__owner=alice).pk: (1, 10**9) for _ in range(count)}

    with django_assert_num_queries(3):
        found = messages.read_many(cursors)

    assert found.keys() == cursors.keys()


def test_sessions_with_news_are_read_together(alice, make_bot, open_market, runner):
    sessions = [
        services.start_session(user=alice, bot_id=make_bot(put_spread()).pk) for _ in range(3)
    ]
    market.publish([market.tick(seq) for seq in range(2, 41)])
    market.close()
    drive(runner())
    cursors = {session.pk: (1, 10**9) for session in sessions}
    alone = {pk: messages.read_many({pk: cursor})[pk][1] for pk, cursor in cursors.items()}

    with CaptureQueriesContext(connection) as captured:
        found = messages.read_many(cursors)

    assert {pk: batch for pk, (_, batch) in found.items()} == alone
    for batch in alone.values():
        kinds = [event for _, event, _ in batch]
        assert {"order", "transaction", "position", "financial"} <= set(kinds)
    ids = [{data["id"] for _, kind, data in each if kind == "order"} for each in alone.values()]
    assert [len(own) for own in ids] == [1, 1, 1]
    assert len(set.union(*ids)) == 3  # nobody is told of another's order
    asked = [str(query["sql"]) for query in captured]
    assert sum("JOIN bot_sessions_order " in sql for sql in asked) == 1
    assert sum("JOIN bot_sessions_transaction " in sql for sql in asked) == 1


@pytest.mark.django_db(transaction=True)
def test_a_stream_that_joins_while_others_are_read_is_not_taken_for_deleted(traded, monkeypatch):
    joined = tail.Watched(traded, (0, 0), (0, 0))

    async def read_while_one_joins():
        reader = tail.Tail()
        reader._watched[uuid.uuid4()] = gone = tail.Watched(traded, (0, 0), (0, 0))

        async def read(query, cursors):
            reader._watched[traded.pk] = joined
            return {}

        monkeypatch.setattr(sse, "read", read)
        await reader._read()
        return gone

    gone = run(read_while_one_joins())

    assert gone.row is None
    assert joined.row == traded


def test_what_is_kept_ends_where_a_slow_stream_must_read_for_itself(traded, monkeypatch):
    whole = read_all(traded)
    monkeypatch.setattr(tail, "KEPT", 20)
    watched = tail.Watched(traded, (0, 0), (0, 0), deque(maxlen=20))

    watched.take(traded, whole)

    assert watched.since == whole[-21][0]
    assert watched.after(whole[-22][0]) is None
    assert [at for at, _ in watched.after(whole[-21][0])] == [at for at, _, _ in whole[-20:]]
    assert watched.after(whole[-1][0]) == []


@pytest.mark.django_db(transaction=True)
def test_head_answers_without_the_events(alice, client_for, traded):
    url = f"/api/bots/{traded.bot_id}/sessions/{traded.pk}/stream"
    token = client_for(alice)._credentials["HTTP_AUTHORIZATION"]

    async def head():
        return await AsyncClient().head(url, headers={"Authorization": token})

    answer = run(head())

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/event-stream")
    assert not answer.streaming


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
