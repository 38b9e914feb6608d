"""Margin by the best pairing of shorts with longs (domain.md section 4), checked by hand and by
trying every pairing.
"""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simengine.margin import margin_cents
from simengine.market import CALL, PUT, Contract
from tests.engine.builders import contract


def margin_of(**quantities: int) -> int:
    return margin_cents((contract(name), quantity) for name, quantity in quantities.items())


# In dollars: width × 100, or 20 % of the strike × 100.
POSITIONS = [
    ("nothing held", {}, 0),
    ("a long put", {"P5950": 1}, 0),
    ("a naked short put: 20 % of 5950 × 100", {"P5950": -1}, 119_000),
    ("three naked short calls", {"C6000": -3}, 3 * 120_000),
    ("a credit put vertical: 10 × 100", {"P5950": -1, "P5940": 1}, 1_000),
    ("a credit call vertical, 5 of them: 5 × 25 × 100", {"C5950": -5, "C5975": 5}, 12_500),
    ("a debit put vertical", {"P5950": 1, "P5940": -1}, 0),
    ("a debit call vertical", {"C5940": 1, "C5950": -1}, 0),
    (
        "an iron condor: the larger side, 25 and 10",
        {"P5900": 1, "P5925": -1, "C5975": -1, "C5985": 1},
        2_500,
    ),
    (
        "an iron butterfly, 10 wide: one side",
        {"P5940": 1, "P5950": -1, "C5950": -1, "C5960": 1},
        1_000,
    ),
    (
        "a short strangle: the larger side, not the sum",
        {"P5900": -1, "C6000": -1},
        120_000,
    ),
    (
        "a long call butterfly: each short under one long",
        {"C5940": 1, "C5950": -2, "C5960": 1},
        1_000,  # 5940 covers one for nothing, 5960 the other for 10
    ),
    (
        "a short put butterfly: both wings short, covered by the body",
        {"P5940": -1, "P5950": 2, "P5960": -1},
        1_000,  # 5960 on 5950: 10; 5940 on 5950: 0
    ),
    (
        "a broken-wing put butterfly: 10 below, 25 above",
        {"P5985": 1, "P5960": -2, "P5950": 1},
        1_000,  # 5985 covers one for nothing, 5950 the other for 10
    ),
    (
        "a 1:2 ratio spread: one short left naked",
        {"P5960": 1, "P5950": -2},
        119_000,
    ),
    (
        "a back spread: more longs than shorts",
        {"C5950": -1, "C5960": 2},
        1_000,
    ),
    (
        "unbalanced condor: 2 put spreads of 10, 1 call spread of 25",
        {"P5930": 2, "P5940": -2, "C5960": -1, "C5985": 1},
        2_500,  # 2 × 10 against 25
    ),
    (
        "a put long does not cover a call short",
        {"P5950": 1, "C5960": -1},
        119_200,
    ),
    (
        "the greedy pairing is not the best: 5960 on 5955, 5955-short on 5930",
        {"P5960": -1, "P5950": -1, "P5955": 1, "P5930": 1},
        2_500,  # 5 + 20, or 30 + 0: the cheaper is 25
    ),
    (
        "longs so far away that naked is cheaper",
        {"C5950": -1, "C9000": 1},
        119_000,  # 3,050 wide costs 305,000
    ),
    (
        "quantities that do not divide: 3 shorts on 2 near and 1 far long",
        {"P5950": -3, "P5945": 2, "P5925": 1},
        3_500,  # 2 × 5 + 25
    ),
]


@pytest.mark.parametrize(("holdings", "dollars"), [row[1:] for row in POSITIONS],
                         ids=[row[0] for row in POSITIONS])  # fmt: skip
def test_the_margin_of_known_positions(holdings, dollars):
    assert margin_of(**holdings) == dollars * 100


def test_the_order_in_which_positions_are_held_does_not_matter():
    holdings = {"P5960": -1, "P5950": -1, "P5955": 1, "P5930": 1}

    orders = {margin_of(**dict(order)) for order in permutations(holdings.items())}

    assert orders == {250_000}


STRIKES = [590000, 592500, 594000, 595000, 597500]


def by_trying_everything(right: str, held: list[tuple[int, int]]) -> int:
    """The least requirement of one side by trying every assignment of shorts to longs."""
    shorts = [strike for strike, quantity in held for _ in range(-quantity)]
    longs = [strike for strike, quantity in held for _ in range(quantity)]
    sign = 1 if right == PUT else -1
    slots: list[int | None] = [*longs, *[None] * len(shorts)]

    def cost(short: int, long: int | None) -> int:
        naked = short * 20 // 100
        return naked if long is None else max(0, sign * (short - long))

    if not shorts:
        return 0
    return 100 * min(
        sum(cost(short, long) for short, long in zip(shorts, chosen, strict=True))
        for chosen in permutations(slots, len(shorts))
    )


@given(
    right=st.sampled_from([CALL, PUT]),
    quantities=st.lists(st.integers(-2, 2), min_size=5, max_size=5).filter(
        lambda row: (
            sum(abs(value) for value in row if value < 0) <= 3
            and sum(value for value in row if value > 0) <= 3
        )
    ),
)
def test_no_pairing_needs_less_than_the_margin(right, quantities):
    held = list(zip(STRIKES, quantities, strict=True))

    margin = margin_cents((Contract(right, strike), quantity) for strike, quantity in held)

    assert margin == by_trying_everything(right, held)


@given(quantities=st.lists(st.integers(-3, 3), min_size=5, max_size=5), times=st.integers(1, 9))
def test_margin_grows_in_proportion_to_the_quantity(quantities, times):
    one = [(Contract(PUT, strike), n) for strike, n in zip(STRIKES, quantities, strict=True)]
    many = [(contract, n * times) for contract, n in one]

    assert margin_cents(many) == times * margin_cents(one)
