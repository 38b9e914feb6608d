# mypy: disable-error-code="type-arg"
# DRF's serializers are generic in their stubs and not at run time.
"""Fields of the bot bodies that are not everybody's: the rest is `common.shapes`."""

from __future__ import annotations

import uuid
from typing import Any

from drf_spectacular.drainage import set_override
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common.shapes import Money, Spoken, Text

LIVE_SIM = "live_sim"
BROKER_PREFIX = "broker_"
NAME_LENGTH = 80
MIN_CAPITAL_CENTS = 100_000
MAX_CAPITAL_CENTS = 100_000_000_000


class StrategyId(Spoken, serializers.UUIDField):
    default_error_messages = Spoken.all_saying("must be the UUID of a saved strategy")

    def to_internal_value(self, data: Any) -> uuid.UUID:
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


@extend_schema_field(
    {
        "oneOf": [
            {
                "type": "string",
                "pattern": r"^([1-9][0-9]{3,8}(\.[0-9]{1,2})?|1000000000(\.00?)?)$",
            },
            {"type": "integer", "minimum": 1000, "maximum": 1_000_000_000},
        ],
        "description": "Dollars, from 1000 to 1000000000, not finer than a cent.",
    }
)
class StartingCapital(Money):
    """From $1,000 to $1,000,000,000."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_cents=MIN_CAPITAL_CENTS, max_cents=MAX_CAPITAL_CENTS, **options)


@extend_schema_field(
    {
        "type": "string",
        "minLength": 1,
        "maxLength": NAME_LENGTH,
        "pattern": r"\S",
        "description": "Unique among your active bots; spaces around it do not count.",
    }
)
class Name(Text):
    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=NAME_LENGTH, **options)


@extend_schema_field({"type": "string", "enum": [LIVE_SIM], "default": LIVE_SIM})
class Engine(Text):
    """`live_sim`, or the name of a broker engine, which the service refuses as not available."""

    default_error_messages = {"unknown": f"must be {LIVE_SIM}"}

    def to_internal_value(self, data: Any) -> str:
        engine = super().to_internal_value(data)
        if engine != LIVE_SIM and not engine.startswith(BROKER_PREFIX):
            self.fail("unknown")
        return engine


class PolicyValue(serializers.Field):
    """One field of the policy as it was sent, null included; `simengine.policy` alone judges it."""

    def __init__(self, described: dict[str, Any]) -> None:
        super().__init__(required=False)
        set_override(self, "field", described)

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        return (True, None) if data is None else super().validate_empty_values(data)

    def to_internal_value(self, data: Any) -> Any:
        return data
