"""The form of fees and slippage, through the body of PATCH /user."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import QueryDict
from rest_framework.exceptions import ValidationError

from accounts.models import User
from accounts.shapes import UserChanges
from common.api import flat_fields
from common.errors import InvalidInput, Refusal
from common.money import hundredths
from dashboard.forms import base
from dashboard.forms.base import Field, Form, Group

LABELS = {
    "fee_schedule.open": ("Open ($)", "Per contract and leg, 0 to 100."),
    "fee_schedule.close": ("Close ($)", "Per contract and leg, 0 to 100."),
    "fee_schedule.exercise": (
        "Exercise or assignment ($)",
        "Per instrument that settles in the money, 0 to 100.",
    ),
    "slippage": ("Slippage ($)", "Taken from the mid once per order, 0 to 5."),
}


def values_of(user: User) -> dict[str, str]:
    return {
        "fee_schedule.open": hundredths(user.open_fee_cents),
        "fee_schedule.close": hundredths(user.close_fee_cents),
        "fee_schedule.exercise": hundredths(user.exercise_fee_cents),
        "slippage": hundredths(user.slippage_cents),
    }


def sent_values(post: QueryDict) -> dict[str, str]:
    return {name: post.get(name, "") for name in LABELS}


def account_form(values: Mapping[str, str], refusal: Refusal | None = None) -> Form:
    fields = tuple(
        Field(name, label, base.NUMBER, values[name], hint, is_required=True)
        for name, (label, hint) in LABELS.items()
    )
    form = Form((Group("", fields),))
    return form if refusal is None else form.refused(base.reasons_of(refusal))


def columns_of(values: Mapping[str, str]) -> dict[str, int]:
    """The user's columns in cents. InvalidInput with every problem in `fields`."""
    fees = {
        name.removeprefix("fee_schedule."): value
        for name, value in values.items()
        if name.startswith("fee_schedule.")
    }
    body = UserChanges(data={"fee_schedule": fees, "slippage": values["slippage"]})
    try:
        body.is_valid(raise_exception=True)
    except ValidationError as exc:
        raise InvalidInput("Not saved.", fields=flat_fields(exc.detail)) from exc
    return body.columns()
