"""The root of the commands, and what an error becomes."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from zerohour_client._settings import DEFAULT_URL, check_url
from zerohour_client.cli import account, bots, market, sessions, strategies, tokens
from zerohour_client.cli.context import Server
from zerohour_client.cli.failures import Failure, sentence, status_of
from zerohour_client.cli.printing import err
from zerohour_client.errors import ZerohourError

EXIT_STATUSES = (
    "Exit status: 0 done, 2 bad input, 3 sign in first or not allowed, 4 not found, 5 the state "
    "forbids it, 6 the server cannot be reached, 7 a followed session ended halted or failed, "
    "1 anything else."
)

app = typer.Typer(
    help="Run saved 0DTE SPX strategies as paper-trading bots.",
    epilog=EXIT_STATUSES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
account.register(app)
app.add_typer(bots.app, name="bots")
app.add_typer(strategies.app, name="strategies")
app.add_typer(sessions.app, name="sessions")
app.add_typer(market.app, name="market")
app.add_typer(tokens.app, name="tokens")


@app.callback()
def _root(
    context: typer.Context,
    url: Annotated[
        str, typer.Option(envvar="ZEROHOUR_URL", help="Address of the server.")
    ] = DEFAULT_URL,
) -> None:
    try:
        check_url(url)
    except ValueError as exc:
        raise typer.BadParameter(str(exc), param_hint="--url") from exc
    site = url.rstrip("/").removesuffix("/api")
    context.obj = Server(site, os.environ.get("ZEROHOUR_TOKEN") or None)


def main() -> None:
    """Run the command line and end the process with its status."""
    try:
        app(prog_name="zerohour")
    except (Failure, ZerohourError) as error:
        err.print(sentence(error), markup=False)
        sys.exit(status_of(error))
