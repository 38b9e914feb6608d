from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis.strategies import integers

from common.money import hundredths, parse_decimal, parse_usd, usd, usd_or_none


@pytest.mark.parametrize(
    ("cents", "text"),
    [(0, "0"), (2500000, "25000"), (2531240, "25312.40"), (-5, "-0.05"), (-100, "-1")],
)
def test_dollars_have_two_decimals_or_none(cents, text):
    assert usd(cents) == text


def test_no_amount_stays_no_amount():
    assert usd_or_none(None) is None


@pytest.mark.parametrize(
    ("value", "cents"),
    [("25000", 2500000), (1.45, 145), (7, 700), (Decimal("0.10"), 10), ("-.5", -50), ("3.", 300)],
)
def test_amounts_are_read_exactly_from_strings_and_numbers(value, cents):
    assert parse_usd(value) == cents


@pytest.mark.parametrize(
    "value",
    [None, True, "", " ", "one", "1e3", "1_0", "0x1", "--1", "1.2.3", "nan", float("inf"), 10**15],
)
def test_what_is_no_amount_is_refused(value):
    with pytest.raises(ValueError, match="amount in dollars"):
        parse_usd(value)


@pytest.mark.parametrize("value", ["0.001", 0.1 + 0.2])
def test_what_is_finer_than_a_cent_is_refused_not_rounded(value):
    with pytest.raises(ValueError, match="finer than a cent"):
        parse_usd(value)


def test_a_decimal_keeps_all_its_places():
    assert parse_decimal("0.02000001") == Decimal("0.02000001")


@given(integers(-(10**16), 10**16))
def test_what_is_written_reads_back_the_same(cents):
    assert parse_usd(usd(cents)) == parse_usd(hundredths(cents)) == cents
