import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketdata import codec
from simengine.market import Tick, rows_of
from tests.marketdata.factories import as_tuple, make_tick

cents = st.integers(-1, 2_000_000)
deltas = st.integers(-1, 10_000)


@st.composite
def ticks(draw):
    strikes = sorted(draw(st.sets(st.integers(100, 2_000_000), max_size=30)))
    column = st.lists(cents, min_size=len(strikes), max_size=len(strikes))
    delta_column = st.lists(deltas, min_size=len(strikes), max_size=len(strikes))
    at_ms = draw(st.integers(0, 4_000_000_000_000))
    return Tick(
        seq=draw(st.integers(1, 100_000)),
        at_ms=at_ms,
        received_ms=at_ms + draw(st.integers(0, 100_000)),
        spot_cents=draw(st.integers(1, 2_000_000)),
        vix_hundredths=draw(st.none() | st.integers(0, 20_000)),
        expected_move_cents=draw(st.none() | st.integers(0, 100_000)),
        strikes_cents=strikes,
        call_bid_cents=draw(column),
        call_ask_cents=draw(column),
        call_delta_e4=draw(delta_column),
        put_bid_cents=draw(column),
        put_ask_cents=draw(column),
        put_delta_e4=draw(delta_column),
        row_of_strike=rows_of(strikes),
    )


@given(tick=ticks())
def test_a_tick_survives_the_round_trip(tick):
    decoded = codec.decode(codec.encode(tick), seq=tick.seq)

    assert as_tuple(decoded) == as_tuple(tick)


def test_ticks_of_the_same_strikes_share_one_row_index():
    payloads = [codec.encode(make_tick(seq)) for seq in (1, 2)]

    first, second = (codec.decode(payload, seq=1) for payload in payloads)

    assert first.row_of_strike is second.row_of_strike
    assert first.strikes_cents is second.strikes_cents


def test_a_tick_of_200_strikes_is_under_seven_kilobytes():
    strikes = list(range(550_000, 650_000, 500))
    column = [100] * 200
    tick = make_tick(
        strikes_cents=strikes,
        call_bid_cents=column,
        call_ask_cents=column,
        call_delta_e4=column,
        put_bid_cents=column,
        put_ask_cents=column,
        put_delta_e4=column,
    )

    assert len(codec.encode(tick)) == 5_632


@pytest.mark.parametrize("payload", [b"", b"abc", b"\0" * 32, codec.encode(make_tick())[:-4]])
def test_a_damaged_payload_is_refused(payload):
    with pytest.raises(codec.CorruptTick):
        codec.decode(payload, seq=1)


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(codec.CorruptTick):
        codec.encode(make_tick(put_ask_cents=[1, 2]))


def test_a_price_beyond_int32_is_refused():
    with pytest.raises(OverflowError):
        codec.encode(make_tick(spot_cents=2**31))
