"""zerohour sessions …: start, stop, follow. The reads are in `reads`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from zerohour_client import Zerohour
from zerohour_client.cli import reads
from zerohour_client.cli.context import (
    AsJson,
    BotWord,
    SessionWord,
    connect,
    find_bot,
    find_session,
)
from zerohour_client.cli.failures import BAD_END, WRONG_STATE, Failure
from zerohour_client.cli.live import follow_session
from zerohour_client.cli.printing import (
    moment,
    money,
    percent,
    say,
    show_facts,
    show_json,
    show_rows,
    text,
)
from zerohour_client.models import Bot, Session

app = typer.Typer(help="Sessions: the trading days of a bot.", no_args_is_help=True)
reads.register(app)

Follow = Annotated[bool, typer.Option("--follow", "-f", help="Watch it until it ends.")]
Flatten = Annotated[
    bool, typer.Option("--flatten", help="Close positions at market before it stops.")
]


@app.command("list")
def list_(context: typer.Context, bot: BotWord, as_json: AsJson = False) -> None:
    """List a bot's sessions, newest first."""
    with connect(context) as client:
        sessions = client.sessions.list(find_bot(client, bot).id)
    if as_json:
        show_json(sessions)
    else:
        show_list(sessions)


def show_list(sessions: Sequence[Session]) -> None:
    show_rows(
        (
            (
                str(each.date),
                str(each.session_id)[:8],
                each.status,
                money(each.opening_balance),
                text(each.fill_count),
                money(each.total_fees),
                money(each.total_pl),
                text(each.status_reason),
            )
            for each in sessions
        ),
        *("date", "id", "status", "opened with", "fills", "fees", "P&L", "reason"),
        right=("opened with", "fills", "fees", "P&L"),
    )


@app.command()
def show(
    context: typer.Context, bot: BotWord, session: SessionWord = "last", as_json: AsJson = False
) -> None:
    """Show one session."""
    with connect(context) as client:
        found = find_session(client, find_bot(client, bot), session)
    if as_json:
        show_json(found)
    else:
        _show(found)


@app.command()
def start(
    context: typer.Context, bot: BotWord, follow: Follow = False, as_json: AsJson = False
) -> None:
    """Start today's session; today is the market's."""
    with connect(context) as client:
        found = find_bot(client, bot)
        started = client.sessions.start(found.id)
        if follow:
            _follow(client, found, started, as_json=as_json)
        elif as_json:
            show_json(started)
        else:
            say(f"Started the session of {started.date} ({started.session_id}).")


@app.command()
def follow(
    context: typer.Context, bot: BotWord, session: SessionWord = "last", as_json: AsJson = False
) -> None:
    """Watch a session live until it ends; with --json, one event a line."""
    with connect(context) as client:
        found = find_bot(client, bot)
        _follow(client, found, find_session(client, found, session), as_json=as_json)


@app.command()
def stop(
    context: typer.Context,
    bot: BotWord,
    session: SessionWord = "last",
    flatten: Flatten = False,
    as_json: AsJson = False,
) -> None:
    """Stop a session at its next tick; what it holds settles at the close."""
    with connect(context) as client:
        found = find_bot(client, bot)
        asked = find_session(client, found, session)
        _tell_stopping(
            client.sessions.stop(found.id, asked.session_id, flatten=flatten), as_json=as_json
        )


def stop_last(
    context: typer.Context, bot: BotWord, flatten: Flatten = False, as_json: AsJson = False
) -> None:
    """Stop the session that is running."""
    with connect(context) as client:
        found = find_bot(client, bot)
        active = found.active_session
        if active is None:
            raise Failure(f"{found.name} has no running session.", WRONG_STATE)
        _tell_stopping(
            client.sessions.stop(found.id, active.session_id, flatten=flatten), as_json=as_json
        )


@app.command()
def cancel_all(
    context: typer.Context, bot: BotWord, session: SessionWord = "last", as_json: AsJson = False
) -> None:
    """Cancel its open orders; it keeps running."""
    with connect(context) as client:
        found = find_bot(client, bot)
        asked = find_session(client, found, session)
        after = client.sessions.cancel_all_orders(found.id, asked.session_id)
    if as_json:
        show_json(after)
    else:
        say("Its open orders are canceled at the next tick.")


def _follow(client: Zerohour, bot: Bot, session: Session, *, as_json: bool) -> None:
    """Ends the command with the status that tells how the session ended."""
    try:
        ended = follow_session(client, bot, session, as_json=as_json)
    except KeyboardInterrupt:
        if not as_json:
            say(f"The session goes on; zerohour sessions follow {str(bot.id)[:8]} comes back.")
        raise
    if not as_json:
        _show(ended)
    if ended.status in ("halted", "failed"):
        raise typer.Exit(BAD_END)


def _tell_stopping(session: Session, *, as_json: bool) -> None:
    if as_json:
        show_json(session)
    else:
        say(f"The session of {session.date} is {session.status}.")


def _show(session: Session) -> None:
    show_facts(
        ("session", f"{session.session_id} of {session.date}"),
        ("status", session.status),
        ("reason", text(session.status_reason)),
        ("strategy", session.strategy.name),
        ("opened with", money(session.opening_balance)),
        ("started", moment(session.started_at)),
        ("ended", moment(session.ended_at)),
        ("settled", _settled(session)),
        ("ticks, errors", f"{session.tick_count}, {session.error_count}"),
        ("orders, fills", f"{text(session.order_count)}, {text(session.fill_count)}"),
        ("fees", money(session.total_fees)),
        ("P&L", money(session.total_pl)),
        ("final balance", money(session.final_nlv)),
        (
            "max drawdown",
            f"{money(session.max_intraday_dd)} {percent(session.max_intraday_dd_pct)}",
        ),
    )


def _settled(session: Session) -> str:
    if session.is_terminal and not session.is_settled:
        return "at the close"
    return moment(session.settled_at)
