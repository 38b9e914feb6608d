"""What every command shares: the server, the token, options, and how words become ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, TypeVar, cast
from uuid import UUID

import typer

from zerohour_client import Zerohour
from zerohour_client.cli import credentials
from zerohour_client.cli.failures import NOT_ALLOWED, NOT_FOUND, Failure
from zerohour_client.models import Bot, Session, Strategy

Found = TypeVar("Found")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
BotWord = Annotated[str, typer.Argument(metavar="BOT", help="Name, id, or the start of the id.")]
SessionWord = Annotated[
    str,
    typer.Argument(metavar="[SESSION]", help="Trading date, id, the start of the id, or 'last'."),
]
StrategyWord = Annotated[
    str, typer.Argument(metavar="STRATEGY", help="Name, id, or the start of the id.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@dataclass
class Server:
    """The server of this run. Its repr shows no token."""

    url: str
    given_token: str | None = field(default=None, repr=False)

    def client(self) -> Zerohour:
        """Signed in. Raises Failure without a token."""
        token = self.given_token or credentials.load(self.url)
        if token is None:
            sentence = f"Not signed in to {self.url}: run zerohour login, or set ZEROHOUR_TOKEN."
            raise Failure(sentence, NOT_ALLOWED)
        return Zerohour(self.url, token)

    def anonymous(self) -> Zerohour:
        return Zerohour(self.url)


def server(context: typer.Context) -> Server:
    return cast(Server, context.find_root().obj)


def connect(context: typer.Context) -> Zerohour:
    return server(context).client()


def as_id(word: str) -> UUID | None:
    try:
        return UUID(word)
    except ValueError:
        return None


def find_bot(client: Zerohour, word: str) -> Bot:
    """By id, name or the start of an id. Raises Failure for none or several."""
    whole = as_id(word)
    if whole is not None:
        return client.bots.get(whole).bot
    bots = list(client.bots.list())
    named = [bot for bot in bots if bot.name == word]
    active = [bot for bot in named if bot.status != "archived"]  # their names are unique
    return _only(
        active or named or [bot for bot in bots if str(bot.id).startswith(word.lower())],
        what="bot",
        word=word,
        names=[bot.name for bot in bots],
    )


def find_strategy(client: Zerohour, word: str) -> Strategy:
    """By id, name or the start of an id. Raises Failure for none or several."""
    whole = as_id(word)
    if whole is not None:
        return client.strategies.get(whole)
    strategies = list(client.strategies.list())
    named = [each for each in strategies if each.name == word]
    return _only(
        named or [each for each in strategies if str(each.id).startswith(word.lower())],
        what="strategy",
        word=word,
        names=[each.name for each in strategies],
    )


def find_session(client: Zerohour, bot: Bot, word: str) -> Session:
    """By id, start of an id, trading date or `last`. Raises Failure for none or several."""
    whole = as_id(word)
    if whole is not None:
        return client.sessions.get(bot.id, whole)
    sessions = client.sessions.list(bot.id)
    if word == "last":
        found = sessions[:1]
    else:
        found = [
            each
            for each in sessions
            if str(each.date) == word or str(each.session_id).startswith(word.lower())
        ]
    dates = [str(each.date) for each in sessions]
    return _only(found, what=f"session of {bot.name}", word=word, names=dates)


def _only(found: Sequence[Found], *, what: str, word: str, names: Sequence[str]) -> Found:
    if len(found) == 1:
        return found[0]
    if found:
        raise Failure(f"{len(found)} fit {word!r}: give the whole id of the {what}.")
    known = ", ".join(dict.fromkeys(names[:8])) + (", …" if len(names) > 8 else "")
    raise Failure(
        f"No {what} is called {word!r}: there is {known}." if known else f"There is no {what} yet.",
        NOT_FOUND,
    )
