"""The wire, against a dxLink server on this machine, with what goes wrong on real ones."""

from __future__ import annotations

import json
import time
from decimal import Decimal

import pytest

from marketdata.feeds.live.dxlink import (
    DEAD_AFTER_SECONDS,
    KEEPALIVE_EVERY_SECONDS,
    SYMBOLS_A_MESSAGE,
    UNREADABLE_IN_A_ROW,
    DxLink,
    TokenRefused,
)
from marketdata.feeds.live.vendor import VendorError
from tests.marketdata.live.vendor_server import QUOTE_TOKEN

QUOTE = ("Quote", ".SPXW260507C5950")


class Clock:
    """The monotonic clock, and how far a test has set it ahead."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


def link_to(server, token=QUOTE_TOKEN, clock=time.monotonic) -> DxLink:
    """Set up on both sides: a test may send at once what a server sends to subscribers only."""
    link = DxLink(server.stream_url, token, monotonic=clock)
    deadline = time.monotonic() + 5
    while not all(each.is_set_up for each in list(server.connections)):
        assert time.monotonic() < deadline, "the server did not set the feed up"
        time.sleep(0.01)
    return link


def received(link, kind="Quote", patience_seconds=5.0):
    """The next events of that kind."""
    deadline = time.monotonic() + patience_seconds
    while time.monotonic() < deadline:
        found = [values for of, values in link.receive(0.1) if of == kind]
        if found:
            return found
    raise AssertionError(f"no {kind} within {patience_seconds:g} s")


def quiet(server):
    """Only what a test sends itself."""
    server.trouble.sends_only_heartbeats = True
    return server


def test_the_handshake_is_the_protocols(server):
    link = link_to(server)
    link.subscribe(add=[QUOTE])
    received(link)
    link.close()

    assert [message["type"] for message in server.received] == [
        "SETUP",
        "AUTH",
        "CHANNEL_REQUEST",
        "FEED_SETUP",
        "FEED_SUBSCRIPTION",
    ]
    assert server.received[3]["acceptDataFormat"] == "COMPACT"
    assert [message["channel"] for message in server.received] == [0, 0, 1, 1, 1]


def test_values_are_read_in_the_order_the_server_names_and_exactly(server):
    link = link_to(quiet(server))
    link.receive(0.2)
    link.receive(0.2)
    server.send_quote(QUOTE[1], 10.6, 10.8, 1_778_160_000_000)

    (event,) = received(link)

    assert (event["bidPrice"], event["askPrice"]) == (Decimal("10.6"), Decimal("10.8"))
    assert event["askTime"] == 1_778_160_000_000
    link.close()


def test_many_events_of_several_kinds_come_in_one_message(server):
    link = link_to(quiet(server))
    flat = ["Quote", "A", 1, 2, 0, 0, "Quote", "B", 3, 4, 0, 0]
    time.sleep(0.1)
    server.send_data("Quote", flat, "Trade", ["Trade", "SPX", 5950.25, 7])

    quotes = received(link)

    assert [event["eventSymbol"] for event in quotes] == ["A", "B"]
    link.close()


def test_a_server_that_sends_whole_objects_is_understood_too(server):
    link = link_to(quiet(server))
    server.send_data({"eventType": "Quote", "eventSymbol": "A", "bidPrice": 1.25})

    (event,) = received(link)

    assert event["bidPrice"] == Decimal("1.25")
    link.close()


def test_long_subscriptions_go_in_messages_a_server_takes(server):
    link = link_to(quiet(server))
    wanted = [("Quote", f"S{number:03d}") for number in range(2 * SYMBOLS_A_MESSAGE + 1)]

    link.subscribe(add=wanted)
    link.subscribe(remove=wanted[:1])

    def sizes() -> list[int]:
        asked = [m for m in list(server.received) if m["type"] == "FEED_SUBSCRIPTION"]
        return [len(m.get("add", [])) for m in asked]

    deadline = time.monotonic() + 5
    left = len(wanted) - 1
    while time.monotonic() < deadline and (len(sizes()), len(server.subscribed())) != (4, left):
        link.receive(0.05)
    assert sizes() == [SYMBOLS_A_MESSAGE, SYMBOLS_A_MESSAGE, 1, 0]
    assert len(server.subscribed()) == left
    link.close()


def test_a_refused_token_says_so(server):
    with pytest.raises(TokenRefused):
        link_to(server, token="yesterdays")


def test_a_token_that_expires_in_mid_session_says_so(server):
    link = link_to(quiet(server))
    server.send(json.dumps({"type": "AUTH_STATE", "channel": 0, "state": "UNAUTHORIZED"}))

    with pytest.raises(TokenRefused):
        received(link)


@pytest.mark.parametrize("error", ["TIMEOUT", "UNAUTHORIZED", "UNSUPPORTED_PROTOCOL"])
def test_an_error_after_which_nothing_will_come_ends_the_connection(server, error):
    link = link_to(quiet(server))
    server.send(json.dumps({"type": "ERROR", "channel": 0, "error": error, "message": "over"}))

    with pytest.raises(VendorError, match="over"):
        received(link)


def test_an_error_for_information_is_logged_and_the_data_goes_on(server, caplog):
    link = link_to(quiet(server))
    server.send(json.dumps({"type": "ERROR", "channel": 1, "error": "BAD_ACTION", "message": "?"}))
    server.send_data({"eventType": "Quote", "eventSymbol": "A"})

    assert received(link)
    assert "BAD_ACTION: ?" in caplog.text
    link.close()


def test_a_closed_channel_ends_the_connection(server):
    link = link_to(quiet(server))
    server.send(json.dumps({"type": "CHANNEL_CLOSED", "channel": 1}))

    with pytest.raises(VendorError, match="channel"):
        received(link)


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "[]",
        "null",
        '"FEED_DATA"',
        "{}",
        '{"type": "FEED_DATA"}',
        '{"type": "FEED_DATA", "data": 7}',
        '{"type": "FEED_DATA", "data": [7, [1]]}',
        '{"type": "FEED_DATA", "data": ["Quote", ["one too few"]]}',
        '{"type": "FEED_DATA", "data": ["Unheard", ["of"]]}',
        '{"type": "FEED_DATA", "data": ["Quote"]}',
        '{"type": "FEED_CONFIG", "eventFields": 3}',
        '{"type": 3}',
        "[" * 100_000,
    ],
)
def test_a_malformed_message_is_skipped_and_the_next_one_read(server, text):
    link = link_to(quiet(server))
    server.send(text)
    server.send_data({"eventType": "Quote", "eventSymbol": "A"})

    assert received(link)
    link.close()


def test_a_server_that_sends_nothing_but_nonsense_is_left(server):
    link = link_to(quiet(server))
    for _ in range(3 * UNREADABLE_IN_A_ROW):  # a heartbeat may come in between
        server.send("nonsense")

    with pytest.raises(VendorError, match="unreadable"):
        received(link)
    link.close()


def test_a_lost_connection_is_an_error(server):
    link = link_to(server)
    server.hang_up()

    with pytest.raises(VendorError, match="connection ended"):
        received(link)


def test_a_half_open_connection_is_found_out(server):
    """The socket stays open, nothing comes any more, not even a heartbeat."""
    clock = Clock()
    link = link_to(server, clock=clock)
    server.trouble.is_silent = True
    while link.receive(0.1) or clock() - link._heard_at < 0.1:
        pass
    assert link.receive(0.05) == []  # a short silence is none

    clock.ahead = DEAD_AFTER_SECONDS + 1

    with pytest.raises(VendorError, match="not a word"):
        link.receive(0.05)
    link.close()


def test_we_are_heard_from_before_the_server_gives_up(server):
    clock = Clock()
    link = link_to(quiet(server), clock=clock)

    clock.ahead = KEEPALIVE_EVERY_SECONDS
    link.receive(0.1)

    deadline = time.monotonic() + 5
    while server.received[-1]["type"] != "KEEPALIVE" and time.monotonic() < deadline:
        time.sleep(0.02)
    assert server.received[-1] == {"type": "KEEPALIVE", "channel": 0}
    link.close()


def test_a_server_that_never_answers_is_given_up(server, monkeypatch):
    monkeypatch.setattr("marketdata.feeds.live.dxlink.OPEN_SECONDS", 0.3)
    server.trouble.never_opens_channels = True

    with pytest.raises(VendorError, match="CHANNEL_OPENED"):
        link_to(server)


def test_a_place_where_nobody_listens_is_an_error(server):
    gone = server.stream_url
    server._stream.shutdown()

    with pytest.raises(VendorError, match="cannot connect"):
        DxLink(gone, QUOTE_TOKEN, monotonic=time.monotonic)


def test_a_burst_is_read_to_its_end(server):
    link = link_to(quiet(server))
    for number in range(300):
        flat = [part for row in range(40) for part in ("Quote", f"S{row}", 1, 2, number, number)]
        server.send_data("Quote", flat)

    last = {}
    while last.get("S39") != 299:
        last |= {event["eventSymbol"]: event["bidTime"] for event in received(link)}

    assert set(last.values()) == {299}
    link.close()
