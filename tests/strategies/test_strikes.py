"""Strike selection, as tables over a chain whose every quote is known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.runtime.prelude import Ctx, buy, sell
from tests.strategies.market import CHAIN, quote, view


def found(leg, **changes):
    """The strike of one leg, or why there is none."""
    package = Ctx(view(**changes)).select([leg])
    return package.legs[0].strike if package.found else package.reason


@pytest.mark.parametrize(
    ("leg", "strike"),
    [
        (sell("put", delta=0.30), 5930),  # 0.25 is nearer than 0.37
        (sell("put", delta=0.31), 5940),  # 0.25 and 0.37 are as near: the one nearer to spot
        (sell("call", delta=0.10), 5990),
        (sell("call", delta=0.01), 5990),  # 6000 has no bid to sell into
        (buy("call", delta=0.01), 6000),
        (sell("put", points_otm=20), 5930),
        (sell("call", points_otm=20), 5970),
        (sell("put", points_otm=-20), 5970),  # negative: in the money
        (buy("put", premium=1.20), 5925),  # the ask
        (sell("put", premium=1.20), 5925),  # the bid, 1.10
        (sell("put", premium="1.60"), 5930),
        (buy("put", premium="1.60"), 5930),
        (sell("put", atm=True), 5950),
        (sell("put", em_multiple=1), 5920),
        (sell("call", em_multiple=1), 5980),
        (sell("put", em_multiple=0.5), 5940),  # 5935.25: 5940 is 4.75 away, 5930 is 5.25
        (sell("put", strike=5926), 5925),
        (buy("put", strike=5895), 5900),  # half a step below the lowest
    ],
)
def test_each_method_chooses_the_nearest_strike(leg, strike):
    assert found(leg) == strike


@pytest.mark.parametrize(
    ("target", "strike"),
    [(22.75, 5930), (22.76, 5925), (22.74, 5930)],
)
def test_a_tie_between_two_levels_goes_to_the_strike_nearer_to_spot(target, strike):
    assert found(sell("put", points_otm=target)) == strike


def test_a_tie_in_delta_goes_to_the_strike_nearer_to_spot():
    chain = {
        5900: (quote(1, 2, 9000), quote(100, 110, 2000)),
        5910: (quote(1, 2, 9000), quote(120, 130, 2400)),
    }

    assert found(sell("put", delta=0.22), chain=chain) == 5910


def test_strikes_equally_far_from_spot_are_decided_for_the_lower_one():
    assert found(buy("put", atm=True), spot_cents=594_750) == 5945


def test_a_contract_without_a_market_is_passed_over_by_delta():
    chain = {**CHAIN, 5930: (quote(2340, 2400, 7500), quote(-1, 170, 2500))}

    assert found(sell("put", delta=0.25), chain=chain) == 5925


def test_a_crossed_market_is_passed_over_by_premium():
    chain = {**CHAIN, 5930: (quote(2340, 2400, 7500), quote(170, 160, 2500))}

    assert found(sell("put", premium=1.60), chain=chain) == 5925


@pytest.mark.parametrize(
    ("leg", "changes", "reason"),
    [
        (sell("put", delta=0.3), {"chain": {}}, "the chain is empty"),
        (sell("put", em_multiple=1), {"expected_move_cents": None}, "there is no expected move"),
        (sell("put", points_otm=100), {}, "put 5850.25 is outside the listed strikes"),
        (sell("call", points_otm=60), {}, "call 6010.25 is outside the listed strikes"),
        (sell("call", strike=6000), {}, "call 6000 has no bid"),
        (
            sell("put", delta=0.3),
            {"chain": {5900: (quote(1, 2, 9000), quote(-1, -1, -1))}},
            "no put has a delta and a market on both sides",
        ),
        (
            buy("put", atm=True),
            {"chain": {5950: (quote(1, 2, 9000), quote(-1, 5, -1))}, "spot_cents": 595_000},
            "put 5950 has no market on both sides",
        ),
    ],
)
def test_where_nothing_fits_there_is_a_reason_and_no_strike(leg, changes, reason):
    answer = found(leg, **changes)

    assert f"{answer}".startswith("no strike found for leg 0: ")
    assert reason in answer


def test_an_offset_counts_from_the_strike_of_its_leg():
    package = Ctx(view()).select(
        [buy("put", offset=-30, leg=1), sell("put", offset=-20, leg=2), buy("put", atm=True)]
    )

    assert [leg.strike for leg in package.legs] == [5900, 5930, 5950]


def test_two_legs_of_a_type_never_share_a_strike():
    package = Ctx(view()).select([sell("put", delta=0.25), buy("put", delta=0.24)])

    assert not package.found
    assert package.reason == "no strike found for leg 1: legs 0 and 1 would share put 5930"


def test_a_put_and_a_call_may_share_a_strike():
    package = Ctx(view()).select([sell("put", atm=True), sell("call", atm=True)])

    assert [leg.strike for leg in package.legs] == [5950, 5950]


@pytest.mark.parametrize(
    "legs",
    [
        [sell("put", offset=-5, leg=1), buy("put", offset=5, leg=0)],
        [sell("put", offset=-5, leg=0)],
        [sell("put", offset=-5, leg=7), buy("put", atm=True)],
    ],
)
def test_offsets_that_lead_nowhere_are_the_programs_error(legs):
    with pytest.raises(ValueError, match=r"circle|no other leg"):
        Ctx(view()).select(legs)


@pytest.mark.parametrize(
    "make",
    [
        lambda: sell("put"),
        lambda: sell("put", delta=0.3, premium=1),
        lambda: sell("put", moon=1),
        lambda: sell("put", atm=False),
        lambda: sell("put", delta=0.3, leg=0),
    ],
)
def test_a_leg_names_exactly_one_way_to_choose(make):
    with pytest.raises(ValueError, match="exactly one of"):
        make()


@pytest.mark.parametrize(
    ("leg", "reason"),
    [
        ({"direction": "hold", "type": "put", "strike": 5950}, "buy or sell"),
        ({"direction": "buy", "type": "future", "strike": 5950}, "a call or a put"),
        ({"direction": "buy", "type": "put", "qty": 0, "strike": 5950}, "from 1 to 100"),
        ({"direction": "buy", "type": "put", "qty": 1.5, "strike": 5950}, "whole number"),
        ({"direction": "buy", "type": "put", "strike": {"method": "best"}}, "is unknown"),
        (buy("put", delta="much"), "could not convert"),
        (buy("put", premium=float("nan")), "finite"),
        (buy("put", premium=1.234), "finer than"),
        (buy("put", delta=True), "must be a number"),
    ],
)
def test_a_malformed_leg_is_the_programs_error(leg, reason):
    with pytest.raises(ValueError, match=reason):
        Ctx(view()).select([leg])


@given(
    st.dictionaries(
        st.integers(5900, 6000),
        st.tuples(st.integers(-1, 300), st.integers(-1, 300), st.integers(-1, 9999)),
        min_size=1,
        max_size=12,
    ),
    st.integers(100, 9900),
    st.sampled_from(["buy", "sell"]),
)
def test_no_tradable_delta_is_nearer_than_the_chosen_one(puts, target_e4, direction):
    leg = {
        "direction": direction,
        "type": "put",
        "strike": {"method": "delta", "value": target_e4 / 10000},
    }

    package = Ctx(
        view(chain={strike: (quote(1, 2, 1), put) for strike, put in puts.items()})
    ).select([leg])

    tradable = [
        abs(delta - target_e4)
        for bid, ask, delta in puts.values()
        if delta >= 0 and ask >= bid >= (1 if direction == "sell" else 0)
    ]
    assert package.found == bool(tradable)
    if package.found:
        assert abs(package.legs[0].quote.delta_e4 - target_e4) == min(tradable)
