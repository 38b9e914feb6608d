"""Money at the edge: integer cents inside, plain decimal strings outside, never a float.

A string has no exponent and either no decimals or two: 2500000 -> "25000", 2531240 -> "25312.40".
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any


def usd(cents: int) -> str:
    """Dollars of integer cents, as the API writes them."""
    sign = "-" if cents < 0 else ""
    dollars, rest = divmod(abs(cents), 100)
    return f"{sign}{dollars}.{rest:02d}" if rest else f"{sign}{dollars}"


def usd_or_none(cents: int | None) -> str | None:
    return None if cents is None else usd(cents)


def parse_usd(value: Any) -> int:
    """Cents of a decimal string or JSON number. ValueError where it is no amount or finer than a cent."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        raise ValueError('must be an amount in dollars, such as "25000" or "1.45"')
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        raise ValueError('must be an amount in dollars, such as "25000" or "1.45"') from None
    if not amount.is_finite() or abs(amount) >= Decimal(10) ** 15:
        raise ValueError("must be a finite amount in dollars")
    cents = amount.scaleb(2)
    if cents != cents.to_integral_value():
        raise ValueError("must not be finer than a cent")
    return int(cents)


def hundredths(value: int) -> str:
    """A number counted in hundredths (VIX, percent), always with two decimals: 1620 -> "16.20"."""
    sign = "-" if value < 0 else ""
    whole, rest = divmod(abs(value), 100)
    return f"{sign}{whole}.{rest:02d}"
