"""JSON to frozen dataclasses and back.

The annotations are the shape: `Decimal`, `datetime`, `date`, `UUID`, other dataclasses, tuples of
them and `| None`. A converter is made once per class. Fields that this version does not know are
ignored, so that a newer server stays readable.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Hashable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

from zerohour_client.errors import UnexpectedAnswer

T = TypeVar("T")
Convert = Callable[[Any], Any]

_ALIAS = "name on the wire"


def wire_name(name: str) -> dict[str, str]:
    """The metadata of a field whose name on the wire is no Python name."""
    return {_ALIAS: name}


def decode(shape: type[T], value: Any) -> T:
    """`value` (parsed JSON) as `shape`. Raises UnexpectedAnswer if it does not fit."""
    try:
        return cast(T, _converter(cast(Hashable, shape))(value))
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as exc:
        what = f"{type(exc).__name__}: {exc}"
        raise UnexpectedAnswer(f"The answer is no {shape.__name__} ({what}).") from exc


def encode(value: Any) -> Any:
    """The JSON of a value: of a dataclass, as the API writes it, or of a request body."""
    if is_dataclass(value):
        return {_wire_name(each): encode(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): encode(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [encode(each) for each in value]
    return scalar(value)


def scalar(value: Any) -> Any:
    """One value without parts; what JSON has of its own stays as it is."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return rfc3339(value)
    return str(value) if isinstance(value, date | UUID) else value


def rfc3339(at: datetime) -> str:
    """UTC with milliseconds. Raises ValueError for a time without a zone."""
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone")
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _wire_name(each: Field[Any]) -> str:
    return cast(str, each.metadata.get(_ALIAS, each.name))


@cache
def _converter(hint: Any) -> Convert:
    if hint in _LEAVES:
        return _LEAVES[hint]
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _optional(hint)
    if origin is tuple:
        convert = _converter(get_args(hint)[0])
        return lambda value: tuple([convert(each) for each in value])
    if isinstance(hint, type) and is_dataclass(hint):
        return _dataclass(hint)
    return _as_it_is


def _optional(hint: Any) -> Convert:
    convert = _converter(next(each for each in get_args(hint) if each is not type(None)))
    return lambda value: None if value is None else convert(value)


def _dataclass(shape: type[Any]) -> Convert:
    hints = get_type_hints(shape)
    required: list[tuple[str, str, Convert]] = []
    optional: list[tuple[str, str, Convert]] = []
    for each in fields(shape):
        has_default = each.default is not MISSING
        kind = optional if has_default else required
        kind.append((each.name, _wire_name(each), _converter(hints[each.name])))

    def convert(value: Any) -> Any:
        found = {name: to_python(value[wire]) for name, wire, to_python in required}
        for name, wire, to_python in optional:
            if wire in value:
                found[name] = to_python(value[wire])
        return shape(**found)

    return convert


def _as_it_is(value: Any) -> Any:
    return value


def _decimal(value: Any) -> Decimal:
    if not isinstance(value, str):  # a JSON number may have been rounded on its way
        raise TypeError(f"{value!r} is no decimal string")
    return Decimal(value)


_LEAVES: dict[Any, Convert] = {
    Decimal: _decimal,
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    UUID: UUID,
}
