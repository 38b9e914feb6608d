"""dxFeed's values as ours: what is a price, an index value, an official close."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from marketdata.feeds.live.dxfeed import cents_of, events_of
from marketdata.feeds.live.vendor import IndexValue, OfficialClose, OptionQuote
from simengine.market import CALL, MISSING, Contract

SYMBOL = ".SPXW260507C5950"
CONTRACT = Contract(CALL, 595_000)
DAY_ID = (date(2026, 5, 7) - date(1970, 1, 1)).days


def events(kind, **values):
    return list(events_of((kind, values), {SYMBOL: CONTRACT}))


@pytest.mark.parametrize(
    ("price", "cents"),
    [
        (Decimal("1.05"), 105),
        (Decimal("1E+1"), 1_000),
        (12, 1_200),
        (0, 0),
        (Decimal("0.0"), 0),
        (Decimal("1.055"), MISSING),
        (Decimal("-0.05"), MISSING),
        (-1, MISSING),
        ("NaN", MISSING),
        ("Infinity", MISSING),
        (Decimal("NaN"), MISSING),
        (None, MISSING),
        (True, MISSING),
        ("1.05", MISSING),
        ([], MISSING),
    ],
)
def test_only_whole_cents_are_a_price(price, cents):
    assert cents_of(price) == cents


def test_a_quote_without_a_bid_keeps_its_ask():
    quote = {"eventSymbol": SYMBOL, "bidPrice": "NaN", "askPrice": Decimal("0.05")}

    assert events("Quote", **quote, bidTime=0, askTime=77) == [
        OptionQuote(CONTRACT, MISSING, 5, 77)
    ]


def test_symbols_that_are_none_of_ours_are_left_out():
    assert events("Quote", eventSymbol=".SPXW260508C5950", bidPrice=1, askPrice=2) == []
    assert events("Trade", eventSymbol="NDX", price=1) == []
    assert events("Candle", eventSymbol="SPX", price=1) == []
    assert events("Quote", eventSymbol=["SPX"], bidPrice=1) == []


def test_an_index_value_is_rounded_to_hundredths():
    (value,) = events("Trade", eventSymbol="SPX", price=Decimal("5950.2549"), time=9)

    assert value == IndexValue("SPX", 595_025, 9)


@pytest.mark.parametrize("price", ["NaN", None, 0, -1, Decimal("Infinity"), 10**9, True])
def test_an_index_value_that_cannot_be_is_left_out(price):
    assert events("Trade", eventSymbol="SPX", price=price, time=9) == []


@pytest.mark.parametrize("kind", ["REGULAR", "INDICATIVE", "PRELIMINARY", None, "final"])
def test_only_a_final_price_is_an_official_close(kind):
    summary = {"eventSymbol": "SPX", "dayId": DAY_ID, "dayClosePrice": Decimal("5951.87")}

    assert events("Summary", **summary, dayClosePriceType=kind) == []


def test_todays_and_the_previous_days_final_close_are_told_apart():
    found = events(
        "Summary",
        eventSymbol="SPX",
        dayId=DAY_ID,
        dayClosePrice=Decimal("5951.87"),
        dayClosePriceType="FINAL",
        prevDayId=DAY_ID - 1,
        prevDayClosePrice=Decimal("5923.45"),
        prevDayClosePriceType="FINAL",
    )

    assert found == [
        OfficialClose(date(2026, 5, 7), 595_187),
        OfficialClose(date(2026, 5, 6), 592_345),
    ]


@pytest.mark.parametrize("day_id", ["NaN", None, -1, 10**9, Decimal("1.5"), True])
def test_a_close_without_a_day_is_none(day_id):
    summary = {"dayClosePrice": Decimal("5951.87"), "dayClosePriceType": "FINAL"}

    assert events("Summary", eventSymbol="SPX", dayId=day_id, **summary) == []
