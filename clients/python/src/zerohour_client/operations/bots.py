"""Bots: create, change, put away."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypedDict, Unpack
from uuid import UUID

from zerohour_client._calls import (
    Call,
    Paged,
    Repeat,
    body,
    many,
    nothing,
    once,
    one,
    path,
    query,
)
from zerohour_client.models import Adjustment, Bot, BotStatus, BotWithSessions, Summary

Amount = Decimal | int | str


class Policy(TypedDict, total=False):
    """The optional fields of a bot; a None leaves the field alone.

    `reprice` and `schedule` merge: name only what differs.
    """

    description: str | None
    max_daily_loss_pct: Amount | None
    max_open_positions: int | None
    max_open_orders: int | None
    data_staleness_threshold_ms: int | None
    auto_pause_on_error: bool | None
    error_budget: int | None
    reprice: Mapping[str, Mapping[str, Any]] | None
    schedule: Mapping[str, Any] | None


def list_bots(
    *,
    strategy_id: UUID | str | None = None,
    status: BotStatus | None = None,
    page_size: int | None = None,
) -> Paged[Bot]:
    """Yours, newest first."""
    given = query(strategy_id=strategy_id, status=status, limit=page_size)
    return Paged(Call("GET", "/bots", many(Bot), query=given))


def create_bot(
    name: str,
    strategy_id: UUID | str,
    starting_capital: Amount,
    *,
    idempotency_key: str | None = None,
    **policy: Unpack[Policy],
) -> Call[Bot]:
    """A bot that pins what the saved strategy points at; `starting_capital` in dollars."""
    content = body(name=name, strategy_id=strategy_id, starting_capital=starting_capital, **policy)
    return Call("POST", "/bots", one(Bot), body=content, headers=once(idempotency_key))


def get_bot(bot_id: UUID | str) -> Call[BotWithSessions]:
    """A bot and its sessions."""
    return Call("GET", path("/bots/{}", bot_id), one(BotWithSessions))


def update_bot(
    bot_id: UUID | str,
    *,
    name: str | None = None,
    status: BotStatus | None = None,
    **policy: Unpack[Policy],
) -> Call[Bot]:
    """Change what is given. The policy applies to the next session."""
    content = body(name=name, status=status, **policy)
    return Call("PATCH", path("/bots/{}", bot_id), one(Bot), Repeat.UNSAFE, body=content)


def delete_bot(bot_id: UUID | str) -> Call[None]:
    """Delete the bot and its sessions. Raises Conflict while one is running."""
    return Call("DELETE", path("/bots/{}", bot_id), nothing, Repeat.UNSAFE)


def get_summary(bot_id: UUID | str) -> Call[Summary]:
    """How it did over its settled sessions."""
    return Call("GET", path("/bots/{}/summary", bot_id), one(Summary))


def list_adjustments(bot_id: UUID | str, *, page_size: int | None = None) -> Paged[Adjustment]:
    """Corrections of its balance, newest first."""
    given = query(limit=page_size)
    return Paged(Call("GET", path("/bots/{}/adjustments", bot_id), many(Adjustment), query=given))
