"""Queries that Django compiles once a process, and PostgreSQL plans once a connection.

Compiling costs the web process about as much as everything else about a short read together
(docs/performance.md), so the reads of the API's busiest routes are prepared. A prepared query gives
the rows that its QuerySet would give.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC
from functools import cache, cached_property, update_wrapper
from typing import Any, Generic, TypeVar

import orjson
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.postgresql.psycopg_any import get_adapters_template
from django.db.backends.utils import CursorWrapper
from django.db.models import signals
from django.db.models.base import ModelState
from django.db.models.expressions import Col
from django.db.models.query import QuerySet
from psycopg.adapt import AdaptersMap
from psycopg.sql import Literal
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
        sql, parameters = compiler.as_sql()
        self.sql = _with_constants(sql, parameters)
        self._names = [each.name for each in parameters if isinstance(each, _Slot)]
        self._annotations = list((compiler.annotation_col_map or {}).items())
        info = compiler.klass_info
        assert info is not None, "a prepared query gives instances of a model"
        self._instances: _Instances[Row] = _Instances(info, compiler.select)
        columns = [column for column, *_ in compiler.select]
        self._converters = [
            (place, convert, expression)
            for place, (converters, expression) in compiler.get_converters(columns).items()
            for convert in ([_json] if _is_plain_json(expression) else converters)
        ]

    def bound(self, values: dict[str, Any]) -> list[Any]:
        return [values[name] for name in self._names]

    def instance(self, found: Sequence[Any]) -> Row:
        row = list(found)
        for place, convert, expression in self._converters:
            row[place] = convert(row[place], expression, connection)
        made = self._instances.one(row)
        for name, place in self._annotations:
            setattr(made, name, row[place])
        return made


def _with_constants(sql: str, parameters: Sequence[Any]) -> str:
    """What is the same at every request is written down in the statement: a plan that is kept can
    use a partial index only for a condition that it knows.
    """
    left = iter(parameters)

    def written(placeholder: re.Match[str]) -> str:
        parameter = None if placeholder[0] == "%%" else next(left)
        if parameter is None or isinstance(parameter, _Slot):
            return placeholder[0]
        return Literal(parameter).as_string(connection.connection).replace("%", "%%")

    connection.ensure_connection()
    return re.sub("%[%s]", written, sql)


class _Instances(Generic[Row]):
    """Rows as instances of a model and of those beside it. `Model.from_db` sets field by field and
    asks for each whether it was read; all of a query's rows have the same ones, so here it is one
    update of the instance's dictionary.
    """

    def __init__(self, info: dict[str, Any], select: Sequence[Any]) -> None:
        self._model: type[Row] = info["model"]
        _require_plain(self._model)
        places: list[int] = info["select_fields"]
        self._own = slice(places[0], places[-1] + 1)
        self._names = [column.target.attname for column, *_ in select[self._own]]
        key = self._model._meta.pk
        assert key is not None
        self.key_place = places[0] + self._names.index(key.attname)
        self._beside = [
            (_Instances[Any](beside, select), beside["local_setter"], beside["remote_setter"])
            for beside in info.get("related_klass_infos", [])
        ]

    def one(self, row: Sequence[Any]) -> Row:
        made = self._model.__new__(self._model)
        made._state = state = ModelState()
        state.adding, state.db = False, DEFAULT_DB_ALIAS
        made.__dict__.update(zip(self._names, row[self._own], strict=True))
        for instances, of_this, of_other in self._beside:
            other = None if row[instances.key_place] is None else instances.one(row)
            of_this(made, other)
            if other is not None:
                of_other(other, made)
        return made


def _require_plain(model: type[models.Model]) -> None:
    """That nothing but Django's own steps makes an instance of a row."""
    bases = model.__mro__[: model.__mro__.index(models.Model)]
    own = {name for base in bases for name in vars(base)} & {"__init__", "from_db"}
    heard = [signal.has_listeners(model) for signal in (signals.pre_init, signals.post_init)]
    assert not own, f"{model.__name__} has steps of its own for each row"
    assert not any(heard), f"somebody listens to each row of {model.__name__}"


def _is_plain_json(expression: Any) -> bool:
    field = expression.output_field
    return isinstance(expression, Col) and type(field) is models.JSONField and not field.decoder


def _json(text: str | None, *_details: Any) -> Any:
    """Python's own library only where orjson would make a float of a whole number."""
    if text is None:
        return None
    return json.loads(text) if _LONG_NUMBER.search(text) else orjson.loads(text)


_LONG_NUMBER = re.compile("[0-9]{19}")
