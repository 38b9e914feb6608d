"""The source of a new strategy as it is typed: fields, the form as JSON, or a program."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.http import QueryDict
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.serializers import Serializer

from common.api import flat_fields
from common.errors import InvalidInput, Refusal
from common.parsing import parse_json
from dashboard.forms import base, builder
from dashboard.forms.base import Field, Form, Group
from strategies.models import StrategyLink
from strategies.shapes import (
    DESCRIPTION_LENGTH,
    NAME_LENGTH,
    CreateStrategyInput,
    UpdateStrategyInput,
)
from strategies.templates import TEMPLATES, Template

BUILDER = "builder"
FORM = StrategyLink.Kind.FORM.value
PROGRAM = StrategyLink.Kind.PROGRAM.value
KINDS = {BUILDER: "Form", FORM: "Form as JSON", PROGRAM: "Program"}
HINTS = {
    FORM: "Legs, entry times, exits and sizing. Start from a template above.",
    PROGRAM: "Python's own syntax, run in a sandbox: on_start, on_tick, on_fill, times and at.",
}
STARTING_PROGRAM = """times = ["10:00"]


def at(ctx, time):
    ctx.open([sell("put", delta=0.30), buy("put", offset=-25, leg=0)], profit_target_pct=50)
"""


# The database keeps a form's names sorted by their length; people read them in this order.
ORDER = (
    *("legs", "entry", "exit", "sizing"),
    *("direction", "type", "qty", "strike", "method", "value", "from"),
    *("times", "weekdays", "order", "max_entries", "filters"),
)
RANK = {name: rank for rank, name in enumerate(ORDER)}


def in_order(form: Any) -> Any:
    """The form with its names in the order they are written about; unknown ones come last."""
    if isinstance(form, Mapping):
        names = sorted(form, key=lambda name: RANK.get(name, len(RANK)))
        return {name: in_order(form[name]) for name in names}
    return [in_order(item) for item in form] if isinstance(form, list) else form


def template_of(template_id: str | None) -> Template:
    """The template of that name, or the first credit spread."""
    by_id = {template.id: template for template in TEMPLATES}
    return by_id.get(template_id or "", by_id["put-credit-spread"])


def kind_of(text: str | None) -> str:
    return text if text in KINDS else BUILDER


def template_values(kind: str, template: Template) -> dict[str, Any]:
    if kind == PROGRAM:
        return {"kind": kind, "name": "", "description": "", "source": STARTING_PROGRAM}
    return link_values(kind, template.name, template.description, template.config, "")


def link_values(
    kind: str, name: str, description: str, config: Mapping[str, Any] | None, program: str
) -> dict[str, Any]:
    """What is saved already, to be changed and saved as another."""
    known = {"kind": kind, "name": name, "description": description}
    if kind == BUILDER and config is not None:
        return {**builder.values_of(config, name=name, description=description), **known}
    source = (
        json.dumps(in_order(config), indent=2) if kind == FORM and config is not None else program
    )
    return {**known, "source": source}


def sent_values(post: QueryDict) -> dict[str, Any]:
    kind = kind_of(post.get("kind"))
    if kind == BUILDER:
        return {**builder.sent_values(post), "kind": kind}
    names = ("name", "description", "source")
    return {"kind": kind, **{name: base.text_of(post.get(name, "")) for name in names}}


def strategy_form(values: Mapping[str, Any], refusal: Refusal | None = None) -> Form:
    kind = values["kind"]
    if kind == BUILDER:
        return builder.builder_form(values, refusal)
    fields = (
        Field("name", "Name", value=values["name"], is_required=True, max_length=NAME_LENGTH),
        Field(
            "description",
            "Description",
            base.LONG,
            values["description"],
            max_length=DESCRIPTION_LENGTH,
        ),
        Field("source", KINDS[kind], base.CODE, values["source"], HINTS[kind], is_required=True),
    )
    form = Form((Group("", fields),))
    return form if refusal is None else form.refused(_about_source(base.reasons_of(refusal)))


def body_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Keyword arguments of the service. InvalidInput with every problem in `fields`."""
    body = {"name": values["name"], "description": values["description"]}
    return _checked(CreateStrategyInput(data=body | source_of(values)))


def changes_of(values: Mapping[str, str]) -> dict[str, Any]:
    """Checked as the API checks them. InvalidInput with every problem in `fields`."""
    return _checked(UpdateStrategyInput(data=values))


def _checked(given: Serializer[Any]) -> dict[str, Any]:
    try:
        given.is_valid(raise_exception=True)
    except ValidationError as exc:
        raise InvalidInput("Not saved.", fields=flat_fields(exc.detail)) from exc
    read: dict[str, Any] = given.validated_data
    return read


def source_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """`config` or `program`. InvalidInput where the form is no JSON."""
    if values["kind"] == BUILDER:
        return {"config": builder.config_of(values)}
    if values["kind"] == PROGRAM:
        return {"program": values["source"]}
    try:
        return {"config": parse_json(values["source"].encode())}
    except ParseError as exc:
        reason = str(exc.detail).replace("The body", "The form", 1)
        raise InvalidInput(reason, fields={"source": [reason]}) from exc


def _about_source(reasons: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Paths in the form and places in the program are both about the one text area."""
    placed: dict[str, list[str]] = {}
    for path, found in reasons.items():
        if path in ("", "name", "description", "source"):
            placed.setdefault(path, []).extend(found)
        else:
            place = "" if path in ("program", "config") else f"{path}: "
            placed.setdefault("source", []).extend(f"{place}{why}" for why in found)
    return placed
