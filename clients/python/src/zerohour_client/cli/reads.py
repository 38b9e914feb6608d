"""zerohour sessions …: everything that can be read of a session."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any
from uuid import UUID

import typer

from zerohour_client import Zerohour
from zerohour_client.cli.context import (
    AsJson,
    BotWord,
    SessionWord,
    connect,
    find_bot,
    find_session,
)
from zerohour_client.cli.failures import Failure
from zerohour_client.cli.printing import (
    clock,
    instrument,
    money,
    out,
    price,
    show_json,
    show_rows,
    text,
)
from zerohour_client.models import Order, OrderStatus

INTERVAL_SHOWN_SECONDS = 900  # a day in 27 lines


def register(app: typer.Typer) -> None:
    for command in (orders, positions, transactions, events, entries, financials):
        app.command()(command)
    app.command("log")(decision_log)


def orders(
    context: typer.Context,
    bot: BotWord,
    session: SessionWord = "last",
    status: Annotated[OrderStatus | None, typer.Option(help="Only these.")] = None,
    as_json: AsJson = False,
) -> None:
    """Its orders, in the order of placement."""
    with _below(context, bot, session) as (client, *ids):
        found = list(client.sessions.orders(*ids, status=status))
    if as_json:
        show_json(found)
        return
    show_rows(
        (
            (
                clock(order.placed_at),
                order.kind,
                legs(order),
                limit(order),
                order.status,
                price(order.fill_price),
                money(order.fees),
                text(order.reject_reason),
            )
            for order in found
        ),
        *("placed", "kind", "legs", "limit", "status", "filled at", "fees", "reason"),
        right=("limit", "filled at", "fees"),
    )


def positions(
    context: typer.Context, bot: BotWord, session: SessionWord = "last", as_json: AsJson = False
) -> None:
    """What it holds, against the latest tick."""
    with _below(context, bot, session) as (client, *ids):
        found = client.sessions.positions(*ids)
    if as_json:
        show_json(found)
        return
    show_rows(
        (
            (
                instrument(each.instrument),
                each.direction,
                text(each.quantity),
                money(each.cost_basis),
                price(each.price),
                price(each.delta),
                money(each.unrealized_profit_loss),
                money(each.total_profit_loss),
            )
            for each in found
        ),
        *("instrument", "side", "qty", "cost", "price", "delta", "unrealized", "total"),
        right=("qty", "cost", "price", "delta", "unrealized", "total"),
    )


def transactions(
    context: typer.Context, bot: BotWord, session: SessionWord = "last", as_json: AsJson = False
) -> None:
    """Fills and settlement, as they were booked."""
    with _below(context, bot, session) as (client, *ids):
        found = list(client.sessions.transactions(*ids))
    if as_json:
        show_json(found)
        return
    show_rows(
        (
            (
                clock(each.datetime),
                each.type,
                text(each.quantity),
                instrument(each.instrument),
                f"{money(each.value)} {each.effect}",
                money(each.fees),
            )
            for each in found
        ),
        *("time", "what", "qty", "instrument", "value", "fees"),
        right=("qty", "value", "fees"),
    )


def events(
    context: typer.Context, bot: BotWord, session: SessionWord = "last", as_json: AsJson = False
) -> None:
    """What the runner did and why."""
    with _below(context, bot, session) as (client, *ids):
        found = list(client.sessions.events(*ids))
    if as_json:
        show_json(found)
        return
    show_rows(
        ((clock(each.datetime), each.kind, compact(each.data)) for each in found),
        *("time", "what", "why"),
    )


def decision_log(
    context: typer.Context, bot: BotWord, session: SessionWord = "last", as_json: AsJson = False
) -> None:
    """What the strategy logged and signalled."""
    with _below(context, bot, session) as (client, *ids):
        found = list(client.sessions.decision_log(*ids))
    if as_json:
        show_json(found)
        return
    show_rows(
        (
            (clock(each.datetime), each.kind, each.name or text(each.message), compact(each.data))
            for each in found
        ),
        *("time", "kind", "what", "data"),
    )


def entries(
    context: typer.Context, bot: BotWord, session: SessionWord = "last", as_json: AsJson = False
) -> None:
    """The one outcome of every scheduled entry."""
    with _below(context, bot, session) as (client, *ids):
        found = list(client.sessions.entries(*ids))
    if as_json:
        show_json(found)
        return
    show_rows(
        ((clock(each.scheduled_at), each.outcome, text(each.reason)) for each in found),
        *("scheduled", "outcome", "reason"),
    )


def financials(
    context: typer.Context,
    bot: BotWord,
    session: SessionWord = "last",
    csv: Annotated[bool, typer.Option("--csv", help="As CSV.")] = False,
    interval: Annotated[
        int | None, typer.Option(help="Seconds between rows; else 1, and 900 in the table.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """The account second by second."""
    if csv and as_json:
        raise Failure("Choose one of --csv and --json.")
    with _below(context, bot, session) as (client, *ids):
        if csv:
            out.file.write(client.sessions.financials_csv(*ids, interval=interval))
            return
        step = interval or (None if as_json else INTERVAL_SHOWN_SECONDS)
        found = client.sessions.financials(*ids, interval=step)
    if as_json:
        show_json(found)
        return
    amounts = ("NLV", "cash", "unrealized", "realized", "fees", "P&L")
    show_rows(
        (
            (
                clock(each.datetime),
                money(each.net_liquidation_value),
                money(each.cash),
                money(each.unrealized_profit_loss),
                money(each.realized_profit_loss),
                money(each.fees),
                money(each.profit_loss),
            )
            for each in found
        ),
        *("time", *amounts),
        right=amounts,
    )


def legs(order: Order) -> str:
    """Such as `sell 1 5945 put, buy 1 5920 put`."""
    return ", ".join(
        f"{leg.action.split()[0]} {leg.quantity} {instrument(leg.instrument)}" for leg in order.legs
    )


def limit(order: Order) -> str:
    return order.type if order.price is None else f"{order.price} {text(order.price_effect)}"


def compact(data: dict[str, Any]) -> str:
    return ", ".join(f"{name} {_value(value)}" for name, value in data.items())


def _value(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


@contextmanager
def _below(
    context: typer.Context, bot_word: str, session_word: str
) -> Iterator[tuple[Zerohour, UUID, UUID]]:
    with connect(context) as client:
        bot = find_bot(client, bot_word)
        yield client, bot.id, find_session(client, bot, session_word).session_id
