"""zerohour tokens …"""

from __future__ import annotations

from typing import Annotated

import typer

from zerohour_client.cli.account import PasswordFromStdin, ask_password
from zerohour_client.cli.context import AsJson, connect
from zerohour_client.cli.failures import NOT_FOUND, Failure
from zerohour_client.cli.printing import moment, out, say, show_json, show_rows, text
from zerohour_client.models import Scope

app = typer.Typer(help="Tokens: what your programs sign in with.", no_args_is_help=True)


@app.command("list")
def list_(context: typer.Context, as_json: AsJson = False) -> None:
    """List the tokens that still open something."""
    with connect(context) as client:
        tokens = client.tokens.list()
    if as_json:
        show_json(tokens)
        return
    show_rows(
        (
            (
                str(each.id)[:8],
                text(each.name),
                ", ".join(each.scopes),
                moment(each.last_used_at),
                moment(each.expires_at),
            )
            for each in tokens
        ),
        *("id", "name", "scopes", "last used (New York)", "ends (New York)"),
    )


@app.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Which program it is for.")],
    read_only: Annotated[
        bool, typer.Option("--read-only", help="It may look and change nothing.")
    ] = False,
    password_stdin: PasswordFromStdin = False,
    as_json: AsJson = False,
) -> None:
    """Make a token for a program and print it, this once. Asks for your password."""
    scopes: tuple[Scope, ...] = ("read",) if read_only else ("read", "trade")
    with connect(context) as client:
        email = client.user.get().email
        password = ask_password(from_stdin=password_stdin)
        made = client.tokens.create(email, password, name=name, scopes=scopes)
    if as_json:
        show_json(made)
    else:
        out.file.write(made.token + "\n")


@app.command()
def revoke(
    context: typer.Context,
    token: Annotated[str, typer.Argument(metavar="TOKEN", help="Its id or the id's start.")],
    as_json: AsJson = False,
) -> None:
    """Revoke a token; programs that use it are signed out at once."""
    with connect(context) as client:
        found = [each for each in client.tokens.list() if str(each.id).startswith(token.lower())]
        if len(found) != 1:
            raise Failure(f"{len(found)} of your tokens have an id that starts so.", NOT_FOUND)
        client.tokens.revoke(found[0].id)
    if as_json:
        show_json({"id": found[0].id})
    else:
        say(f"Revoked {found[0].name or found[0].id}.")
