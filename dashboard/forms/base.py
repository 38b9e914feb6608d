"""Forms as the pages show them. They check nothing: a body goes to the same checks as the API's,
and what those refuse comes back beside the fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from common.errors import Refusal

TEXT = "text"
NUMBER = "number"
LONG = "long"
CODE = "code"
CHECK = "check"
CHOICE = "choice"
CHOICES = "choices"
NOT_IN_AN_ID = str.maketrans({".": "-", "[": "-", "]": None})


@dataclass(frozen=True, slots=True)
class Field:
    """One input. `name` is its path in the API's body: "reprice.opening.max_concession"."""

    name: str
    label: str
    kind: str = TEXT
    value: Any = ""
    hint: str = ""
    options: tuple[tuple[str, str], ...] = ()
    is_required: bool = False
    max_length: int | None = None
    errors: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return "field-" + self.name.translate(NOT_IN_AN_ID)


@dataclass(frozen=True, slots=True)
class Group:
    """`actions` are further buttons of the form: (value, label), shown below the fields."""

    title: str
    fields: tuple[Field, ...]
    note: str = ""
    is_compact: bool = False
    actions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """`problems` are those that belong to no field."""

    groups: tuple[Group, ...]
    problems: tuple[str, ...] = ()

    @property
    def wrong_fields(self) -> list[Field]:
        return [item for group in self.groups for item in group.fields if item.errors]

    @property
    def is_refused(self) -> bool:
        return bool(self.problems or self.wrong_fields)

    def refused(self, reasons: Mapping[str, Iterable[str]]) -> Form:
        """The form with each reason beside the field it is about, or on top."""
        placed = _Placed(reasons)
        groups = tuple(
            replace(group, fields=tuple(map(placed.into, group.fields))) for group in self.groups
        )
        return Form(groups, problems=tuple(placed.left_over()))


def reasons_of(
    refusal: Refusal, field_of_code: Mapping[str, str] | None = None
) -> dict[str, list[str]]:
    """By field; a refusal that names none goes to the field of its code, or to none ("")."""
    if refusal.fields:
        return dict(refusal.fields)
    return {(field_of_code or {}).get(refusal.code, ""): [refusal.message]}


@dataclass
class _Placed:
    """Hands each reason to the field it is about: its own path, or one below it."""

    reasons: Mapping[str, Iterable[str]]
    taken: set[str] = field(default_factory=set)

    def into(self, item: Field) -> Field:
        paths = [
            path
            for path in self.reasons
            if path == item.name or path.startswith((f"{item.name}.", f"{item.name}["))
        ]
        self.taken.update(paths)
        return replace(item, errors=tuple(why for path in paths for why in self.reasons[path]))

    def left_over(self) -> Iterable[str]:
        for path, reasons in self.reasons.items():
            if path not in self.taken:
                yield from (f"{path}: {why}" if path else why for why in reasons)


def text_of(raw: str) -> str:
    """What was typed, with the line ends of everybody: browsers send CRLF."""
    return raw.replace("\r\n", "\n")
