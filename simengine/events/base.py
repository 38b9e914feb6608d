"""What every event is: an immutable value that can be turned into plain data."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypeVar, dataclass_transform

from simengine.market import Contract
from simengine.pricing import Leg

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def event(cls: type[T]) -> type[T]:
    """A dataclass that the type checker holds to be frozen. At run time it is not, for a frozen one
    takes six times as long to make, and every tick may make some.
    """
    return dataclass(slots=True)(cls)


@event
class Event:
    kind: ClassVar[str]

    def as_json(self) -> dict[str, Any]:
        """Plain data, for storage and for comparing days byte by byte."""
        plain = {spec.name: _plain(getattr(self, spec.name)) for spec in fields(self)}
        return {"kind": self.kind, **plain}


def _plain(value: Any) -> Any:
    if isinstance(value, Leg):
        return [value.contract.right, value.contract.strike_cents, value.ratio]
    if isinstance(value, Contract):
        return [value.right, value.strike_cents]
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
