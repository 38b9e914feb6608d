"""Many rows at once, for less than the ORM's own bulk statements: a commit writes thousands."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import Field, Model


def insert(model: type[Model], rows: Sequence[Model]) -> None:
    """COPY new rows. Keys that the database gives are not written back to `rows`."""
    fields = [field for field in _fields(model) if not field.db_returning]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    statement = f'COPY "{model._meta.db_table}" ({columns}) FROM STDIN'
    wrapped = connection.wrap_database_errors  # leaving the copy raises outside the cursor's own
    with wrapped, connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row([_value(field, getattr(row, field.attname)) for field in fields])


def update(model: type[Model], values_of: Mapping[uuid.UUID, Mapping[str, Any]]) -> None:
    """Change rows by their keys: one statement for all that change the same fields."""
    alike: dict[tuple[str, ...], list[uuid.UUID]] = defaultdict(list)
    for pk, values in values_of.items():
        alike[tuple(values)].append(pk)
    for names, pks in alike.items():
        fields = [model._meta.get_field(name) for name in names]
        rows = [values_of[pk] for pk in pks]
        _update(model, fields, pks, [[row[name] for row in rows] for name in names])


def _update(
    model: type[Model], fields: Sequence[Any], pks: list[uuid.UUID], columns: list[list[Any]]
) -> None:
    changes = ", ".join(f'"{field.column}" = v.v{place}' for place, field in enumerate(fields))
    names = ", ".join(f"v{place}" for place in range(len(fields)))
    arrays = ", ".join(f"%s::{_type(field)}[]" for field in fields)
    values = [
        [_value(field, value) for value in column]
        for field, column in zip(fields, columns, strict=True)
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            # Names of tables and columns, none of anybody's words.
            f'UPDATE "{model._meta.db_table}" AS t SET {changes}'  # noqa: S608
            f" FROM unnest(%s::uuid[], {arrays}) AS v(id, {names}) WHERE t.id = v.id",
            [pks, *values],
        )


def _fields(model: type[Model]) -> Sequence[Any]:
    return model._meta.concrete_fields


def _type(field: Field[Any, Any]) -> str:
    return field.rel_db_type(connection) or ""


def _value(field: Any, value: Any) -> Any:
    return field.get_db_prep_save(value, connection)
