"""Building blocks of request and response bodies. Nothing is silently dropped, coerced or rounded.

Money fields hold integer cents inside and write decimal strings (contract.md section 1).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from common.money import hundredths, parse_usd, usd
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


class Spoken(serializers.Field):
    """A field whose complaints all say what would do instead, its bounds included: `rule`."""

    default_error_messages = {"required": "is required"}

    @staticmethod
    def all_saying(rule: str, *kinds: str) -> dict[str, Any]:
        return dict.fromkeys(("null", "invalid", *kinds), rule)


class Text(Spoken, serializers.CharField):
    """A JSON string; numbers are not turned into text."""

    def __init__(self, *, rule: str = "", **options: Any) -> None:
        rule = rule or _text_rule(options.get("max_length"), options.get("allow_blank", False))
        messages = self.all_saying(rule, "blank", "max_length")
        super().__init__(**{"error_messages": messages, **options})

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


def _text_rule(max_length: int | None, may_be_blank: bool) -> str:
    if max_length is None:
        return "must be a string" if may_be_blank else "must be a string that is not empty"
    return f"must be a string of {0 if may_be_blank else 1} to {max_length} characters"


class WholeNumber(Spoken, serializers.IntegerField):
    """A whole number between bounds, in a query."""

    def __init__(self, *, min_value: int, max_value: int, **options: Any) -> None:
        rule = f"must be a whole number from {min_value} to {max_value}"
        kinds = ("min_value", "max_value", "max_string_length")
        messages = self.all_saying(rule, *kinds)
        super().__init__(
            min_value=min_value, max_value=max_value, error_messages=messages, **options
        )


class Flag(Spoken, serializers.BooleanField):
    """Yes or no in a query, where everything is text."""

    default_error_messages = Spoken.all_saying("must be true or false")


class Boolean(Spoken, serializers.BooleanField):
    """JSON true or false and nothing that resembles them."""

    default_error_messages = Spoken.all_saying("must be true or false")

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class Choice(Spoken, serializers.ChoiceField):
    """One of a few words; a refusal names them."""

    def __init__(self, choices: Sequence[str], **options: Any) -> None:
        messages = self.all_saying(f"must be one of {', '.join(choices)}", "invalid_choice")
        super().__init__(choices, error_messages=messages, **options)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Money(Spoken):
    """Dollars outside (a decimal string or number), integer cents inside; bounds are in cents.

    `two_decimals` always writes both: "5.00", for prices and fees; otherwise "5", as usd() does.
    """

    def __init__(
        self,
        *,
        min_cents: int | None = None,
        max_cents: int | None = None,
        two_decimals: bool = False,
        **options: Any,
    ) -> None:
        self.min_cents, self.max_cents = min_cents, max_cents
        self.two_decimals = two_decimals
        super().__init__(error_messages=self.all_saying(self._rule()), **options)

    def _rule(self) -> str:
        bounds = [
            f"{word} {usd(cents)}"
            for word, cents in (("from", self.min_cents), ("to", self.max_cents))
            if cents is not None
        ]
        within = f", {' '.join(bounds)}" if bounds else ""
        return f'must be dollars and whole cents, like "12.50"{within}'

    def to_internal_value(self, data: Any) -> int:
        try:
            cents = parse_usd(data)
        except ValueError:
            self.fail("invalid")
        is_low = self.min_cents is not None and cents < self.min_cents
        if is_low or (self.max_cents is not None and cents > self.max_cents):
            self.fail("invalid")
        return cents

    def to_representation(self, value: int) -> str:
        return hundredths(value) if self.two_decimals else usd(value)


class Instant(Spoken, serializers.DateTimeField):
    """A time, written as RFC 3339 UTC with milliseconds and Z.

    Read in any form of ISO 8601, also with the plus of its offset turned into a space, as addresses
    do; without an offset it is UTC.
    """

    default_error_messages = Spoken.all_saying(
        'must be a time such as "2026-05-07T14:30:00Z"', "date", "overflow"
    )

    def to_internal_value(self, data: Any) -> datetime:
        text = OFFSET_WITHOUT_PLUS.sub(r"\1+\2", data.strip()) if isinstance(data, str) else data
        try:
            return super().to_internal_value(text).astimezone(UTC)
        except OverflowError:  # the year 1 or 9999, moved out of the calendar by its offset
            self.fail("invalid")

    def to_representation(self, value: datetime) -> str:
        return rfc3339(value)
