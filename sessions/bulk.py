"""Many rows at once, for less than the ORM's own bulk statements: a commit writes thousands."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import Model


def insert(model: type[Model], rows: Sequence[Model]) -> None:
    """COPY new rows. Keys that the database gives are not written back to `rows`."""
    fields = [field for field in _fields(model) if not field.db_returning]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    statement = f'COPY "{model._meta.db_table}" ({columns}) FROM STDIN'
    database = connections[DEFAULT_DB_ALIAS]  # the thing itself: it is asked for every value
    wrapped = database.wrap_database_errors  # leaving the copy raises outside the cursor's own
    with wrapped, database.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(
                [field.get_db_prep_save(getattr(row, field.attname), database) for field in fields]
            )


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
    arrays = ", ".join(f"%s::{field.rel_db_type(connection)}[]" for field in fields)
    database = connections[DEFAULT_DB_ALIAS]
    values = [
        [field.get_db_prep_save(value, database) for value in column]
        for field, column in zip(fields, columns, strict=True)
    ]
    with database.cursor() as cursor:
        cursor.execute(
            # Names of tables and columns, none of anybody's words.
            f'UPDATE "{model._meta.db_table}" AS t SET {changes}'  # noqa: S608
            f" FROM unnest(%s::uuid[], {arrays}) AS v(id, {names}) WHERE t.id = v.id",
            [pks, *values],
        )


def _fields(model: type[Model]) -> Sequence[Any]:
    return model._meta.concrete_fields
