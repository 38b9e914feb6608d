"""What a recount says: checks in a fixed order, and the first row that breaks each."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Model

from common.times import rfc3339

if TYPE_CHECKING:
    from sessions.integrity.books import Books


@dataclass(frozen=True, slots=True)
class Break:
    """A value that is not what the other rows say. A row that is not there has a null in `stored`,
    one that should not be there in `expected`, both in the column `id`.
    """

    table: str
    id: str  # of the row; of a second of the financial line: chunk/tick
    column: str
    stored: Any
    expected: Any


class Tally:
    """Counts the rows a check looked at and keeps the first one that breaks it."""

    def __init__(self) -> None:
        self.rows_checked = 0
        self.first_break: Break | None = None

    def same(self, row: Model, **expected: Any) -> None:
        """The columns of `row` hold these values."""
        self.rows_checked += 1
        if self.first_break is not None:
            return
        for column, value in expected.items():
            stored = getattr(row, column)
            if stored != value:
                self.broken(row, column, stored, value)
                return

    def broken(self, row: Model, column: str, stored: Any, expected: Any) -> None:
        self.note(Break(table_of(row), str(row.pk), column, _plain(stored), _plain(expected)))

    def missing(self, model: type[Model], pk: uuid.UUID) -> None:
        self.rows_checked += 1
        self.note(Break(table_of(model), str(pk), "id", None, str(pk)))

    def unexpected(self, row: Model) -> None:
        self.rows_checked += 1
        self.note(Break(table_of(row), str(row.pk), "id", str(row.pk), None))

    def note(self, found: Break) -> None:
        if self.first_break is None:
            self.first_break = found


@dataclass(frozen=True, slots=True)
class Rule:
    """A check by name: what must hold, and the function that looks.

    One that `needs_detail` has nothing to look at once retention let go of the line and the events.
    """

    name: str
    says: str
    look: Callable[[Books, Tally], None]
    needs_detail: bool = True


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    says: str
    is_sound: bool
    rows_checked: int
    first_break: Break | None


@dataclass(frozen=True, slots=True)
class Report:
    session_id: uuid.UUID
    checks: tuple[Check, ...]

    @property
    def is_sound(self) -> bool:
        return all(check.is_sound for check in self.checks)

    @property
    def broken(self) -> list[Check]:
        return [check for check in self.checks if not check.is_sound]

    def as_json(self) -> dict[str, Any]:
        return {
            "session_id": str(self.session_id),
            "is_sound": self.is_sound,
            "checks": [asdict(check) for check in self.checks],
        }


def run(rules: tuple[Rule, ...], books: Books) -> Report:
    checks = []
    for rule in rules:
        tally = Tally()
        if not (rule.needs_detail and books.is_trimmed):
            _look(rule, books, tally)
        is_sound = tally.first_break is None
        checks.append(Check(rule.name, rule.says, is_sound, tally.rows_checked, tally.first_break))
    return Report(books.session.pk, tuple(checks))


def _look(rule: Rule, books: Books, tally: Tally) -> None:
    """A value that makes no sense is a break like another; `readable` names the row of most."""
    try:
        rule.look(books, tally)
    except (KeyError, ValueError, TypeError, AttributeError, ArithmeticError, IndexError) as error:
        tally.broken(books.session, rule.name, repr(error), "rows that can be recounted")


def table_of(row: Model | type[Model]) -> str:
    return row._meta.db_table


def _plain(value: Any) -> Any:
    """A stored value as JSON has it. Amounts stay the integer cents of their column."""
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, (uuid.UUID, date)):
        return str(value)
    return value
