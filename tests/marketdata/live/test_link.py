"""Staying connected: silence, back-off, strikes that follow. Time is injected, nothing sleeps."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest

from marketdata.feeds.live.book import QuoteBook
from marketdata.feeds.live.link import REFUSED_SECONDS, Link
from marketdata.feeds.live.strikes import around
from marketdata.feeds.live.vendor import Refused, VendorError
from tests.marketdata.factories import A_DAY, CLOSE_AT, OPEN_AT
from tests.marketdata.live.fakes import (
    STRIKES,
    FakeStopping,
    LiveWall,
    ScriptedStream,
    ScriptedVendor,
    call,
    spot,
)

LOST = VendorError("lost")


def listen(vendor, wall, waits=1, book=None):
    stopping = FakeStopping(wall, waits)
    link = Link(
        vendor=vendor,
        trading_date=A_DAY,
        hours=(OPEN_AT, CLOSE_AT),
        book=book or QuoteBook(),
        wall=wall,
        rng=Random(1),
        stopping=stopping,
    )
    link.listen()
    return stopping.waits


def test_the_first_spot_subscribes_the_strikes_around_it():
    wall = LiveWall()
    stream = ScriptedStream(wall, [[], [spot(595_000)], [call(595_000, 100, 110)], LOST])

    listen(ScriptedVendor(stream), wall)

    assert stream.subscriptions == [(around(STRIKES, 595_000), set())]
    assert stream.is_closed


def test_strikes_follow_spot_once_it_has_moved_far_enough():
    wall = LiveWall()
    moves = [[spot(595_000)], [spot(597_400)], [spot(592_600)], [spot(597_500)], LOST]
    stream = ScriptedStream(wall, moves)

    listen(ScriptedVendor(stream), wall)

    first, second = stream.subscriptions
    assert first == (around(STRIKES, 595_000), set())
    assert second == (around(STRIKES, 597_500) - around(STRIKES, 595_000), set())


def test_after_a_lost_connection_all_strikes_are_subscribed_again():
    wall = LiveWall()
    streams = [ScriptedStream(wall, [[spot(595_000)], LOST]) for _ in range(2)]

    listen(ScriptedVendor(*streams), wall, waits=2)

    assert streams[0].subscriptions == streams[1].subscriptions != []


def test_waits_grow_between_failed_tries():
    wall = LiveWall()

    waits = listen(ScriptedVendor(VendorError("no route")), wall, waits=8)

    for tries, seconds in enumerate(waits):
        longest = min(60.0, 2.0**tries)
        assert longest / 2 <= seconds <= longest


def test_a_connection_that_held_makes_the_next_wait_short_again():
    wall = LiveWall()
    steady = ScriptedStream(wall, [[spot(595_000), call(595_000, 100, 110)]] * 300 + [LOST])
    failures = [VendorError("no")] * 5

    waits = listen(ScriptedVendor(*failures, steady), wall, waits=6)

    assert waits[4] >= 8
    assert waits[5] <= 1.0


def test_a_connection_that_soon_breaks_does_not():
    wall = LiveWall()
    brief = ScriptedStream(wall, [[spot(595_000)], LOST])

    waits = listen(ScriptedVendor(*[VendorError("no")] * 5, brief), wall, waits=6)

    assert waits[5] >= 16


def test_refused_credentials_are_not_tried_again_soon():
    wall = LiveWall()

    waits = listen(ScriptedVendor(Refused("invalid_grant")), wall, waits=3)

    assert waits == [REFUSED_SECONDS] * 3


@pytest.mark.parametrize(
    ("at", "is_given_up"),
    [
        (OPEN_AT + timedelta(hours=1), True),
        (OPEN_AT - timedelta(minutes=10), False),  # before the open silence is normal
        (CLOSE_AT + timedelta(seconds=1), False),
    ],
)
def test_silence_in_trading_hours_ends_a_connection(at, is_given_up, caplog):
    wall = LiveWall(at)
    stream = ScriptedStream(wall, [[spot(595_000)], *[[]] * 60, VendorError("the end")])

    listen(ScriptedVendor(stream), wall)

    assert ("no data for 10 s" in caplog.text) is is_given_up


def test_silence_before_the_open_does_not_count_at_the_open(caplog):
    wall = LiveWall(OPEN_AT - timedelta(seconds=60))
    quiet = [[]] * (4 * 65)  # until five seconds after the open
    stream = ScriptedStream(wall, [[spot(595_000)], *quiet, VendorError("the end")])

    listen(ScriptedVendor(stream), wall)

    assert "the end" in caplog.text


def test_options_that_fall_silent_while_the_index_goes_on_end_a_connection(caplog):
    wall = LiveWall()
    index_only = [[spot(595_000)]] * 400
    stream = ScriptedStream(wall, [[spot(595_000)], [call(595_000, 100, 110)], *index_only])

    listen(ScriptedVendor(stream), wall)

    assert "no option quote for 30 s" in caplog.text


def test_the_book_is_empty_while_the_connection_is_lost():
    wall, book = LiveWall(), QuoteBook()

    listen(ScriptedVendor(ScriptedStream(wall, [[spot(595_000)], LOST])), wall, book=book)

    assert book.spot_cents is None


def test_an_error_nobody_expects_reaches_whoever_reads_the_feed():
    wall = LiveWall()
    link = Link(
        vendor=ScriptedVendor(ZeroDivisionError("a bug")),
        trading_date=A_DAY,
        hours=(OPEN_AT, CLOSE_AT),
        book=QuoteBook(),
        wall=wall,
        rng=Random(1),
    )

    link.start()
    link.stop()

    with pytest.raises(ZeroDivisionError):
        link.check()
