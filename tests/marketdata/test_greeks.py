import time

import numpy as np
import pytest

from marketdata import blackscholes as bs
from marketdata.greeks import Quotes, deltas_e4, expected_move_cents, parity_forward
from simengine.market import MISSING


def chain(forward=595_000.0, deviation=0.004, half_spread=5, count=41):
    """Quotes in cents of a flat smile around `forward`."""
    strikes = np.arange(-(count // 2), count // 2 + 1) * 500 + 595_000
    calls = np.rint(bs.call_price(forward, strikes, deviation)).astype(int)
    puts = np.rint(bs.put_price(forward, strikes, deviation)).astype(int)
    return Quotes(
        strikes,
        np.maximum(calls - half_spread, 0),
        calls + half_spread,
        np.maximum(puts - half_spread, 0),
        puts + half_spread,
    )


def test_the_parity_forward_is_what_calls_and_puts_agree_on():
    assert parity_forward(chain(forward=595_213.0), spot_cents=594_900) == pytest.approx(
        595_213, abs=2
    )


def test_without_quotes_the_forward_is_spot():
    quotes = Quotes.of([595_000], [MISSING], [MISSING], [100], [110])

    assert parity_forward(quotes, spot_cents=595_123) == 595_123


def test_one_wild_quote_does_not_move_the_forward():
    quotes = chain()
    quotes.call_asks[20] += 5_000

    assert parity_forward(quotes, spot_cents=595_000) == pytest.approx(595_000, abs=2)


def test_deltas_are_those_of_the_model_that_made_the_quotes():
    quotes = chain(half_spread=0)

    calls, puts = deltas_e4(quotes, spot_cents=595_000)

    expected = bs.call_delta(595_000.0, quotes.strikes, 0.004) * 10_000
    near = np.abs(quotes.strikes - 595_000) <= 4_000
    assert np.abs(np.array(calls) - expected)[near].max() < 25
    assert all(call + put == 10_000 for call, put in zip(calls, puts, strict=True))


def test_deltas_fall_with_the_strike_and_a_contract_without_quotes_has_none():
    quotes = chain()
    quotes.call_bids[3] = quotes.call_asks[3] = MISSING

    calls, puts = deltas_e4(quotes, spot_cents=595_000)

    assert calls[3] == MISSING
    assert 0 <= puts[3] <= 10_000
    known = calls[:3] + calls[4:]
    assert known == sorted(known, reverse=True)


def test_at_the_last_second_deltas_are_those_of_the_intrinsic_value():
    quotes = Quotes.of([594_500, 595_500], [500, 0], [500, 0], [0, 500], [0, 500])

    calls, puts = deltas_e4(quotes, spot_cents=595_000)

    assert (calls, puts) == ([10_000, 0], [0, 10_000])


def test_a_zero_bid_still_gives_a_small_delta():
    quotes = Quotes.of([595_000, 600_000], [900, 0], [920, 5], [900, 4_980], [920, 5_020])

    calls, _ = deltas_e4(quotes, spot_cents=595_000)

    assert 0 < calls[1] < 200


def test_the_expected_move_is_the_straddle_nearest_to_spot():
    quotes = Quotes.of([594_500, 595_000], [1_200, 960], [1_210, 980], [600, 830], [610, 840])

    assert expected_move_cents(quotes, spot_cents=594_900) == 1_805
    assert expected_move_cents(quotes, spot_cents=594_600) == 1_810


def test_the_expected_move_skips_strikes_that_are_not_quoted_on_both_sides():
    quotes = Quotes.of([594_500, 595_000], [1_200, MISSING], [1_210, 980], [600, 830], [610, 840])

    assert expected_move_cents(quotes, spot_cents=595_000) == 1_810


def test_there_is_no_expected_move_far_from_the_money():
    quotes = Quotes.of([500_000], [1_200], [1_210], [600], [610])

    assert expected_move_cents(quotes, spot_cents=595_000) is None


def test_a_tick_of_400_quotes_takes_milliseconds():
    quotes = chain(count=201)
    deltas_e4(quotes, 595_000)

    started = time.process_time()
    for _ in range(10):
        deltas_e4(quotes, 595_000)
        expected_move_cents(quotes, 595_000)
    elapsed_ms = (time.process_time() - started) * 100

    assert elapsed_ms < 15  # about 2 on an idle machine
