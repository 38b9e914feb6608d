"""The form of a bot, from the API's body and back. Percent here is a ratio there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.http import QueryDict

from bots.fields import NAME_LENGTH
from bots.inputs import DESCRIPTION_LENGTH
from bots.models import Bot, every_weekday
from bots.policy_schema import INPUT
from common.errors import Refusal
from common.money import parse_decimal
from dashboard.forms import base
from dashboard.forms.base import Field, Form, Group
from strategies.models import StrategyLink

DAILY_LOSS = "max_daily_loss_pct"
DAILY_LOSS_RULE = "must be from 0.5 to 50 %, with at most two decimals"
NEXT_SESSION = "Changes take effect with the next session; a running one keeps what it froze."
FIELD_OF_CODE = {"name_taken": "name", "strategy_not_found_or_not_owned": "strategy_id"}
OPENING = "reprice.opening"
CLOSING = "reprice.closing"

GUARDRAILS = {
    "max_open_positions": "Open trades at most",
    "max_open_orders": "Working orders at most",
    "data_staleness_threshold_ms": "Data is stale after (ms)",
    "error_budget": "Error budget",
}
AUTO_PAUSE = "auto_pause_on_error"
REPRICE = {
    "nudge_after_seconds": "Concede one tick after (s)",
    "min_interval_seconds": "Between two replacements at least (s)",
    "flat_tolerance_ticks": "Mid counts as flat within (ticks)",
}
CONCESSION = f"{OPENING}.max_concession"
WEEKDAYS = {"mon": "Mon", "tue": "Tue", "wed": "Wed", "thu": "Thu", "fri": "Fri"}

Values = Mapping[str, Any]


def values_of(bot: Bot) -> dict[str, Any]:
    """What the form of an existing bot is filled with."""
    return {
        "name": bot.name,
        "description": bot.description,
        **_policy_values(bot.policy),
        "schedule.auto_start": bot.auto_start,
        "schedule.weekdays": bot.weekdays,
    }


def new_values(strategy_id: str = "") -> dict[str, Any]:
    """What the form of a new bot is filled with: the API's defaults."""
    defaults = {name: schema.get("default") for name, schema in INPUT.items()}
    reprice = {
        kind: {name: schema["default"] for name, schema in block["properties"].items()}
        for kind, block in INPUT["reprice"]["properties"].items()
    }
    return {
        "name": "",
        "strategy_id": strategy_id,
        "starting_capital": "25000",
        "description": "",
        **_policy_values({**defaults, "reprice": reprice}),
        "schedule.auto_start": False,
        "schedule.weekdays": every_weekday(),
    }


def sent_values(post: QueryDict) -> dict[str, Any]:
    """What was typed, to be shown again."""
    checks = {AUTO_PAUSE, f"{OPENING}.enabled", f"{CLOSING}.enabled", "schedule.auto_start"}
    return {
        **{name: base.text_of(post.get(name, "")) for name in post},
        **{name: name in post for name in checks},
        "schedule.weekdays": post.getlist("schedule.weekdays"),
    }


def body_of(values: Values, *, is_new: bool) -> dict[str, Any]:
    """The API's body of what was typed."""
    body: dict[str, Any] = {
        "name": values.get("name", ""),
        "description": values.get("description", ""),
        **{name: values.get(name, "") for name in GUARDRAILS},
        DAILY_LOSS: _ratio(values.get(DAILY_LOSS, "")),
        AUTO_PAUSE: values[AUTO_PAUSE],
        "reprice": {"opening": _block(values, OPENING), "closing": _block(values, CLOSING)},
        "schedule": {
            "auto_start": values["schedule.auto_start"],
            "weekdays": values["schedule.weekdays"],
        },
    }
    body["reprice"]["opening"]["max_concession"] = values.get(CONCESSION, "")
    if is_new:
        body["strategy_id"] = values.get("strategy_id", "")
        body["starting_capital"] = values.get("starting_capital", "")
    return body


def bot_form(
    values: Values, refusal: Refusal | None = None, links: Iterable[StrategyLink] | None = None
) -> Form:
    """The form; `links` are the strategies a new bot can pin, None for a bot that exists."""
    policy = (_guardrails(values), _reprice(values, OPENING), _reprice(values, CLOSING))
    form = Form((_identity(values, links), *policy, _schedule(values)))
    if refusal is None:
        return form
    reasons = base.reasons_of(refusal, FIELD_OF_CODE)
    if DAILY_LOSS in reasons:
        reasons[DAILY_LOSS] = [DAILY_LOSS_RULE]  # the API speaks of ratios, this form of percent
    return form.refused(reasons)


