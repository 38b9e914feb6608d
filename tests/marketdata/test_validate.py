import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.times import to_ms
from marketdata import codec
from marketdata.validate import Validator
from simengine.market import MISSING
from tests.marketdata.factories import CLOSE_AT, OPEN_AT, OPEN_MS, as_tuple, make_tick


def validator(**overrides):
    return Validator(open_ms=OPEN_MS, close_ms=to_ms(CLOSE_AT), **overrides)


def test_a_clean_tick_passes_as_it_is():
    check, tick = validator(), make_tick(1)

    assert check.accept(tick) is tick
    assert not check.counts


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        ({"at_ms": OPEN_MS - 1}, "outside the session"),
        ({"at_ms": to_ms(CLOSE_AT) + 1}, "outside the session"),
        ({"at_ms": math.nan}, "outside the session"),
        ({"spot_cents": 0}, "no usable spot"),
        ({"spot_cents": -1}, "no usable spot"),
        ({"spot_cents": math.nan}, "no usable spot"),
        ({"spot_cents": 10**9}, "no usable spot"),
        ({"spot_cents": None}, "no usable spot"),
        ({"call_bid_cents": [1]}, "columns do not fit"),
        ({"strikes_cents": [595000, 594500, 595500]}, "columns do not fit"),
        ({"strikes_cents": [594500, 594500, 595500]}, "columns do not fit"),
        ({"strikes_cents": [-500, 594500, 595500]}, "columns do not fit"),
        ({"row_of_strike": {}}, "columns do not fit"),
    ],
)
def test_a_tick_that_cannot_be_placed_is_refused(overrides, reason):
    check = validator()

    assert check.accept(make_tick(1, **overrides)) is None
    assert check.counts == {f"tick refused: {reason}": 1}


def test_time_must_grow_and_what_passes_is_numbered_without_a_gap():
    check = validator()
    ticks = [make_tick(1), make_tick(2, at_ms=OPEN_MS), make_tick(3), make_tick(4)]

    accepted = list(check.clean(ticks))

    assert [tick.seq for tick in accepted] == [1, 2, 3]
    assert [(tick.at_ms - OPEN_MS) // 1000 for tick in accepted] == [0, 2, 3]
    assert check.counts["tick refused: time does not grow"] == 1


def test_a_resumed_day_continues_its_numbers_and_its_time():
    check = validator(last_seq=7, last_at_ms=OPEN_MS + 5_000)

    accepted = list(check.clean([make_tick(6), make_tick(7)]))

    assert [(tick.seq, tick.at_ms - OPEN_MS) for tick in accepted] == [(8, 6_000)]


def test_a_spot_that_leaps_is_refused_until_it_insists():
    check = validator()
    leaps = [make_tick(seq, spot_cents=700_000) for seq in range(2, 8)]

    accepted = list(check.clean([make_tick(1), *leaps]))

    assert [tick.spot_cents for tick in accepted] == [595_025, 700_000, 700_000]
    assert check.counts["tick refused: spot leaps"] == 4


@pytest.mark.parametrize(
    ("column", "values", "clean"),
    [
        ("call_bid_cents", [math.nan, 1060, 800], [MISSING, 1060, 800]),
        ("call_bid_cents", [-2, 1060, 800], [MISSING, 1060, 800]),
        ("call_bid_cents", [None, 1060, 800], [MISSING, 1060, 800]),
        ("call_bid_cents", ["13.50", 1060, 800], [MISSING, 1060, 800]),
        ("put_ask_cents", [10**7, 1050, 1290], [MISSING, 1050, 1290]),
        ("put_ask_cents", [10**30, 1050, 1290], [MISSING, 1050, 1290]),
        ("put_ask_cents", [1050.5, 1050, 1290], [MISSING, 1050, 1290]),
        ("put_delta_e4", [10_001, 4950, 5800], [MISSING, 4950, 5800]),
        ("call_delta_e4", [-5900, 5050, 4200], [MISSING, 5050, 4200]),
    ],
)
def test_a_value_that_cannot_be_becomes_missing(column, values, clean):
    check = validator()

    accepted = check.accept(make_tick(1, **{column: values}))

    assert getattr(accepted, column) == clean
    assert check.counts["values dropped: impossible"] == 1


def test_a_crossed_quote_loses_both_sides_and_a_locked_one_stays():
    check = validator()

    accepted = check.accept(
        make_tick(1, call_bid_cents=[1380, 1080, 0], call_ask_cents=[1370, 1080, 5])
    )

    assert accepted.call_bid_cents == [MISSING, 1080, 0]
    assert accepted.call_ask_cents == [MISSING, 1080, 5]
    assert check.counts["quotes dropped: crossed"] == 1


def test_a_price_off_the_grid_stays_and_is_counted():
    check = validator()

    accepted = check.accept(make_tick(1, put_bid_cents=[821, 1030, 1270]))

    assert accepted.put_bid_cents == [821, 1030, 1270]
    assert check.counts == {"quotes off the grid": 1}


@pytest.mark.parametrize(
    ("overrides", "clean"),
    [
        ({"vix_hundredths": -1}, {"vix_hundredths": None}),
        ({"vix_hundredths": math.inf}, {"vix_hundredths": None}),
        ({"expected_move_cents": 10**9}, {"expected_move_cents": None}),
        ({"received_ms": OPEN_MS - 5}, {"received_ms": OPEN_MS}),
        ({"received_ms": OPEN_MS + 10**10}, {"received_ms": OPEN_MS}),
    ],
)
def test_index_values_that_cannot_be_are_dropped(overrides, clean):
    accepted = validator().accept(make_tick(1, **overrides))

    assert {name: getattr(accepted, name) for name in clean} == clean


def test_a_tick_with_index_values_only_passes():
    empty = {
        name: []
        for name in (
            "strikes_cents",
            "call_bid_cents",
            "call_ask_cents",
            "call_delta_e4",
            "put_bid_cents",
            "put_ask_cents",
            "put_delta_e4",
        )
    }
    tick = make_tick(1, **empty, row_of_strike={})

    assert validator().accept(tick) is tick


anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=3),
    st.integers(-5, 700_000),
)


@given(
    at_ms=st.one_of(anything, st.integers(OPEN_MS, OPEN_MS + 9_000)),
    spot=anything,
    vix=anything,
    lag=anything,
    columns=st.lists(st.lists(anything, max_size=4), min_size=6, max_size=6),
)
def test_whatever_comes_in_what_goes_out_can_be_stored(at_ms, spot, vix, lag, columns):
    names = (
        "call_bid_cents",
        "call_ask_cents",
        "call_delta_e4",
        "put_bid_cents",
        "put_ask_cents",
        "put_delta_e4",
    )
    hostile = replace(
        make_tick(1),
        at_ms=at_ms,
        spot_cents=spot,
        vix_hundredths=vix,
        received_ms=lag,
        **dict(zip(names, columns, strict=True)),
    )

    accepted = validator().accept(hostile)

    if accepted is not None:
        decoded = codec.decode(codec.encode(accepted), seq=accepted.seq)
        assert as_tuple(decoded) == as_tuple(accepted)
        assert to_ms(OPEN_AT) <= accepted.at_ms <= to_ms(CLOSE_AT)
