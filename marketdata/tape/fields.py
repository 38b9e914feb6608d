"""Reading one field of a text file: exact, or a TapeError that names file, line and column."""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from common.times import to_ms
from marketdata.tape.model import TapeError

_AMOUNT = re.compile(r"(\d{1,7})(?:\.(\d{1,2})0*)?", re.ASCII)
_UNIT = re.compile(r"(?:0(?:\.\d*)?|1(?:\.0*)?|\.\d+)", re.ASCII)
MAX_FIELD_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file; `refuse` ends the reading of it."""

    file: Path
    line: int

    def refuse(self, column: str | None, expected: str) -> TapeError:
        return TapeError(self.file, self.line, column, expected)

    def cents(self, column: str, text: str) -> int:
        """Cents of an unsigned decimal with at most two places: "4.10" -> 410."""
        match = _AMOUNT.fullmatch(text)
        if match is None:
            raise self.refuse(
                column, f"a number such as 4.10, two decimals at most, and found {shown(text)}"
            )
        return int(match[1]) * 100 + int((match[2] or "0").ljust(2, "0"))

    def positive_cents(self, column: str, text: str) -> int:
        cents = self.cents(column, text)
        if cents == 0:
            raise self.refuse(column, "a number above 0")
        return cents

    def unit_e4(self, column: str, text: str) -> int:
        """A number from 0 to 1, x 10000, rounded."""
        if not _UNIT.fullmatch(text):
            raise self.refuse(column, f"a number from 0 to 1 and found {shown(text)}")
        return round(float(text) * 10_000)

    def at_ms(self, column: str, text: str) -> int:
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            at = None
        if at is None or at.tzinfo is None:
            raise self.refuse(
                column, f"a time with its zone such as 2026-05-07T13:30:00Z and found {shown(text)}"
            )
        return to_ms(at)


def shown(text: str) -> str:
    """What was found, quoted and short enough for one line."""
    if not text:
        return "nothing"
    return repr(text if len(text) <= 30 else text[:27] + "...")


def rows(path: Path) -> Iterator[tuple[Place, list[str]]]:
    """The rows of a .csv or .csv.gz, each with its line; blank lines are skipped."""
    try:
        with _opened(path) as stream:
            reader = csv.reader(stream)
            for row in reader:
                place = Place(path, reader.line_num)
                if row and any(len(text) > MAX_FIELD_CHARACTERS for text in row):
                    raise place.refuse(None, f"fields of at most {MAX_FIELD_CHARACTERS} characters")
                if row:
                    yield place, row
    except UnicodeDecodeError as exc:
        raise TapeError(path, None, None, f"UTF-8 text ({exc.reason})") from exc
    except csv.Error as exc:
        raise TapeError(path, reader.line_num, None, f"comma-separated values ({exc})") from exc
    except (gzip.BadGzipFile, EOFError, zlib.error) as exc:
        raise TapeError(path, None, None, f"a whole gzip file ({exc})") from exc
    except OSError as exc:
        raise TapeError(path, None, None, f"a readable file ({exc.strerror or exc})") from exc


def header(path: Path) -> list[str]:
    """The first row; empty for an empty file."""
    for _, row in rows(path):
        return [name.strip() for name in row]
    return []


def _opened(path: Path):  # type: ignore[no-untyped-def]  # two text streams without a common name
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")
