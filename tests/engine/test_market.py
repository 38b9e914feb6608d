"""Instruments and ticks (domain.md section 1)."""

from __future__ import annotations

from array import array
from datetime import date

import pytest

from simengine.market import NO_QUOTE, Contract, Quote, parse_symbol
from simengine.packages import quote_package
from tests.engine.builders import contract, legs, make_tick


def test_a_symbol_has_21_characters_with_the_root_padded_to_six():
    assert Contract("C", 595000).symbol(date(2026, 5, 7)) == "SPXW  260507C05950000"


def test_a_symbol_reads_back_to_its_day_and_contract():
    assert parse_symbol("SPXW  260507P05950000") == (date(2026, 5, 7), Contract("P", 595000))


@pytest.mark.parametrize(
    ("symbol", "what_is_wrong"),
    [
        ("SPXW 260507C05950000", "21-character"),
        ("SPX   260507C05950000", "21-character"),
        ("SPXW  260507X05950000", "C or P"),
        ("SPXW  260507C0595000x", "digits"),
        ("SPXW  260507C05950001", "finer than a cent"),
        ("SPXW  261307C05950000", "month"),
        ("SPXW  260507C٠٥٩٥٠٠٠٠", "digits"),
    ],
)
def test_a_symbol_that_is_none_is_refused_with_its_reason(symbol, what_is_wrong):
    with pytest.raises(ValueError, match=what_is_wrong):
        parse_symbol(symbol)


@pytest.mark.parametrize(
    ("sides", "is_two_sided"),
    [
        ((195, 205), True),
        ((200, 200), True),  # locked
        ((0, 5), True),  # a bid of 0 is a present bid
        ((0, 0), True),
        ((-1, 5), False),
        ((195, -1), False),
        ((-1, -1), False),
        ((205, 195), False),  # crossed
    ],
)
def test_a_quote_is_two_sided_when_both_sides_are_there_and_not_crossed(sides, is_two_sided):
    assert Quote(*sides, 5000).is_two_sided is is_two_sided


def test_a_tick_gives_the_quote_of_a_contract_by_right_and_strike():
    tick = make_tick()

    assert tick.quote(contract("P5945")) == Quote(435, 445, 5000)
    assert tick.quote(contract("C5945")) == Quote(935, 945, 5000)


def test_a_strike_that_is_not_on_the_chain_has_no_quote():
    assert make_tick().quote(Contract("C", 700000)) is NO_QUOTE


def test_columns_may_be_arrays_instead_of_lists():
    tick = make_tick()
    as_arrays = type(tick)(
        **{
            name: memoryview(array("i", value)) if isinstance(value, list) else value
            for name, value in ((name, getattr(tick, name)) for name in type(tick).__slots__)
        }
    )

    package = legs(P5950=-1, P5945=1)

    assert quote_package(package, as_arrays, opening=True) == quote_package(
        package, tick, opening=True
    )
