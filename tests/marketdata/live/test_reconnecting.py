"""The whole of a live feed, thread and sockets, against the vendor on this machine."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from random import Random

import pytest

from common.times import to_ms
from marketdata.feeds.live import backoff, link
from marketdata.feeds.live.feed import LiveFeed
from marketdata.feeds.live.tastytrade import Credentials, Tastytrade
from marketdata.pacing import SystemWall
from simengine.market import MISSING, Contract
from tests.marketdata.factories import A_DAY, OPEN_AT
from tests.marketdata.live.vendor_server import VendorServer

PATIENCE_SECONDS = 20


@pytest.fixture
def wall():
    return SystemWall(OPEN_AT + timedelta(hours=1))


@pytest.fixture
def vendor(wall) -> Iterator[VendorServer]:
    with VendorServer(A_DAY, now_ms=lambda: to_ms(wall.now()), period_seconds=0.05) as server:
        yield server


@pytest.fixture
def feed(vendor, wall, monkeypatch) -> Iterator[LiveFeed]:
    monkeypatch.setattr(backoff, "FIRST_SECONDS", 0.05)
    monkeypatch.setattr(backoff, "LONGEST_SECONDS", 0.1)
    credentials = Credentials.from_environment(vendor.env)
    feed = LiveFeed(vendor=Tastytrade(credentials), trading_date=A_DAY, wall=wall, rng=Random(1))
    with feed.connected():
        yield feed


def until(is_so, what):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def taken(feed, wall):
    now_ms = to_ms(wall.now())
    return feed.take(now_ms // 1000 * 1000, now_ms)


def wait_for_quotes(feed, wall, contracts=322):
    def are_there():
        tick = taken(feed, wall)
        return tick is not None and len(feed.book.quoted()) >= contracts

    until(are_there, "quotes come")
    return taken(feed, wall)


def test_a_second_of_the_real_wire_is_a_whole_tick(feed, vendor, wall):
    tick = wait_for_quotes(feed, wall)

    assert (tick.spot_cents, tick.vix_hundredths) == (595_000, 1_620)
    assert len(tick.strikes_cents) == 161
    assert tick.quote(Contract("C", 595_000))[:2] == (1_000, 1_010)
    assert tick.expected_move_cents == 2_010
    assert MISSING not in tick.call_delta_e4


def test_after_a_disconnect_everything_is_subscribed_again(feed, vendor, wall):
    wait_for_quotes(feed, wall)
    before = vendor.subscribed()

    vendor.hang_up()
    until(lambda: taken(feed, wall) is None, "the loss shows")

    wait_for_quotes(feed, wall)
    assert vendor.subscribed() == before
    assert feed.is_connected


def test_a_half_open_connection_is_left_and_made_anew(feed, vendor, wall, monkeypatch):
    wait_for_quotes(feed, wall)
    monkeypatch.setattr(link, "SILENT_AFTER_SECONDS", 0.5)
    first = vendor.connections[0]

    vendor.trouble.is_silent = True
    until(lambda: taken(feed, wall) is None, "the silence shows")
    vendor.trouble.is_silent = False

    wait_for_quotes(feed, wall)
    assert first not in vendor.connections


def test_a_token_that_expires_in_mid_session_is_replaced(feed, vendor, wall):
    wait_for_quotes(feed, wall)

    vendor.send(json.dumps({"type": "AUTH_STATE", "channel": 0, "state": "UNAUTHORIZED"}))

    until(lambda: vendor.requests.count("GET /api-quote-tokens") >= 2, "another token")
    wait_for_quotes(feed, wall)
    assert vendor.requests.count("POST /oauth/token") == 1


def test_strikes_follow_a_spot_that_runs(feed, vendor, wall):
    wait_for_quotes(feed, wall)

    vendor.spot += 30

    until(lambda: vendor.symbol("C", 6380) in vendor.subscribed(), "new strikes")
    assert vendor.symbol("P", 5550) in vendor.subscribed()
    assert taken(feed, wall).spot_cents == 598_000


def test_nonsense_between_good_messages_does_not_disturb(feed, vendor, wall):
    wait_for_quotes(feed, wall)

    for text in ("", "{", '{"type": "FEED_DATA", "data": [[]]}', '{"type": "NEWS"}'):
        vendor.send(text)
    vendor.spot += 1

    until(lambda: (tick := taken(feed, wall)) and tick.spot_cents == 595_100, "it goes on")
    assert len(vendor.connections) == 1


def test_a_stopped_feed_leaves_no_connection(vendor, wall):
    credentials = Credentials.from_environment(vendor.env)
    feed = LiveFeed(vendor=Tastytrade(credentials), trading_date=A_DAY, wall=wall, rng=Random(1))
    with feed.connected():
        wait_for_quotes(feed, wall)

    until(lambda: not vendor.connections, "the connection ends")
