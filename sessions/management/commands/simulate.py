"""bin/manage simulate: one session a tape, through the engine of a live session (tape.md)."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any

import orjson
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import Progress

from common.money import parse_usd, usd
from marketdata.tape.load import load_tape
from marketdata.tape.model import TapeError
from sessions.days import (
    Advance,
    DayResult,
    FailedTape,
    Plan,
    run_carrying,
    run_side_by_side,
    run_tape,
    summary_of,
)
from simengine.fees import FeeSchedule
from simengine.policy import Policy, PolicyError
from strategies.compiler import compile_form
from strategies.form import InvalidForm, normalise
from strategies.runtime.program import InvalidProgram, parse_program
from strategies.runtime.sandbox import SandboxUnavailable

BAD_INPUT = 2
SETTLED_AT = {"official": "the official close", "last_spot": "the last spot (no official close)"}
TAPE_SUFFIXES = (".csv", ".csv.gz", ".parquet")


class Command(BaseCommand):
    help = (
        "Run a strategy over recorded days with the engine of a live session. Several days run one"
        " after the other, each from the balance of the one before; with --side-by-side at the same"
        " time, each from the same capital."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tape", action="append", required=True, help="a tape or a folder")
        parser.add_argument("--strategy", required=True, help="FORM.json or PROGRAM.py")
        parser.add_argument("--policy", help="the bot's policy fields and reprice, as JSON")
        parser.add_argument("--capital", default="25000", help="dollars; default 25000")
        parser.add_argument("--slippage", default="0.05", help="dollars per order; default 0.05")
        parser.add_argument("--fees", help='JSON: {"open": "1.72", "close": …, "exercise": …}')
        parser.add_argument("--hold", type=int, default=None, help="seconds to hold a snapshot")
        parser.add_argument(
            "--side-by-side",
            action="store_true",
            help="every day from the same capital, as many at a time as there are cores",
        )
        parser.add_argument("--processes", type=int, help="days at a time; default one a core")
        parser.add_argument("--json", dest="out", help="write the whole result here; - is stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with tempfile.TemporaryDirectory() as folder:
                results, failed = self._run(options, Path(folder) if options["out"] else None)
                if options["out"]:
                    self._write(results, failed, options["out"])
        except (TapeError, BadInput) as error:
            raise CommandError(one_line(error), returncode=BAD_INPUT) from error
        except InvalidProgram as error:
            place = f"{options['strategy']}:{error.line or 1}"
            raise CommandError(f"{place}: {one_line(error)}", returncode=BAD_INPUT) from error
        except SandboxUnavailable as error:
            raise CommandError(f"no sandbox for the program: {error}") from error
        except BrokenProcessPool as error:
            raise CommandError("the system ended a worker; try fewer --processes") from error
        if options["out"] != "-":
            self._print_table(results)
        for tape in failed:
            self.stderr.write(tape.reason)
        if failed:
            ran = len(results) + len(failed)
            message = f"{len(failed)} of {ran} tapes could not be used"
            raise CommandError(message, returncode=BAD_INPUT)

    def _run(
        self, options: dict[str, Any], documents: Path | None
    ) -> tuple[list[DayResult], list[FailedTape]]:
        paths = list(tape_files(options["tape"]))
        plan = read_plan(options, documents)
        if len(paths) == 1:
            return [_run_one(paths[0], plan)], []
        if options["processes"] is not None and options["processes"] < 1:
            raise BadInput("--processes: expected a number from 1")
        watch = partial(_progress, "days")
        if options["side_by_side"]:
            return run_side_by_side(paths, plan, processes=options["processes"], watch=watch)
        return run_carrying(paths, plan, watch=watch)

    def _write(self, results: Sequence[DayResult], failed: Sequence[FailedTape], out: str) -> None:
        if out == "-":
            write_documents(results, failed, sys.stdout.buffer)
            return
        try:
            with Path(out).open("wb") as file:
                write_documents(results, failed, file)
        except OSError as error:
            raise CommandError(f"{out}: {error.strerror}", returncode=BAD_INPUT) from error

    def _print_table(self, results: Sequence[DayResult]) -> None:
        for day in results:
            self.stdout.write(
                f"{day.trading_date}  {day.status:<9}  orders {day.order_count}"
                f"  fills {day.fill_count}  fees {usd(day.fees_cents)}"
                f"  total P&L {usd(day.total_pl_cents)}"
                f"  balance {usd(day.final_nlv_cents)}"
                f"  settled at {SETTLED_AT[day.settlement_source]} {usd(day.settlement_cents)}"
            )
            if day.status_reason:
                self.stdout.write(f"            {day.status_reason}")
        if len(results) > 1:
            self._print_summary(results)

    def _print_summary(self, results: Sequence[DayResult]) -> None:
        total = summary_of(results)
        rows = {
            "days": f"{total.days}",
            "wins": f"{total.wins} ({100 * total.wins / total.days:.1f} %)",
            "total P&L": usd(total.total_cents),
            "best day": f"{usd(total.best.total_pl_cents)} on {total.best.trading_date}",
            "worst day": f"{usd(total.worst.total_pl_cents)} on {total.worst.trading_date}",
            "drawdown": f"{usd(total.drawdown_cents)} from day to day,"
            f" {usd(total.intraday_drawdown_cents)} within one",
            "fees": usd(total.fees_cents),
        }
        self.stdout.write("")
        for label, value in rows.items():
            self.stdout.write(f"{label:<10} {value}")


def write_documents(
    results: Sequence[DayResult], failed: Sequence[FailedTape], file: IO[bytes]
) -> None:
    """One day's document as it is; of several, {"days": […]}, and the failed tapes if any."""
    several = len(results) + len(failed) > 1
    file.write(b'{"days": [\n' if several else b"")
    for number, result in enumerate(results):
        assert result.document is not None, "the plan asked for documents"
        file.write(b",\n" if number else b"")
        with result.document.open("rb") as document:
            shutil.copyfileobj(document, file)
    if several:
        rows = [{"tape": tape.tape, "reason": tape.reason} for tape in failed]
        file.write(b'\n], "failed": ' + orjson.dumps(rows) if rows else b"\n]")
        file.write(b"}")
    file.write(b"\n")


def _run_one(path: Path, plan: Plan) -> DayResult:
    """With a bar that moves within the day. Raises TapeError."""
    tape = load_tape(path, hold_seconds=plan.hold_seconds)
    with _progress(f"{tape.trading_date}", len(tape.ticks)) as advance:

        def on_tick(done: int) -> None:
            if done % 200 == 0:
                advance(200)

        return run_tape(tape, str(path), 0, plan, balance_cents=plan.balance_cents, on_tick=on_tick)


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


def read_plan(options: dict[str, Any], documents: Path | None) -> Plan:
    program, name = read_strategy(Path(options["strategy"]))
    return Plan(
        program=program,
        strategy_name=name,
        policy=read_policy(options["policy"]),
        balance_cents=_money(options["capital"], "--capital"),
        slippage_cents=_money(options["slippage"], "--slippage"),
        fees=read_fees(options["fees"]),
        hold_seconds=options["hold"],
        documents=documents,
    )


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
def _progress(label: str, total: int) -> Iterator[Advance]:
    """A bar on a terminal, nothing elsewhere. Gives what moves it on."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task(label, total=total)
        yield lambda steps: progress.advance(task, steps)
