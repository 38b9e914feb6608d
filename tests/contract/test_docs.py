"""docs/api.md lists every call with each of its codes and the test that proves it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.contract.document import error_codes, operations

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "api.md").read_text()
ROW = re.compile(
    r"^\| (.+?) \| (\d{3}) `(\w+)` .*?\| `(tests/[\w/]+\.py)::(\w+)` \|$", re.MULTILINE
)
CALL = re.compile(r"`([A-Z]+ /\S*)`")
NO_CODES = re.compile(r"^\| `([A-Z]+ /\S*)` \| none of its own \| \|$", re.MULTILINE)
ROWS = ROW.findall(TEXT)
OF_CALLS = {(CALL.findall(row[0])[0], int(row[1]), row[2]) for row in ROWS if "`" in row[0]}
OF_EVERY_CALL = {(int(row[1]), row[2]) for row in ROWS if "`" not in row[0]}


def test_every_code_of_every_call_is_listed_and_no_other():
    declared = {
        (line, status, code)
        for line, operation in operations()
        for status, code in error_codes(operation)
        if (status, code) not in OF_EVERY_CALL
    }

    assert declared == OF_CALLS


def test_a_call_without_codes_of_its_own_is_listed_too():
    assert set(NO_CODES.findall(TEXT)) == {
        line for line, operation in operations() if error_codes(operation) <= OF_EVERY_CALL
    }


@pytest.mark.parametrize(("where", "status", "code", "path", "name"), ROWS)
def test_the_test_that_proves_it_is_there_and_is_about_that_code(where, status, code, path, name):
    source = (ROOT / path).read_text()

    assert re.search(rf"^(async )?def {name}\(", source, re.MULTILINE)
    assert f'"{code}"' in source
    assert status in source
