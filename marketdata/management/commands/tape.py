"""`bin/manage tape import|check|list|export`: recorded days in and out. Needs no database."""

from __future__ import annotations

import json
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand

from common.money import parse_usd, usd
from common.times import rfc3339
from marketdata.tape import Tape, TapeError, csv, load_tape
from marketdata.tape.check import Report, check
from marketdata.tape.parquet import read_metadata, write_tape
from marketdata.tape.store import keep, packed_files


class Command(BaseCommand):
    help = "Import, check, list and export recorded trading days (docs/market-data.md)."
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(
            dest="verb", required=True, metavar="import|check|list|export"
        )
        importing = verbs.add_parser("import", help="pack a day's file and report on it")
        importing.add_argument("file", type=Path)
        importing.add_argument(
            "--out", type=Path, help="the packed file (default: the tape folder)"
        )
        importing.add_argument(
            "--hold",
            type=_seconds,
            metavar="SECONDS",
            help="repeat sparser snapshots every second for at most this long",
        )
        importing.add_argument(
            "--settlement",
            type=_cents,
            metavar="VALUE",
            help="the official close, where the file does not give it",
        )
        checking = verbs.add_parser("check", help="report on a day's file")
        checking.add_argument("file", type=Path)
        checking.add_argument("--json", action="store_true")
        verbs.add_parser("list", help="the packed tapes of the tape folder")
        exporting = verbs.add_parser("export", help="write a day as the long CSV")
        exporting.add_argument("file", type=Path)
        exporting.add_argument(
            "--csv", type=Path, required=True, metavar="OUT", help="a .csv or .csv.gz"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        verb: Callable[[dict[str, Any]], None] = getattr(self, f"_{options['verb']}")
        try:
            verb(options)
        except TapeError as exc:
            self._refuse(str(exc))
        except OSError as exc:
            self._refuse(f"{exc.filename}: {exc.strerror}")

    def _refuse(self, line: str) -> NoReturn:
        """Exactly this line, without Django's own words around it, and status 2."""
        self.stderr.write(line)
        raise SystemExit(2)

    def _import(self, options: dict[str, Any]) -> None:
        tape = load_tape(
            options["file"], hold_seconds=options["hold"], settlement_cents=options["settlement"]
        )
        out: Path | None = options["out"]
        if out is None:
            path, packed = keep(tape, settings.TAPE_DIR)
        else:
            if out.suffix != ".parquet":
                raise TapeError(out, None, None, "a name ending in .parquet")
            path, packed = out, write_tape(tape, out)
        self.stdout.write(_told(packed, check(packed)))
        self.stdout.write(str(path))

    def _check(self, options: dict[str, Any]) -> None:
        tape = load_tape(options["file"])
        report = check(tape)
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), indent=2))
        else:
            self.stdout.write(_told(tape, report))
        if not report.digest_is_right:
            raise TapeError(options["file"], None, None, f"content of digest {tape.digest}")

    def _list(self, options: dict[str, Any]) -> None:
        files = packed_files(settings.TAPE_DIR)
        if not files:
            self.stdout.write(f"no tapes in {settings.TAPE_DIR}")
        for path in files:
            about = read_metadata(path)
            self.stdout.write(
                f"{about['trading_date']}  {about['ticks']:>6} ticks  {about['source']}  {path}"
            )

    def _export(self, options: dict[str, Any]) -> None:
        csv.write_csv(load_tape(options["file"]), options["csv"])
        self.stdout.write(str(options["csv"]))


def _seconds(text: str) -> int:
    if not text.isdecimal() or int(text) > 3600:
        raise ArgumentTypeError("expected whole seconds from 0 to 3600")
    return int(text)


def _cents(text: str) -> int:
    try:
        cents = parse_usd(text)
    except ValueError as exc:
        raise ArgumentTypeError(f"{text!r} {exc}") from exc
    if cents <= 0:
        raise ArgumentTypeError("expected an index value above 0")
    return cents


def _told(tape: Tape, report: Report) -> str:
    cents, source = tape.settlement
    held = f", held for up to {tape.held_seconds} s" if tape.held_seconds else ""
    shown = [f"{seconds} s after {rfc3339(at)}" for at, seconds in report.holes[:5]]
    more = len(report.holes) - len(shown)
    holes = ", ".join(shown) + (f" and {more} more" if more else "")
    difference = cents - report.last_spot_cents
    lines = [
        f"{tape.trading_date}  {tape.source}{held}",
        f"ticks        {report.ticks}, {rfc3339(report.first_at)} to {rfc3339(report.last_at)},"
        f" median gap {report.median_gap_ms / 1000:g} s",
        f"holes        {holes or 'none'}",
        f"quotes       {report.quotes}, up to {report.strikes} strikes; {report.crossed} crossed,"
        f" {report.locked} locked, {report.one_sided} one-sided, {report.off_grid} off the grid,"
        f" {report.zero_bids} zero bids",
        f"parity       forward - spot {report.parity_offset_median_cents / 100:+.2f} (median),"
        f" {report.parity_offset_max_cents / 100:.2f} (largest)",
        f"settlement   {usd(cents)} ({source}), {difference / 100:+.2f} from the last spot",
        f"digest       {tape.digest}{'' if report.digest_is_right else '  DOES NOT MATCH'}",
        *tape.notes,
    ]
    return "\n".join(lines)
