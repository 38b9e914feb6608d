"""Saved strategies: forms and programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from zerohour_client._calls import (
    Call,
    Paged,
    Repeat,
    body,
    many,
    mapping,
    nothing,
    once,
    one,
    path,
    query,
)
from zerohour_client.models import Preview, Privacy, Strategy, Template


def list_strategies(*, page_size: int | None = None) -> Paged[Strategy]:
    """Yours, newest first."""
    return Paged(Call("GET", "/strategies", many(Strategy), query=query(limit=page_size)))


def create_strategy(
    name: str,
    *,
    config: Mapping[str, Any] | None = None,
    program: str | None = None,
    description: str | None = None,
    privacy: Privacy | None = None,
    idempotency_key: str | None = None,
) -> Call[Strategy]:
    """Save a form (`config`) or a `program`."""
    content = body(
        name=name, config=config, program=program, description=description, privacy=privacy
    )
    headers = once(idempotency_key)
    return Call("POST", "/strategies", one(Strategy), body=content, headers=headers)


def get_strategy(strategy_id: UUID | str) -> Call[Strategy]:
    """One of yours, or a public one."""
    return Call("GET", path("/strategies/{}", strategy_id), one(Strategy))


def update_strategy(
    strategy_id: UUID | str,
    *,
    name: str | None = None,
    description: str | None = None,
    privacy: Privacy | None = None,
) -> Call[Strategy]:
    """Rename, describe or share it; what is None stays. What it runs cannot be changed."""
    content = body(name=name, description=description, privacy=privacy)
    where = path("/strategies/{}", strategy_id)
    return Call("PATCH", where, one(Strategy), Repeat.UNSAFE, body=content)


def delete_strategy(strategy_id: UUID | str) -> Call[None]:
    """Delete the link; bots that pinned the strategy keep running it."""
    return Call("DELETE", path("/strategies/{}", strategy_id), nothing, Repeat.UNSAFE)


def clone_strategy(
    strategy_id: UUID | str, *, idempotency_key: str | None = None
) -> Call[Strategy]:
    """Your own, private link to the same strategy."""
    where = path("/strategies/{}/clone", strategy_id)
    return Call("POST", where, one(Strategy), headers=once(idempotency_key))


def preview_strategy(
    *, config: Mapping[str, Any] | None = None, program: str | None = None
) -> Call[Preview]:
    """What it compiles to, or its problems; nothing is saved."""
    content = body(config=config, program=program)
    return Call("POST", "/strategies/preview", one(Preview), body=content)


def get_form_schema() -> Call[dict[str, Any]]:
    """The JSON Schema of the form."""
    return Call("GET", "/strategies/form-schema", mapping)


def list_templates() -> Call[list[Template]]:
    """Forms to start from."""
    return Call("GET", "/strategies/templates", many(Template))
