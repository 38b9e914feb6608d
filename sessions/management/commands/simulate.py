"""bin/manage simulate: one session a tape, through the engine of a live session (tape.md)."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import Progress

from common.money import parse_usd, usd
from marketdata.tape.load import load_tape
from marketdata.tape.model import Tape, TapeError
from sessions.simulate import Setup, SimulatedDay, as_json, simulate
from simengine.fees import FeeSchedule
from simengine.policy import Policy, PolicyError
from strategies.compiler import compile_form
from strategies.form import InvalidForm, normalise
from strategies.runtime.program import InvalidProgram, parse_program, source_hash
from strategies.runtime.sandbox import Sandbox, SandboxUnavailable

BAD_INPUT = 2
SETTLED_AT = {"official": "the official close", "last_spot": "the last spot (no official close)"}
TAPE_SUFFIXES = (".csv", ".csv.gz", ".parquet")


class Command(BaseCommand):
    help = "Run a strategy over recorded days with the engine of a live session."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tape", action="append", required=True, help="a tape or a folder")
        parser.add_argument("--strategy", required=True, help="FORM.json or PROGRAM.py")
        parser.add_argument("--policy", help="the bot's policy fields and reprice, as JSON")
        parser.add_argument("--capital", default="25000", help="dollars; default 25000")
        parser.add_argument("--slippage", default="0.05", help="dollars per order; default 0.05")
        parser.add_argument("--fees", help='JSON: {"open": "1.72", "close": …, "exercise": …}')
        parser.add_argument("--hold", type=int, default=None, help="seconds to hold a snapshot")
        parser.add_argument("--json", dest="out", help="write the whole result here; - is stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            days = self._run(options)
        except (TapeError, BadInput) as error:
            raise CommandError(one_line(error), returncode=BAD_INPUT) from error
        except SandboxUnavailable as error:
            raise CommandError(f"no sandbox for the program: {error}") from error
        if options["out"]:
            self._write(days, options["out"])
        if options["out"] != "-":
            self._print_table(days)

    def _run(self, options: dict[str, Any]) -> list[SimulatedDay]:
        tapes = sorted(
            (load_tape(path, hold_seconds=options["hold"]) for path in tape_files(options["tape"])),
            key=lambda tape: tape.trading_date,
        )
        program, name = read_strategy(Path(options["strategy"]))
        balance_cents = _money(options["capital"], "--capital")
        days = []
        with Sandbox() as sandbox:
            strategy = sandbox.strategy(program)
            for tape in tapes:
                setup = Setup(
                    source_hash=source_hash(program),
                    strategy_name=name,
                    strategy=strategy,
                    policy=read_policy(options["policy"]),
                    opening_balance_cents=balance_cents,
                    slippage_cents=_money(options["slippage"], "--slippage"),
                    fees=read_fees(options["fees"]),
                )
                with _progress(tape) as on_tick:
                    day = simulate(tape, setup, on_tick=on_tick)
                balance_cents = day.session.final_nlv_cents or 0
                days.append(day)
        return days

    def _write(self, days: list[SimulatedDay], out: str) -> None:
        documents = [as_json(day) for day in days]
        document = documents[0] if len(documents) == 1 else {"days": documents}
        data = orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n"
        if out == "-":
            sys.stdout.buffer.write(data)
            return
        try:
            Path(out).write_bytes(data)
        except OSError as error:
            raise CommandError(f"{out}: {error.strerror}", returncode=BAD_INPUT) from error

    def _print_table(self, days: list[SimulatedDay]) -> None:
        for day in days:
            session = day.session
            self.stdout.write(
                f"{session.trading_date}  {session.status:<9}  orders {session.order_count}"
                f"  fills {session.fill_count}  fees {usd(session.total_fees_cents or 0)}"
                f"  total P&L {usd(session.total_pl_cents or 0)}"
                f"  balance {usd(session.final_nlv_cents or 0)}"
                f"  settled at {SETTLED_AT[day.settlement_source]}"
                f" {usd(day.tape.settlement[0])}"
            )
            if session.status_reason:
                self.stdout.write(f"            {session.status_reason}")


class BadInput(Exception):
    """A file or value that cannot be used: which, where and what was expected."""


def one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def tape_files(given: list[str]) -> Iterator[Path]:
    """The files named and those of the folders named. Raises BadInput for an empty folder."""
    for name in given:
        path = Path(name)
        if not path.is_dir():
            yield path
            continue
        files = sorted(item for item in path.iterdir() if item.name.endswith(TAPE_SUFFIXES))
        if not files:
            raise BadInput(f"{path}: expected tapes ({', '.join(TAPE_SUFFIXES)}) in this folder")
        yield from files


def read_strategy(path: Path) -> tuple[str, str]:
    """(program text, name) of a form (.json) or a program."""
    text = _read(path)
    try:
        if path.suffix == ".json":
            text = compile_form(normalise(_json(path, text)))
        parse_program(text)
    except InvalidForm as error:
        where, reasons = next(iter(error.problems.items()))
        raise BadInput(f"{path}: {where}: {reasons[0]}") from error
    except InvalidProgram as error:
        raise BadInput(f"{path}:{error.line or 1}: {error}") from error
    return text, path.stem


def read_policy(name: str | None) -> Policy:
    if name is None:
        return Policy()
    raw = _json(Path(name), _read(Path(name)))
    if not isinstance(raw, dict):
        raise BadInput(f"{name}: expected an object of policy fields")
    try:
        return Policy.from_json(raw)
    except PolicyError as error:
        raise BadInput(f"{name}: {error}") from error


def read_fees(name: str | None) -> FeeSchedule:
    if name is None:
        return FeeSchedule()
    raw = _json(Path(name), _read(Path(name)))
    known = {"open", "close", "exercise"}
    if not isinstance(raw, dict) or not set(raw) <= known:
        raise BadInput(f"{name}: expected an object with {', '.join(sorted(known))}")
    return FeeSchedule(
        **{f"{key}_cents": _money(value, f"{name}: {key}") for key, value in raw.items()}
    )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: expected UTF-8 text, byte {error.start} is not") from error


def _json(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise BadInput(f"{path}:{error.lineno}: column {error.colno}: {error.msg}") from error


def _money(value: Any, what: str) -> int:
    try:
        cents = parse_usd(value)
    except ValueError as error:
        raise BadInput(f"{what}: {error}") from error
    if cents < 0:
        raise BadInput(f"{what}: must not be negative")
    return cents


@contextmanager
def _progress(tape: Tape) -> Iterator[Callable[[int], None] | None]:
    """A bar on a terminal, nothing elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task(f"{tape.trading_date}", total=len(tape.ticks))

        def on_tick(done: int) -> None:
            if done % 200 == 0:
                progress.update(task, completed=done)

        yield on_tick
