"""The form that asks for a backtest: which recorded days, how much money, whose settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import QueryDict

from accounts.models import User
from backtests.tapes import RecordedDay
from bots.models import Bot
from common.errors import InvalidInput, Refusal
from common.money import parse_usd
from dashboard.forms import base
from dashboard.forms.base import Field, Form, Group

NAMES = ("first", "last", "capital", "policy")
DEFAULT_CAPITAL = "25000"
DEFAULT_POLICY = ""  # not a bot's


def first_values(days: Sequence[RecordedDay]) -> dict[str, str]:
    """As many of the newest days as one backtest takes."""
    newest = days[-settings.BACKTEST_DAYS_LIMIT :]
    return {
        "first": newest[0].trading_date.isoformat() if newest else "",
        "last": newest[-1].trading_date.isoformat() if newest else "",
        "capital": DEFAULT_CAPITAL,
        "policy": DEFAULT_POLICY,
    }


def sent_values(post: QueryDict) -> dict[str, str]:
    return {name: post.get(name, "").strip() for name in NAMES}


def backtest_form(
    user: User,
    days: Sequence[RecordedDay],
    values: Mapping[str, str],
    refusal: Refusal | None = None,
) -> Form:
    dates = tuple((f"{day.trading_date}", f"{day.trading_date:%a %d %b %Y}") for day in days)
    owners = [(str(bot.pk), f"those of {bot.name}") for bot in _bots_of(user)]
    policies = ((DEFAULT_POLICY, "the defaults"), *owners)
    fields = (
        Field("first", "First day", base.CHOICE, values["first"], options=dates),
        Field("last", "Last day", base.CHOICE, values["last"], options=dates),
        Field("capital", "Capital ($)", base.NUMBER, values["capital"]),
        Field("policy", "Limits and re-pricing", base.CHOICE, values["policy"], options=policies),
    )
    form = Form((Group("", fields, is_compact=True),))
    return form if refusal is None else form.refused(base.reasons_of(refusal))


def wishes_of(user: User, values: Mapping[str, str]) -> dict[str, Any]:
    """Keyword arguments of the service. InvalidInput with every problem in `fields`."""
    problems: dict[str, list[str]] = {}
    wishes: dict[str, Any] = {}
    for name in ("first", "last"):
        try:
            wishes[name] = date.fromisoformat(values[name])
        except ValueError:
            problems[name] = ["must be one of the recorded days"]
    try:
        wishes["capital_cents"] = parse_usd(values["capital"].replace(",", ""))
    except ValueError as error:
        problems["capital"] = [str(error)]
    if values["policy"] != DEFAULT_POLICY:
        bot = _bot_of(user, values["policy"])
        if bot is None:
            problems["policy"] = ["must be one of your bots"]
        else:
            wishes |= {"policy": bot.policy, "policy_name": bot.name}
    if problems:
        raise InvalidInput("Not started.", fields=problems)
    return wishes


def _bots_of(user: User) -> Iterable[Bot]:
    return Bot.objects.owned_by(user).active().order_by("name")


def _bot_of(user: User, bot_id: str) -> Bot | None:
    try:
        wanted = UUID(bot_id)
    except ValueError:
        return None
    return Bot.objects.owned_by(user).filter(pk=wanted).first()
