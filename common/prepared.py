"""Queries that Django compiles once a process, and PostgreSQL plans once a connection.

Compiling costs the web process about as much as everything else about a short read together
(docs/performance.md), so the reads of the API's busiest routes are prepared. A prepared query gives
the rows that its QuerySet would give.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC
from functools import cache, cached_property, update_wrapper
from typing import Any, Generic, TypeVar

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.postgresql.psycopg_any import get_adapters_template
from django.db.backends.utils import CursorWrapper
from django.db.models.query import QuerySet, get_related_populators
from psycopg.adapt import AdaptersMap
from psycopg.types.datetime import TimestamptzLoader

Row = TypeVar("Row", bound=models.Model)


class IsAnyOf(models.Func):
    """Whether a field has one of the values of a list: `filter(IsAnyOf("bot", bots))`. A prepared
    query has no `__in`, which writes down each value of its own.
    """

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field = models.BooleanField()

    def __init__(self, name: str, values: Any) -> None:
        super().__init__(
            models.F(name), values if isinstance(values, _Slot) else models.Value(values)
        )


class Prepared(Generic[Row]):
    """A decorator of a function that makes a QuerySet of its values: instances of a model, maybe
    annotated and with `select_related`, neither sliced nor prefetched.

    The function runs once, with a stand-in for each value; so it may only hand them to filters. A
    value goes to PostgreSQL's driver as it comes, unconverted by Django's fields: give a UUID for
    a UUID.
    """

    def __init__(self, build: Callable[..., QuerySet[Row]]) -> None:
        self.build = build
        update_wrapper(self, build)

    def __call__(self, **values: Any) -> Asked[Row]:
        return Asked(self, values)

    @cached_property
    def compiled(self) -> _Compiled[Row]:
        return _Compiled(self.build(**{name: _Slot(name) for name in self._names}))

    @cached_property
    def _names(self) -> list[str]:
        return list(inspect.signature(self.build).parameters)


@dataclass(frozen=True, slots=True)
class Asked(Generic[Row]):
    """A prepared query with its values. Every call of a method asks the database."""

    prepared: Prepared[Row]
    values: dict[str, Any]

    def rows(self, *, at_most: int | None = None) -> list[Row]:
        """In the query's order. Raises KeyError where a value is missing."""
        compiled = self.prepared.compiled
        limit = "" if at_most is None else f" LIMIT {at_most:d}"
        with _cursor() as cursor:
            cursor.execute(compiled.sql + limit, compiled.bound(self.values))
            return [compiled.instance(row) for row in cursor.fetchall()]

    def first(self) -> Row | None:
        rows = self.rows(at_most=1)
        return rows[0] if rows else None

    def queryset(self) -> QuerySet[Row]:
        """The same as a QuerySet, for whoever wants to narrow it further."""
        return self.prepared.build(**self.values)


def _cursor() -> CursorWrapper:
    """Django's, but one that sends a statement and its values apart: the server keeps the plan of
    what is asked often (`prepare_threshold` in the settings).
    """
    connection.ensure_connection()
    raw: Any = _Cursor  # the stubs know neither its argument nor the method below
    wrapped: CursorWrapper = connection._prepare_cursor(raw(connection.connection))  # type: ignore[attr-defined]
    return wrapped


class _Cursor(ServerBindingCursor):
    @property
    def adapters(self) -> AdaptersMap:
        return _adapters()


@cache
def _adapters() -> AdaptersMap:
    """Django's, but times are read by the driver's compiled code: the same values (our connections
    are all at UTC) in a tenth of the time.
    """
    assert connection.timezone is UTC, "the settings set no other"
    adapters = AdaptersMap(get_adapters_template(settings.USE_TZ, connection.timezone))
    adapters.register_loader("timestamptz", TimestamptzLoader)
    return adapters


class _Slot(models.Expression):
    """Stands for a value in the compiled query."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        # Django only hands parameters on; what is asked with takes this one's place.
        return "%s", [self]


class _Compiled(Generic[Row]):
    """What `django.db.models.query.ModelIterable` works out anew for every QuerySet."""

    def __init__(self, queryset: QuerySet[Row]) -> None:
        compiler = queryset.query.get_compiler(DEFAULT_DB_ALIAS)
        self.sql, self._parameters = compiler.as_sql()
        self._annotations = (compiler.annotation_col_map or {}).items()
        info = compiler.klass_info
        assert info is not None, "a prepared query gives instances of a model"
        select: Sequence[Any] = compiler.select
        self._model: type[Row] = info["model"]
        self._own = slice(info["select_fields"][0], info["select_fields"][-1] + 1)
        self._names = [column.target.attname for column, *_ in select[self._own]]
        # The stubs are those of Django 6, which takes one argument more.
        self._related = get_related_populators(info, select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]
        self._converters = compiler.get_converters([column for column, *_ in select]).items()

    def bound(self, values: dict[str, Any]) -> list[Any]:
        return [
            values[parameter.name] if isinstance(parameter, _Slot) else parameter
            for parameter in self._parameters
        ]

    def instance(self, found: Sequence[Any]) -> Row:
        row = list(found)
        for place, (converters, expression) in self._converters:
            for convert in converters:
                row[place] = convert(row[place], expression, connection)
        made = self._model.from_db(DEFAULT_DB_ALIAS, self._names, row[self._own])
        for populator in self._related:
            populator.populate(row, made)
        for name, place in self._annotations:
            setattr(made, name, row[place])
        return made
