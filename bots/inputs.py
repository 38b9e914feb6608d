# mypy: disable-error-code="type-arg"
# DRF's serializers are generic in their stubs and not at run time.
"""What a client may send about a bot: the create and PATCH bodies and the list's filters.

The bounds of the policy are `simengine.policy`'s; the others are the page's ("Create a bot"). The
problems of a body are reported together in `fields`; the code is that of the first in the page's
order: invalid_input, invalid_strategy_id, invalid_starting_capital, invalid_reprice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from itertools import islice
from typing import Any, ClassVar

from rest_framework import serializers

from bots import policy_schema
from bots.fields import Engine, Name, PolicyValue, StartingCapital, StrategyId
from bots.models import Bot, every_weekday
from common import errors
from common.api import flat_fields, summary
from common.shapes import Boolean, Choice, Spoken, StrictSerializer, Text
from simengine.policy import Policy, PolicyError

POLICY_FIELDS = (
    "max_daily_loss_pct",
    "max_open_positions",
    "max_open_orders",
    "data_staleness_threshold_ms",
    "auto_pause_on_error",
    "error_budget",
    "reprice",
)
DESCRIPTION_LENGTH = 2000
FIELDS_JUDGED_ALONE = 50  # a policy has 15; a body of a million names must not cost a minute
FIXED = "cannot be changed once the bot exists"


class InvalidStrategyId(errors.InvalidInput):
    code = "invalid_strategy_id"


class InvalidStartingCapital(errors.InvalidInput):
    code = "invalid_starting_capital"


class InvalidReprice(errors.InvalidInput):
    code = "invalid_reprice"


# In the page's order. A required field that is missing is invalid_input, whichever it is.
KINDS = (errors.InvalidInput, InvalidStrategyId, InvalidStartingCapital, InvalidReprice)
KIND_OF_FIELD: dict[str, type[errors.InvalidInput]] = {
    "strategy_id": InvalidStrategyId,
    "starting_capital": InvalidStartingCapital,
    "reprice": InvalidReprice,
}


class Weekdays(Spoken, serializers.ListField):
    rule = f"must be one or more of {', '.join(every_weekday())}, each once"
    default_error_messages = Spoken.all_saying(rule, "not_a_list", "empty", "max_length")

    def __init__(self, **options: Any) -> None:
        days = every_weekday()
        super().__init__(child=Choice(days), allow_empty=False, max_length=len(days), **options)

    def to_internal_value(self, data: Any) -> list[str]:
        weekdays: list[str] = super().to_internal_value(data)
        if len(set(weekdays)) != len(weekdays):
            self.fail("invalid")
        return sorted(weekdays, key=every_weekday().index)


class ScheduleInput(StrictSerializer):
    auto_start = Boolean(
        required=False, help_text="Let the scheduler create each day's session before the open."
    )
    weekdays = Weekdays(
        required=False, help_text="The days on which auto_start applies, each at most once."
    )


class BotInput(StrictSerializer):
    """What both bodies take. `fixed` are fields a bot has but this body cannot set."""

    fixed: ClassVar[tuple[str, ...]] = ()
    policy_schema: ClassVar[dict[str, dict[str, Any]]] = policy_schema.INPUT

    description = Text(
        required=False, allow_blank=True, max_length=DESCRIPTION_LENGTH, trim_whitespace=False
    )
    schedule = ScheduleInput(required=False)

    def get_fields(self) -> dict[str, Any]:
        policy = {name: PolicyValue(self.policy_schema[name]) for name in POLICY_FIELDS}
        return {**super().get_fields(), **policy}


class CreateBotInput(BotInput):
    """A new bot; what is left out has its default."""

    strategy_id = StrategyId(help_text="The id of one of your saved strategies.")
    name = Name()
    starting_capital = StartingCapital(source="starting_capital_cents")
    engine = Engine(required=False, help_text="`live_sim`, the default.")


class UpdateBotInput(BotInput):
    """What to change; what is left out stays as it is."""

    fixed = ("strategy_id", "starting_capital", "engine")
    policy_schema = policy_schema.CHANGES

    name = Name(required=False)
    status = Choice(choices=Bot.Status.values, required=False)


class BotFilters(serializers.Serializer):
    """The query string of GET /bots."""

    strategy_id = StrategyId(required=False, help_text="Bots pinned through this link.")
    status = Choice(choices=Bot.Status.values, required=False)


def read_body(shape: type[BotInput], body: Any) -> dict[str, Any]:
    """The body as keyword arguments of a service, the policy fields gathered under `policy`.

    Raises InvalidInput or one of its kinds above, with every problem in `fields`.
    """
    values, problems = _validated(shape, body)
    if isinstance(body, Mapping):
        problems |= {name: [FIXED] for name in shape.fixed if name in body}
        problems |= _policy_problems(body)
    if problems:
        sent = body if isinstance(body, Mapping) else {}
        raise _refusal(problems, own_codes=sent.keys() - set(shape.fixed))
    policy = {name: values.pop(name) for name in POLICY_FIELDS if name in values}
    return {**values, "policy": policy} if policy else values


def read_filters(query: Mapping[str, str]) -> dict[str, Any]:
    """The filters that were given. Raises InvalidInput or InvalidStrategyId."""
    values, problems = _validated(BotFilters, query)
    if problems:
        raise _refusal(problems, own_codes=query.keys())
    return values


def policy_refusal(error: PolicyError) -> errors.InvalidInput:
    """The API's words for a policy that cannot be."""
    return _refusal({error.path: [error.reason]}, own_codes={"reprice"})


def _validated(
    shape: type[serializers.Serializer], data: Any
) -> tuple[dict[str, Any], dict[str, list[str]]]:
    given = shape(data=data)
    if given.is_valid():
        return dict(given.validated_data), {}
    return {}, flat_fields(given.errors)


def _policy_problems(body: Mapping[str, Any]) -> dict[str, list[str]]:
    """The complaint about each field that is wrong: a policy names one and stops."""
    given = {name: body[name] for name in POLICY_FIELDS if name in body}
    problems = {}
    for part in [given, *islice(_one_by_one(given), FIELDS_JUDGED_ALONE)]:
        try:
            Policy.from_json(part)
        except PolicyError as error:
            problems[error.path] = [error.reason]
    return problems


def _one_by_one(tree: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Each innermost field of a body in a body of its own."""
    for name, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from ({name: inner} for inner in _one_by_one(value))
        else:
            yield {name: value}


def _refusal(problems: dict[str, list[str]], own_codes: Set[str]) -> errors.InvalidInput:
    """One refusal of all problems; only the fields in `own_codes` may lend it their code."""
    kinds = {
        path: KIND_OF_FIELD.get(root, errors.InvalidInput) if root in own_codes else KINDS[0]
        for path in problems
        for root in [path.split(".")[0]]
    }
    path, kind = min(kinds.items(), key=lambda item: KINDS.index(item[1]))
    return kind(summary(problems, first=path), fields=problems)
