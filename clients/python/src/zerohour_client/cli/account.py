"""login, logout, whoami."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Annotated

import typer

from zerohour_client.cli import credentials
from zerohour_client.cli.context import AsJson, Server, connect, server
from zerohour_client.cli.failures import Failure
from zerohour_client.cli.printing import price, say, show_facts, show_json
from zerohour_client.errors import Unauthorized

PasswordFromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]


def register(app: typer.Typer) -> None:
    app.command()(login)
    app.command()(logout)
    app.command()(whoami)


def login(
    context: typer.Context,
    email: Annotated[str, typer.Argument(help="Asked for if left out.")] = "",
    password_stdin: PasswordFromStdin = False,
    as_json: AsJson = False,
) -> None:
    """Sign in, and keep the token in a file that only you can read."""
    here = server(context)
    email = email or typer.prompt("E-mail")
    with here.anonymous() as client:
        client.sign_in(email, ask_password(from_stdin=password_stdin))
        token, user = client.token, client.user.get()
    credentials.save(here.url, token or "")
    if as_json:
        show_json({"url": here.url, "email": user.email})
    else:
        say(f"Signed in to {here.url} as {user.email}.")


def logout(context: typer.Context, as_json: AsJson = False) -> None:
    """Revoke the token that is kept, and forget it."""
    here = server(context)
    # Signing out is about the token in the file; one of ZEROHOUR_TOKEN belongs to somebody else.
    with Server(here.url).client() as client, suppress(Unauthorized):  # it may have ended already
        client.sign_out()
    credentials.forget(here.url)
    if as_json:
        show_json({"url": here.url})
    else:
        say(f"Signed out of {here.url}.")


def whoami(context: typer.Context, as_json: AsJson = False) -> None:
    """Show your account."""
    with connect(context) as client:
        user = client.user.get()
    if as_json:
        show_json(user)
        return
    fees = user.fee_schedule
    show_facts(
        ("e-mail", user.email),
        ("server", server(context).url),
        ("fees", f"open {fees.open}, close {fees.close}, exercise {fees.exercise}"),
        ("slippage", price(user.slippage)),
    )


def ask_password(*, from_stdin: bool) -> str:
    """From the terminal without showing it, or the first line of standard input."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    if not sys.stdin.isatty():
        raise Failure("There is no terminal to ask for the password on: use --password-stdin.")
    return str(typer.prompt("Password", hide_input=True))
