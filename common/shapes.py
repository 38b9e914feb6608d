"""Building blocks of request and response bodies. Nothing is silently dropped, coerced or rounded.

Money fields hold integer cents inside and write decimal strings (contract.md section 1).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from common.money import hundredths, parse_decimal, parse_usd, usd
from common.times import rfc3339

OFFSET_WITHOUT_PLUS = re.compile(r"(T[0-9]{2}:[0-9]{2}.*) ([0-9]{2}:?[0-9]{2})$")
NOT_AN_OBJECT = "must be a JSON object"


class StrictSerializer(serializers.Serializer):
    """Refuses a body that is no object, and every field it does not know, naming those it does."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        is_null_body = data is None and self.parent is None
        if is_null_body or not (data in (None, serializers.empty) or isinstance(data, Mapping)):
            raise serializers.ValidationError({"non_field_errors": [NOT_AN_OBJECT]})
        return super().run_validation(data)

    def to_internal_value(self, data: Any) -> Any:
        known = [name for name, field in self.fields.items() if not field.read_only]
        unknown: dict[Any, Any] = {
            name: [f"unknown field; known are {', '.join(known) or 'none'}"]
            for name in data
            if name not in known
        }
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as exc:
            details: Any = exc.detail
            raise serializers.ValidationError({**unknown, **details}) from None
        if unknown:
            raise serializers.ValidationError(unknown)
        return value


class NoBody(StrictSerializer):
    """For calls that take nothing: an empty object is as good as none, anything else is refused."""


def refuse_body(request: Request) -> None:
    """ValidationError if the request says anything in a body."""
    NoBody(data=request.data or {}).is_valid(raise_exception=True)


class Text(serializers.CharField):
    """A JSON string; numbers are not turned into text."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError("must be a string")
        return super().to_internal_value(data)


class Integer(serializers.IntegerField):
    """A JSON number without a fraction; neither a string nor a boolean."""

    def to_internal_value(self, data: Any) -> int:
        is_whole = isinstance(data, int) or (isinstance(data, float) and data.is_integer())
        if isinstance(data, bool) or not is_whole:
            raise serializers.ValidationError("must be a whole number")
        return int(data)


class Boolean(serializers.BooleanField):
    """JSON true or false and nothing that resembles them."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError("must be true or false")
        return data


class Money(serializers.Field):
    """Dollars outside (a decimal string or number), integer cents inside; bounds are in cents.

    `two_decimals` always writes both: "5.00", for prices and fees; otherwise "5", as usd() does.
    """

    def __init__(
        self,
        *,
        min_cents: int | None = None,
        max_cents: int | None = None,
        two_decimals: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.min_cents, self.max_cents = min_cents, max_cents
        self.two_decimals = two_decimals

    def to_internal_value(self, data: Any) -> int:
        try:
            cents = parse_usd(data)
        except ValueError as exc:
            raise serializers.ValidationError(str(exc)) from exc
        if self.min_cents is not None and cents < self.min_cents:
            raise serializers.ValidationError(f"must be at least {usd(self.min_cents)}")
        if self.max_cents is not None and cents > self.max_cents:
            raise serializers.ValidationError(f"must be at most {usd(self.max_cents)}")
        return cents

    def to_representation(self, value: int) -> str:
        return hundredths(value) if self.two_decimals else usd(value)


class Ratio(serializers.Field):
    """An exact decimal with a fixed number of places, written as a string: "0.0200"."""

    def __init__(
        self,
        *,
        places: int = 4,
        min_value: Decimal | None = None,
        max_value: Decimal | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.places, self.min_value, self.max_value = places, min_value, max_value

    def to_internal_value(self, data: Any) -> Decimal:
        try:
            number = parse_decimal(data)
        except ValueError as exc:
            raise serializers.ValidationError(str(exc)) from exc
        if self.min_value is not None and number < self.min_value:
            raise serializers.ValidationError(f"must be at least {self.min_value}")
        if self.max_value is not None and number > self.max_value:
            raise serializers.ValidationError(f"must be at most {self.max_value}")
        if number != round(number, self.places):
            raise serializers.ValidationError(f"must have at most {self.places} decimals")
        return round(number, self.places)

    def to_representation(self, value: Decimal) -> str:
        return f"{value:.{self.places}f}"


class Instant(serializers.DateTimeField):
    """A time, written as RFC 3339 UTC with milliseconds and Z.

    Read in any form of ISO 8601, also with the plus of its offset turned into a space, as addresses
    do; without an offset it is UTC.
    """

    def to_internal_value(self, data: Any) -> datetime:
        text = OFFSET_WITHOUT_PLUS.sub(r"\1+\2", data.strip()) if isinstance(data, str) else data
        try:
            return super().to_internal_value(text).astimezone(UTC)
        except OverflowError:  # the year 1 or 9999, moved out of the calendar by its offset
            raise serializers.ValidationError("must be a time that exists in UTC") from None

    def to_representation(self, value: datetime) -> str:
        return rfc3339(value)
