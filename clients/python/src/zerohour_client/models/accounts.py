"""You, and what your programs sign in with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

Scope = Literal["read", "trade"]


@dataclass(frozen=True)
class FeeSchedule:
    """Dollars per contract; `exercise` per instrument that settles in the money."""

    open: Decimal
    close: Decimal
    exercise: Decimal


@dataclass(frozen=True)
class User:
    """`slippage` is dollars per share of a package."""

    id: UUID
    email: str
    fee_schedule: FeeSchedule
    slippage: Decimal


@dataclass(frozen=True)
class Token:
    """A token in your list: everything but the secret, which was shown once."""

    id: UUID
    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True)
class NewToken:
    """The one time a token is shown. It is a secret: the repr leaves it out."""

    token: str

    def __repr__(self) -> str:
        return "NewToken(…)"
