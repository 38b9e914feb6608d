"""The table of docs/api.md: every code of every call, and the test that proves it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "api.md").read_text()
ROW = re.compile(
    r"^\| (.+?) \| (\d{3}) `(\w+)` .*?\| `(tests/[\w/]+\.py)::(\w+)` \|$", re.MULTILINE
)
CALL = re.compile(r"`([A-Z]+ /\S*)`")
TESTED_IN = re.compile(r"^\| `([A-Z]+ /\S*)` \| ((?:`tests/[\w/]+\.py`(?:, )?)+) \|$", re.MULTILINE)
NO_CODES = re.compile(r"^\| `([A-Z]+ /\S*)` \| none of its own \| \|$", re.MULTILINE)


@dataclass(frozen=True)
class Row:
    where: str  # "POST /bots", or in words which calls it is about
    status: int
    code: str
    path: str
    name: str

    @property
    def is_of_many(self) -> bool:
        return not CALL.match(f"`{self.where}`")

    @property
    def test(self) -> str:
        return f"{self.path}::{self.name}"


ROWS = [
    Row(where.strip("`"), int(status), code, path, name)
    for where, status, code, path, name in ROW.findall(TEXT)
]
OF_CALLS = {(row.where, row.status, row.code) for row in ROWS if not row.is_of_many}
OF_MANY = {(row.status, row.code) for row in ROWS if row.is_of_many}
WITHOUT_CODES = set(NO_CODES.findall(TEXT))
FILES = {call: re.findall(r"tests/[\w/]+\.py", files) for call, files in TESTED_IN.findall(TEXT)}
