"""Bodies of accounts: what a client sends and gets."""

from __future__ import annotations

from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers

from accounts import queries
from accounts.models import Scope, TokenDetails, User
from common.money import hundredths
from common.shapes import Choice, Instant, Money, Spoken, StrictSerializer, Text
from common.times import rfc3339, rfc3339_or_none

ADDRESS_LENGTH = 254
MAX_FEE_CENTS = 100_00
SCOPES_RULE = 'must be ["read"] or ["read", "trade"]'
TOKEN_NAME_LENGTH = 80
MAX_SLIPPAGE_CENTS = 5_00


class Email(Text, serializers.EmailField):
    """An address, in lower case: capitals make no difference anywhere."""

    def __init__(self, **kwargs: Any) -> None:
        rule = f"must be an e-mail address of at most {ADDRESS_LENGTH} characters"
        super().__init__(rule=rule, max_length=ADDRESS_LENGTH, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        value = super().run_validation(data)
        return value.lower() if isinstance(value, str) else value


class Password(Text):
    """As typed, spaces included. The upper bound keeps hashing cheap."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=128, trim_whitespace=False, write_only=True, **kwargs)


class Code(Text):
    """Six digits, as text: a number would lose its leading zeros."""

    def __init__(self, **kwargs: Any) -> None:
        rule = "must be the 6 digits we sent, as a string"
        shape = RegexValidator(r"^[0-9]{6}\Z", rule, code="invalid")
        super().__init__(rule=rule, validators=[shape], **kwargs)


class FeeScheduleInput(StrictSerializer):
    """Dollars per contract and leg; `exercise` per instrument that settles in the money."""

    open = Money(min_cents=0, max_cents=MAX_FEE_CENTS, two_decimals=True, required=False)
    close = Money(min_cents=0, max_cents=MAX_FEE_CENTS, two_decimals=True, required=False)
    exercise = Money(min_cents=0, max_cents=MAX_FEE_CENTS, two_decimals=True, required=False)


class FeeSchedule(serializers.Serializer):
    """Dollars per contract and leg; `exercise` per instrument that settles in the money."""

    open = Money(two_decimals=True)
    close = Money(two_decimals=True)
    exercise = Money(two_decimals=True)


class UserObject(serializers.Serializer):
    id = serializers.UUIDField()
    email = serializers.EmailField()
    fee_schedule = FeeSchedule()
    slippage = Money(two_decimals=True)


class UserChanges(StrictSerializer):
    """Only what is sent is changed, down to a single fee."""

    fee_schedule = FeeScheduleInput(required=False)
    slippage = Money(min_cents=0, max_cents=MAX_SLIPPAGE_CENTS, two_decimals=True, required=False)

    def columns(self) -> dict[str, int]:
        """The user's columns to write, in cents."""
        changes = dict(self.validated_data)
        fees = changes.pop("fee_schedule", {})
        columns = {f"{name}_fee_cents": cents for name, cents in fees.items()}
        return columns | {f"{name}_cents": cents for name, cents in changes.items()}


class Scopes(Spoken, serializers.ListField):
    """`["read"]`, or `["read", "trade"]`: who may trade may also read."""

    default_error_messages = Spoken.all_saying(SCOPES_RULE)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=Choice(Scope.values), **kwargs)

    def to_internal_value(self, data: Any) -> list[str]:
        if not isinstance(data, list) or not all(isinstance(scope, str) for scope in data):
            self.fail("invalid")
        scopes = set(data)
        if len(scopes) != len(data) or scopes not in ({Scope.READ}, set(Scope.values)):
            self.fail("invalid")
        return [scope for scope in Scope.values if scope in scopes]


class TokenObject(serializers.Serializer):
    """A token as its owner sees it: never the token itself, which nobody knows any more."""

    id = serializers.UUIDField()
    name = serializers.CharField(allow_blank=True)
    scopes = Scopes()
    created_at = Instant()
    last_used_at = Instant(allow_null=True, help_text="To the minute; null before the first use.")
    expires_at = Instant(allow_null=True, help_text="Moves with its use; null: it does not end.")


class Token(serializers.Serializer):
    token = serializers.RegexField(r"^[0-9a-f]{32}$")


def user_object(user: User) -> dict[str, Any]:
    """GET /user."""
    return {
        "id": str(user.pk),
        "email": user.email,
        "fee_schedule": queries.fee_schedule_object(
            open_cents=user.open_fee_cents,
            close_cents=user.close_fee_cents,
            exercise_cents=user.exercise_fee_cents,
        ),
        "slippage": hundredths(user.slippage_cents),
    }


def token_object(details: TokenDetails) -> dict[str, Any]:
    """A row of GET /auth/tokens."""
    return {
        "id": str(details.pk),
        "name": details.name,
        "scopes": details.scopes,
        "created_at": rfc3339(details.token.created),
        "last_used_at": rfc3339_or_none(details.last_used_at),
        "expires_at": rfc3339_or_none(details.token.expiry),
    }
