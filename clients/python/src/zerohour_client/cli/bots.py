"""zerohour bots …"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, TypedDict

import typer

from zerohour_client.cli import sessions
from zerohour_client.cli.context import AsJson, BotWord, Yes, connect, find_bot, find_strategy
from zerohour_client.cli.failures import Failure
from zerohour_client.cli.printing import (
    NOTHING,
    moment,
    money,
    percent,
    say,
    show_facts,
    show_json,
    show_rows,
    text,
)
from zerohour_client.models import Bot, DayResult

app = typer.Typer(help="Bots: accounts that run a strategy.", no_args_is_help=True)

Description = Annotated[str | None, typer.Option(help="What it is for.")]
MaxDailyLoss = Annotated[
    str | None, typer.Option("--max-daily-loss-pct", help="A ratio: 0.0200 is 2 %.")
]
MaxPositions = Annotated[int | None, typer.Option("--max-open-positions", help="In trades.")]
MaxOrders = Annotated[int | None, typer.Option("--max-open-orders", help="Pending orders.")]
Staleness = Annotated[
    int | None, typer.Option("--data-staleness-threshold-ms", help="Milliseconds.")
]
AutoPause = Annotated[
    bool | None,
    typer.Option("--auto-pause/--no-auto-pause", help="Halt when the error budget is spent."),
]
ErrorBudget = Annotated[int | None, typer.Option("--error-budget", help="Errors a day.")]
Reprice = Annotated[
    str | None,
    typer.Option(help='JSON to merge, such as {"opening": {"max_concession": "0.10"}}.'),
]
AutoStart = Annotated[
    bool | None, typer.Option("--auto-start/--no-auto-start", help="Start each day by itself.")
]
Weekdays = Annotated[str | None, typer.Option(help="For --auto-start: mon,tue,wed,thu,fri.")]
Status = Literal["idle", "archived"]


@app.command("list")
def list_(
    context: typer.Context,
    status: Annotated[Status | None, typer.Option(help="Only these.")] = None,
    strategy: Annotated[str | None, typer.Option(help="Only those of a strategy.")] = None,
    as_json: AsJson = False,
) -> None:
    """List your bots."""
    with connect(context) as client:
        link = find_strategy(client, strategy).id if strategy else None
        bots = list(client.bots.list(status=status, strategy_id=link))
    if as_json:
        show_json(bots)
        return
    show_rows(
        (
            (str(bot.id)[:8], bot.name, bot.runtime_status, money(bot.cash_balance), _last(bot))
            for bot in bots
        ),
        *("id", "name", "status", "balance", "last day"),
        right=("balance", "last day"),
    )


@app.command()
def show(context: typer.Context, bot: BotWord, as_json: AsJson = False) -> None:
    """Show a bot and its sessions."""
    with connect(context) as client:
        whole = client.bots.get(find_bot(client, bot).id)
    if as_json:
        show_json(whole)
        return
    _show_bot(whole.bot)
    say("")
    sessions.show_list(list(whole.sessions))


@app.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Unique among your active bots.")],
    strategy: Annotated[str, typer.Option("--strategy", "-s", help="Name or id.")],
    capital: Annotated[str, typer.Option("--capital", "-c", help="Dollars to start with.")],
    description: Description = None,
    max_daily_loss_pct: MaxDailyLoss = None,
    max_open_positions: MaxPositions = None,
    max_open_orders: MaxOrders = None,
    data_staleness_threshold_ms: Staleness = None,
    auto_pause: AutoPause = None,
    error_budget: ErrorBudget = None,
    reprice: Reprice = None,
    auto_start: AutoStart = None,
    weekdays: Weekdays = None,
    as_json: AsJson = False,
) -> None:
    """Make a bot from a saved strategy."""
    with connect(context) as client:
        bot = client.bots.create(
            name,
            find_strategy(client, strategy).id,
            capital,
            description=description,
            max_daily_loss_pct=max_daily_loss_pct,
            max_open_positions=max_open_positions,
            max_open_orders=max_open_orders,
            data_staleness_threshold_ms=data_staleness_threshold_ms,
            auto_pause_on_error=auto_pause,
            error_budget=error_budget,
            reprice=_reprice(reprice),
            schedule=_schedule(auto_start, weekdays),
        )
    _tell(bot, f"Made {bot.name} ({bot.id}).", as_json=as_json)


@app.command()
def update(
    context: typer.Context,
    bot: BotWord,
    name: Annotated[str | None, typer.Option(help="A new name.")] = None,
    description: Description = None,
    max_daily_loss_pct: MaxDailyLoss = None,
    max_open_positions: MaxPositions = None,
    max_open_orders: MaxOrders = None,
    data_staleness_threshold_ms: Staleness = None,
    auto_pause: AutoPause = None,
    error_budget: ErrorBudget = None,
    reprice: Reprice = None,
    auto_start: AutoStart = None,
    weekdays: Weekdays = None,
    as_json: AsJson = False,
) -> None:
    """Change what is given; the policy applies to the next session."""
    with connect(context) as client:
        changed = client.bots.update(
            find_bot(client, bot).id,
            name=name,
            description=description,
            max_daily_loss_pct=max_daily_loss_pct,
            max_open_positions=max_open_positions,
            max_open_orders=max_open_orders,
            data_staleness_threshold_ms=data_staleness_threshold_ms,
            auto_pause_on_error=auto_pause,
            error_budget=error_budget,
            reprice=_reprice(reprice),
            schedule=_schedule(auto_start, weekdays),
        )
    _tell(changed, f"Changed {changed.name}.", as_json=as_json)


@app.command()
def archive(context: typer.Context, bot: BotWord, as_json: AsJson = False) -> None:
    """Put a bot away; it keeps everything and starts no more."""
    with connect(context) as client:
        changed = client.bots.update(find_bot(client, bot).id, status="archived")
    _tell(changed, f"Archived {changed.name}.", as_json=as_json)


@app.command()
def unarchive(context: typer.Context, bot: BotWord, as_json: AsJson = False) -> None:
    """Take an archived bot out again."""
    with connect(context) as client:
        changed = client.bots.update(find_bot(client, bot).id, status="idle")
    _tell(changed, f"{changed.name} is active again.", as_json=as_json)


@app.command()
def delete(context: typer.Context, bot: BotWord, yes: Yes = False, as_json: AsJson = False) -> None:
    """Delete a bot with all its sessions."""
    with connect(context) as client:
        found = find_bot(client, bot)
        if not yes:
            typer.confirm(f"Delete {found.name} and all its sessions?", abort=True, err=True)
        client.bots.delete(found.id)
    if as_json:
        show_json({"id": found.id})
    else:
        say(f"Deleted {found.name}.")


@app.command()
def summary(context: typer.Context, bot: BotWord, as_json: AsJson = False) -> None:
    """How a bot did over its settled sessions."""
    with connect(context) as client:
        found = client.bots.summary(find_bot(client, bot).id)
    if as_json:
        show_json(found)
        return
    rate = NOTHING if found.win_rate_pct is None else f"{found.win_rate_pct} %"
    show_facts(
        ("sessions", f"{found.total_sessions} ({found.win_count} won, {found.loss_count} lost)"),
        ("win rate", rate),
        ("total P&L", money(found.total_pl)),
        ("average day", money(found.average_day_pl)),
        ("best day", _day(found.best_day)),
        ("worst day", _day(found.worst_day)),
    )


app.command("start")(sessions.start)
app.command("stop")(sessions.stop_last)


def _show_bot(bot: Bot) -> None:
    show_facts(
        ("name", bot.name),
        ("id", str(bot.id)),
        ("description", text(bot.description)),
        ("status", bot.runtime_status),
        ("strategy", f"{bot.strategy.name} ({bot.strategy.kind} {bot.strategy.source_hash[:12]})"),
        ("balance", f"{money(bot.cash_balance)} of {money(bot.starting_capital)}"),
        ("daily-loss cap", percent(bot.max_daily_loss_pct)),
        ("limits", f"{bot.max_open_positions} positions, {bot.max_open_orders} orders"),
        ("stale after", f"{bot.data_staleness_threshold_ms} ms"),
        ("error budget", f"{bot.error_budget}, {_at_end_of_budget(bot)}"),
        ("entries concede", f"up to {bot.reprice.opening.max_concession}"),
        ("starts by itself", _when(bot)),
        ("made", moment(bot.created_at)),
    )


def _at_end_of_budget(bot: Bot) -> str:
    return "then halts" if bot.auto_pause_on_error else "then goes on"


def _when(bot: Bot) -> str:
    return ", ".join(bot.schedule.weekdays) if bot.schedule.auto_start else "no"


def _last(bot: Bot) -> str:
    return money(bot.last_session.total_pl) if bot.last_session else NOTHING


def _day(day: DayResult | None) -> str:
    return NOTHING if day is None else f"{day.date} {money(day.total_pl)}"


def _tell(bot: Bot, line: str, *, as_json: bool) -> None:
    if as_json:
        show_json(bot)
    else:
        say(line)


class _Schedule(TypedDict, total=False):
    auto_start: bool
    weekdays: list[str]


def _schedule(auto_start: bool | None, weekdays: str | None) -> _Schedule | None:
    given: _Schedule = {}
    if auto_start is not None:
        given["auto_start"] = auto_start
    if weekdays is not None:
        given["weekdays"] = [day.strip().lower() for day in weekdays.split(",")]
    return given or None


def _reprice(given: str | None) -> dict[str, Any] | None:
    if given is None:
        return None
    try:
        found = json.loads(given)
    except ValueError as exc:
        raise Failure(f"--reprice is no JSON: {exc}.") from exc
    if not isinstance(found, dict):
        raise Failure('--reprice must be an object such as {"opening": {"enabled": false}}.')
    return found