def policy_groups(policy: Mapping[str, Any]) -> tuple[Group, ...]:
    """A policy to be read, in the form's words and with its bounds."""
    values = _policy_values(policy)
    return (_guardrails(values), _reprice(values, OPENING), _reprice(values, CLOSING))


def _identity(values: Values, links: Iterable[StrategyLink] | None) -> Group:
    name = Field(
        "name",
        "Name",
        value=values.get("name", ""),
        hint="Unique among your active bots.",
        is_required=True,
        max_length=NAME_LENGTH,
    )
    description = Field(
        "description",
        "Description",
        base.LONG,
        values.get("description", ""),
        max_length=DESCRIPTION_LENGTH,
    )
    if links is None:
        return Group("Bot", (name, description))
    strategy = Field(
        "strategy_id",
        "Strategy",
        base.CHOICE,
        values.get("strategy_id", ""),
        hint="Pinned for good: a bot never changes what it runs.",
        options=tuple((str(link.pk), link.name) for link in links),
        is_required=True,
    )
    capital = Field(
        "starting_capital",
        "Starting capital ($)",
        base.NUMBER,
        values.get("starting_capital", ""),
        hint="1,000 to 1,000,000,000. Cannot be changed later.",
        is_required=True,
    )
    return Group("Bot", (name, strategy, capital, description))


def _guardrails(values: Values) -> Group:
    daily_loss = Field(
        DAILY_LOSS,
        "Daily loss cap (%)",
        base.NUMBER,
        values.get(DAILY_LOSS, ""),
        hint="0.5 to 50 % of the opening balance. At the cap the session closes everything"
        " and halts.",
    )
    whole = [
        Field(name, label, base.NUMBER, values.get(name, ""), _hint(INPUT[name]))
        for name, label in GUARDRAILS.items()
    ]
    pause = Field(
        AUTO_PAUSE, "Pause on errors", base.CHECK, values.get(AUTO_PAUSE), _hint(INPUT[AUTO_PAUSE])
    )
    return Group("Risk", (daily_loss, *whole, pause))


def _reprice(values: Values, path: str) -> Group:
    kind = path.split(".")[1]
    schema = INPUT["reprice"]["properties"][kind]["properties"]
    enabled = Field(f"{path}.enabled", "On", base.CHECK, values.get(f"{path}.enabled"))
    whole = [
        Field(
            f"{path}.{name}",
            label,
            base.NUMBER,
            values.get(f"{path}.{name}", ""),
            _hint(schema[name]),
        )
        for name, label in REPRICE.items()
    ]
    if kind == "closing":
        note = "Patience ends at the exit: it concedes on schedule, without a cap, until it fills."
        return Group("Re-pricing of exits", (enabled, *whole), note)
    cap = Field(
        CONCESSION,
        "Concede at most ($)",
        base.NUMBER,
        values.get(CONCESSION, ""),
        "0 to 10 from the intended price, in steps of 0.05.",
    )
    note = "Concedes only while the mid is flat, and never past the cap."
    return Group("Re-pricing of entries", (enabled, *whole, cap), note)


def _schedule(values: Values) -> Group:
    auto = Field(
        "schedule.auto_start",
        "Start by itself",
        base.CHECK,
        values.get("schedule.auto_start"),
        "The day's session is created before the open and starts with it.",
    )
    days = Field(
        "schedule.weekdays",
        "On",
        base.CHOICES,
        values.get("schedule.weekdays", []),
        options=tuple(WEEKDAYS.items()),
    )
    return Group("Schedule", (auto, days))


def _policy_values(policy: Mapping[str, Any]) -> dict[str, Any]:
    flat = {name: policy[name] for name in (*GUARDRAILS, AUTO_PAUSE)}
    flat[DAILY_LOSS] = f"{Decimal(policy[DAILY_LOSS]) * 100:.2f}"
    for kind, block in policy["reprice"].items():
        flat |= {f"reprice.{kind}.{name}": value for name, value in block.items()}
    return flat


def _block(values: Values, path: str) -> dict[str, Any]:
    whole = {name: values.get(f"{path}.{name}", "") for name in REPRICE}
    return {"enabled": values[f"{path}.enabled"], **whole}


def _ratio(percent: str) -> str:
    """2 -> "0.02". What is no number is sent as it is: the check of the policy names it."""
    try:
        return f"{parse_decimal(percent).scaleb(-2):f}"
    except ValueError:
        return percent


def _hint(schema: Mapping[str, Any]) -> str:
    if "minimum" not in schema:
        return str(schema["description"])
    return f"{schema['minimum']:,} to {schema['maximum']:,}. {schema['description']}"
