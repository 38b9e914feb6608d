"""The book of a live feed: what it believes, what it drops, what a second looks like."""

from __future__ import annotations

import threading
from datetime import date

import pytest

from marketdata.feeds.live.book import QuoteBook
from marketdata.feeds.live.vendor import VIX, IndexValue, OfficialClose
from simengine.market import CALL, MISSING, PUT, Contract
from tests.marketdata.factories import OPEN_MS
from tests.marketdata.live.fakes import call, put, spot

AT = OPEN_MS + 60_000
C5950, P5950 = Contract(CALL, 595_000), Contract(PUT, 595_000)


def book_of(*events) -> QuoteBook:
    book = QuoteBook()
    book.apply([spot(595_025), *events], AT)
    return book


def test_a_second_holds_the_newest_quotes_the_indices_and_what_they_imply():
    book = book_of(IndexValue(VIX, 1_620, AT), call(595_000, 900, 920), put(595_000, 800, 820))
    book.apply([call(595_000, 1_060, 1_080), put(595_000, 1_030, 1_050)], AT + 100)

    tick = book.snapshot(AT + 1_000, AT + 1_004)

    assert (tick.at_ms, tick.received_ms) == (AT + 1_000, AT + 1_004)
    assert (tick.spot_cents, tick.vix_hundredths) == (595_025, 1_620)
    assert tick.quote(C5950)[:2] == (1_060, 1_080)
    assert tick.quote(P5950)[:2] == (1_030, 1_050)
    assert tick.expected_move_cents == 2_110
    assert 4_000 < tick.quote(C5950).delta_e4 < 6_000


def test_without_a_spot_there_is_no_tick():
    book = QuoteBook()
    book.apply([call(595_000, 900, 920)], AT)

    assert book.snapshot(AT, AT) is None


@pytest.mark.parametrize(("silent_ms", "has_tick"), [(2_000, True), (2_001, False)])
def test_a_silent_feed_makes_no_ticks(silent_ms, has_tick):
    book = book_of(call(595_000, 900, 920))

    tick = book.snapshot(AT + silent_ms, AT + silent_ms)

    assert (tick is not None) is has_tick


def test_an_index_that_stands_still_while_options_go_on_makes_no_ticks():
    book = book_of()
    later = AT + 15_001
    book.apply([call(595_000, 900, 920)], later)

    assert book.snapshot(later, later) is None
    assert book.counted()["no tick: the index is silent"] == 1


@pytest.mark.parametrize(("age_ms", "has_tick"), [(15_000, True), (15_001, False)])
def test_an_old_value_of_the_index_is_no_spot_however_late_it_came(age_ms, has_tick):
    """A connection begins with the last value there is: at the open that is yesterday's."""
    book = QuoteBook()
    book.apply([spot(595_000, AT - age_ms), call(595_000, 900, 920)], AT)

    assert (book.snapshot(AT, AT) is not None) is has_tick


def test_a_quote_older_than_the_one_held_is_dropped_and_an_equal_one_is_not():
    book = book_of(call(595_000, 900, 920, AT))

    book.apply([call(595_000, 100, 120, AT - 1)], AT + 5)
    book.apply([put(595_000, 700, 720, AT), put(595_000, 710, 730, AT)], AT + 5)

    tick = book.snapshot(AT + 1_000, AT + 1_000)
    assert tick.quote(C5950).bid_cents == 900
    assert tick.quote(P5950).bid_cents == 710
    assert book.counted()["quotes dropped: older than the one held"] == 1


def test_an_older_index_value_is_dropped():
    book = QuoteBook()
    book.apply([spot(595_000, AT), spot(590_000, AT - 1_000)], AT)

    assert book.spot_cents == 595_000


def test_a_quote_without_a_time_is_taken_as_it_comes():
    book = book_of(call(595_000, 900, 920, AT), call(595_000, 800, 820, 0))

    assert book.snapshot(AT, AT).quote(C5950).bid_cents == 800


def test_a_time_of_the_future_cannot_shut_out_what_follows():
    book = book_of(call(595_000, 900, 920, AT + 3_600_000))

    book.apply([call(595_000, 800, 820, AT + 50)], AT + 50)

    assert book.snapshot(AT + 50, AT + 50).quote(C5950).bid_cents == 800


def test_a_side_that_goes_away_is_missing_from_then_on():
    book = book_of(call(595_000, 900, 920, AT))

    book.apply([call(595_000, MISSING, 920, AT + 10)], AT + 10)

    assert book.snapshot(AT + 10, AT + 10).quote(C5950)[:2] == (MISSING, 920)


def test_zero_at_both_sides_is_no_quote_and_a_bid_of_zero_is_one():
    book = book_of(call(595_000, 0, 0), put(595_000, 0, 5))

    tick = book.snapshot(AT, AT)

    assert tick.quote(C5950)[:2] == (MISSING, MISSING)
    assert tick.quote(P5950)[:2] == (0, 5)


def test_after_a_lost_connection_nothing_is_known_but_the_closes():
    book = book_of(call(595_000, 900, 920, AT), OfficialClose(date(2026, 5, 6), 592_345))

    book.clear()

    assert book.snapshot(AT, AT) is None
    assert book.official_closes == {date(2026, 5, 6): 592_345}
    book.apply([spot(595_100, AT - 500), call(595_000, 700, 720, AT - 500)], AT + 10)
    assert book.snapshot(AT + 10, AT + 10).quote(C5950).bid_cents == 700


def test_a_burst_from_another_thread_never_tears_a_tick():
    book = book_of()
    stop = threading.Event()

    def burst() -> None:
        price = 100
        while not stop.is_set():
            price = price + 10 if price < 5_000 else 100
            strikes = range(580_000, 610_500, 500)
            book.apply([call(strike, price, price + 10) for strike in strikes], AT)

    writer = threading.Thread(target=burst)
    writer.start()
    try:
        for _ in range(30):
            tick = book.snapshot(AT, AT)
            assert len(set(tick.call_bid_cents)) <= 1  # all of one message, or of none
    finally:
        stop.set()
        writer.join()
