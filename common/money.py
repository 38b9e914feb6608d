"""Money at the edge: integer cents inside, plain decimal strings outside, never a float.

A string has no exponent and either no decimals or two: 2500000 -> "25000", 2531240 -> "25312.40".
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

# Plain decimals only: no exponent, no thousands separator, no digits of other scripts.
PLAIN_DECIMAL = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)$"
NOT_AN_AMOUNT = 'must be an amount in dollars, such as "25000" or "1.45"'


def usd(cents: int) -> str:
    """Dollars of integer cents, as the API writes them."""
    sign = "-" if cents < 0 else ""
    dollars, rest = divmod(abs(cents), 100)
    return f"{sign}{dollars}.{rest:02d}" if rest else f"{sign}{dollars}"


def usd_or_none(cents: int | None) -> str | None:
    return None if cents is None else usd(cents)


def parse_decimal(value: Any) -> Decimal:
    """The exact value of a plain decimal string or a JSON number. ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        raise ValueError('must be a decimal, such as "0.0200" or "4"')
    if isinstance(value, str):
        value = value.strip()
        if not re.match(PLAIN_DECIMAL, value):
            raise ValueError('must be a plain decimal, such as "0.0200" or "4"')
    number = Decimal(str(value))
    if not number.is_finite() or abs(number) >= Decimal(10) ** 15:
        raise ValueError("must be a finite number below 10^15")
    return number


def parse_usd(value: Any) -> int:
    """Cents of a decimal string or JSON number. ValueError where it is no amount or finer than a
    cent.
    """
    try:
        amount = parse_decimal(value)
    except ValueError:
        raise ValueError(NOT_AN_AMOUNT) from None
    cents = amount.scaleb(2)
    if cents != cents.to_integral_value():
        raise ValueError("must not be finer than a cent")
    return int(cents)


def hundredths(value: int) -> str:
    """A number counted in hundredths (VIX, percent), always with two decimals: 1620 -> "16.20"."""
    sign = "-" if value < 0 else ""
    whole, rest = divmod(abs(value), 100)
    return f"{sign}{whole}.{rest:02d}"
