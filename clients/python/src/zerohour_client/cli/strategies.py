"""zerohour strategies …"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, TypedDict

import typer

from zerohour_client.cli.context import AsJson, StrategyWord, Yes, connect, find_strategy
from zerohour_client.cli.failures import BAD_INPUT, Failure
from zerohour_client.cli.printing import (
    moment,
    out,
    say,
    show_facts,
    show_json,
    show_rows,
    text,
)
from zerohour_client.models import Problem

app = typer.Typer(help="Strategies: forms and programs.", no_args_is_help=True)

SourceFile = Annotated[
    str,
    typer.Argument(metavar="FILE", help="A form (.json) or a program (.py); - reads a program."),
]


class _Source(TypedDict, total=False):
    config: dict[str, Any]
    program: str


@app.command("list")
def list_(context: typer.Context, as_json: AsJson = False) -> None:
    """List your saved strategies."""
    with connect(context) as client:
        strategies = list(client.strategies.list())
    if as_json:
        show_json(strategies)
        return
    show_rows(
        (
            (str(each.id)[:8], each.name, each.kind, each.source_hash[:12], moment(each.created_at))
            for each in strategies
        ),
        *("id", "name", "kind", "hash", "saved (New York)"),
    )


@app.command()
def show(
    context: typer.Context,
    strategy: StrategyWord,
    program: Annotated[bool, typer.Option("--program", help="Only the program's text.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show a strategy and the program it runs."""
    with connect(context) as client:
        found = find_strategy(client, strategy)
    if as_json:
        show_json(found)
        return
    if not program:
        show_facts(
            ("name", found.name),
            ("id", str(found.id)),
            ("description", text(found.description)),
            ("privacy", found.privacy),
            ("kind", found.kind),
            ("hash", found.source_hash),
        )
        say("")
    out.file.write(found.program)


@app.command()
def save(
    context: typer.Context,
    file: SourceFile,
    name: Annotated[str, typer.Option(help="Else the file's name.")] = "",
    description: Annotated[str | None, typer.Option(help="What it does.")] = None,
    as_json: AsJson = False,
) -> None:
    """Save a form or a program."""
    source = _read(file)
    with connect(context) as client:
        saved = client.strategies.create(
            name or Path(file).stem,
            config=source.get("config"),
            program=source.get("program"),
            description=description,
        )
    if as_json:
        show_json(saved)
    else:
        say(f"Saved {saved.name} ({saved.id}).")


@app.command()
def preview(context: typer.Context, file: SourceFile, as_json: AsJson = False) -> None:
    """Show what a form compiles to, or the problems of either; nothing is saved."""
    source = _read(file)
    with connect(context) as client:
        found = client.strategies.preview(
            config=source.get("config"), program=source.get("program")
        )
    if as_json:
        show_json(found)
    elif found.problems:
        raise Failure("\n".join(_problem(file, each) for each in found.problems))
    else:
        out.file.write(found.program or "")
    if found.problems:
        raise typer.Exit(BAD_INPUT)


@app.command()
def clone(context: typer.Context, strategy: StrategyWord, as_json: AsJson = False) -> None:
    """Make your own link to a strategy: yours, or a public one by its id."""
    with connect(context) as client:
        made = client.strategies.clone(find_strategy(client, strategy).id)
    if as_json:
        show_json(made)
    else:
        say(f"Cloned {made.name} ({made.id}).")


@app.command()
def delete(
    context: typer.Context, strategy: StrategyWord, yes: Yes = False, as_json: AsJson = False
) -> None:
    """Delete a saved strategy; bots that pinned it keep running it."""
    with connect(context) as client:
        found = find_strategy(client, strategy)
        if not yes:
            typer.confirm(f"Delete {found.name}?", abort=True, err=True)
        client.strategies.delete(found.id)
    if as_json:
        show_json({"id": found.id})
    else:
        say(f"Deleted {found.name}.")


@app.command()
def templates(context: typer.Context, as_json: AsJson = False) -> None:
    """List forms to start from; with --json, whole ones."""
    with connect(context) as client:
        found = client.strategies.templates()
    if as_json:
        show_json(found)
    else:
        show_rows(((each.id, each.name, each.description) for each in found), "id", "name", "what")


def _read(file: str) -> _Source:
    """A .json file is a form; anything else, and standard input, is a program."""
    try:
        content = sys.stdin.read() if file == "-" else Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is no UTF-8"
        raise Failure(f"{file} cannot be read: {reason}.") from exc
    if Path(file).suffix != ".json":
        return {"program": content}
    try:
        config = json.loads(content)
    except ValueError as exc:
        raise Failure(f"{file} is no JSON: {exc}.") from exc
    if not isinstance(config, dict):
        raise Failure(f"{file} must hold one JSON object, the form.")
    # What `strategies show --json` prints can be saved again as it is.
    inner = config.get("config")
    return {"config": inner if isinstance(inner, dict) else config}


def _problem(file: str, problem: Problem) -> str:
    if problem.line is not None:
        return f"{file}:{problem.line}:{problem.column or 1}: {problem.message}"
    return f"{problem.path}: {problem.message}"
