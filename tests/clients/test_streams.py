from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from sessions import examples
from tests.clients.scripted import answer, broken_off, refusal, sse, stream
from zerohour_client import (
    FROM_THE_START,
    AsyncZerohour,
    NotFound,
    Unavailable,
    UnexpectedAnswer,
    Zerohour,
    models,
)

RUNNING = examples.RUNNING
SETTLED = {**RUNNING, "status": "completed", "settled_at": "2026-05-07T20:00:05.000Z"}
BEGINNING = sse("status", RUNNING)
END = stream(sse("status", SETTLED))


def point(seq):
    return sse("financial", examples.FINANCIAL, f"{seq}.499")


def session_stream(client, after=None):
    return client.sessions.stream(RUNNING["bot_id"], RUNNING["session_id"], after=after)


def financial_ids(events):
    return [each.id for each in events if isinstance(each.data, models.Financial)]


def test_a_cut_is_resumed_behind_the_last_event(serve, driver):
    half = point(3)[: len(point(3)) // 2]
    server = serve(
        stream(BEGINNING, point(1), point(2), half, then="cut"),
        stream(BEGINNING, point(3), sse("status", SETTLED)),
    )

    events = driver.use(server, session_stream)

    assert financial_ids(events) == ["1.499", "2.499", "3.499"]
    assert server.headers("last-event-id") == [None, "2.499"]
    assert server.asked[0].headers["accept"] == "text/event-stream"


def test_a_stream_ends_when_the_session_is_settled(serve, driver):
    server = serve(stream(BEGINNING, point(1), sse("status", SETTLED)))

    events = driver.use(server, session_stream)

    assert [type(each.data).__name__ for each in events] == ["Session", "Financial", "Session"]
    assert len(server.asked) == 1


def test_an_end_before_the_session_is_settled_is_not_the_end(serve, driver):
    server = serve(stream(BEGINNING, point(1)), stream(BEGINNING, point(2)), END)

    events = driver.use(server, session_stream)

    assert financial_ids(events) == ["1.499", "2.499"]
    assert list(server.headers("last-event-id")) == [None, "1.499", "2.499"]


def test_silence_is_a_dead_connection(serve, driver):
    server = serve(stream(BEGINNING, point(1), then="silence"), END)

    events = driver.use(server, session_stream, silence_seconds=0.2)

    assert financial_ids(events) == ["1.499"]
    assert list(server.headers("last-event-id")) == [None, "1.499"]


def test_a_heartbeat_is_nothing_to_the_caller(serve, driver):
    server = serve(stream(point(1), ": keep-alive\n\n", point(2), sse("status", SETTLED)))

    events = driver.use(server, session_stream)

    assert [each.event for each in events] == ["financial", "financial", "status"]


def test_a_caller_can_go_on_where_it_was_or_from_the_start(serve, driver):
    server = serve(END)

    driver.use(server, lambda client: session_stream(client, after="7.499"))
    driver.use(server, lambda client: session_stream(client, after=FROM_THE_START))

    assert list(server.headers("last-event-id")) == ["7.499", "0.0"]


def test_a_server_that_restarts_is_waited_for(serve, driver):
    server = serve(broken_off, refusal(503, "unavailable"), answer(502), END)

    driver.use(server, session_stream)

    assert len(server.asked) == 4
    assert driver.pauses == sorted(driver.pauses)


def test_a_server_that_stays_away_is_given_up(serve, driver):
    server = serve(refusal(503, "unavailable"))

    with pytest.raises(Unavailable):
        driver.use(server, session_stream)

    assert len(server.asked) == 4


def test_every_connection_that_opens_gives_new_patience(serve, driver):
    flapping = [answer(502), answer(502), stream(BEGINNING, then="cut")]
    server = serve(*flapping, *flapping, END)

    driver.use(server, session_stream)

    assert len(server.asked) == 7


def test_a_stream_told_to_wait_waits(serve, driver):
    server = serve(refusal(429, "rate_limit_exceeded", Retry_After="5"), END)

    driver.use(server, session_stream)

    assert driver.pauses == [5]


def test_a_session_that_is_gone_ends_the_stream_with_an_error(serve, driver):
    server = serve(stream(BEGINNING, point(1)), refusal(404, "not_found"))

    with pytest.raises(NotFound):
        driver.use(server, session_stream)


def test_what_is_no_stream_is_said_to_be_none(serve, driver):
    server = serve(answer(200, RUNNING))

    with pytest.raises(UnexpectedAnswer, match="no stream"):
        driver.use(server, session_stream)


def test_an_event_that_is_no_json_is_not_passed_over(serve, driver):
    server = serve(stream("event: status\ndata: {\n\n"))

    with pytest.raises(UnexpectedAnswer, match="no JSON"):
        driver.use(server, session_stream)


def test_every_event_has_its_type(serve, driver):
    server = serve(
        stream(
            sse("status", {"datetime": "2026-05-07T13:30:00.000Z", "status": "running"}, "1.0"),
            sse("order", examples.ORDER, "2.0"),
            sse("position", examples.POSITION, "2.1"),
            sse("transaction", examples.TRANSACTION, "2.2"),
            sse("decision", examples.DECISION, "2.3"),
            sse("novelty", {"x": 1}, "2.4"),
            sse("status", SETTLED),
        )
    )

    events = driver.use(server, session_stream)

    assert [type(each.data) for each in events] == [
        models.StatusChange,
        models.Order,
        models.Position,
        models.Transaction,
        models.Decision,
        models.OtherEvent,
        models.Session,
    ]


def market_line(seq):
    return sse(
        "market",
        {"datetime": "2026-05-07T13:30:01.000Z", "spx": "5950.00"},
        f"2026-05-07.{seq}",
    )


def test_the_market_goes_on_for_ever(serve):
    server = serve(stream(market_line(1)), stream(market_line(2), sse("novelty", 1)))

    with Zerohour(server.url, "x", sleep=lambda _seconds: None) as client:
        events = client.market.stream()
        seen = [next(events) for _ in range(3)]
        events.close()

    assert [each.id for each in seen] == ["2026-05-07.1", "2026-05-07.2", "2026-05-07.2"]
    assert isinstance(seen[0].data, models.MarketLine)
    assert isinstance(seen[2].data, models.OtherMarketEvent)


def test_leaving_a_stream_closes_its_connection(serve):
    server = serve(stream(BEGINNING, point(1), then="silence"))

    async def look():
        client = AsyncZerohour(server.url, "x")
        async with client, aclosing(session_stream(client)) as events:
            return await anext(events)

    first = asyncio.run(asyncio.wait_for(look(), timeout=5))

    assert first.event == "status"
