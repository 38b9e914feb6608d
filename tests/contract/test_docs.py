"""docs/api.md lists every call with each of its codes and the test that proves it."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest

from tests.contract.document import error_codes, operations
from tests.contract.proofs import Proofs, promised
from tests.contract.routes import ROUTES
from tests.contract.table import FILES, OF_CALLS, OF_MANY, ROOT, ROWS, WITHOUT_CODES

DECLARED = {
    (line, status, code)
    for line, operation in operations()
    for status, code in error_codes(operation)
}


def test_every_code_of_every_call_is_listed_and_no_other():
    of_their_own = {each for each in DECLARED if each[1:] not in OF_MANY}

    assert of_their_own - OF_CALLS == set()
    assert set() == OF_CALLS - DECLARED


def test_a_call_without_codes_of_its_own_is_listed_too():
    assert {line for line, _ in operations()} - {line for line, _, _ in OF_CALLS} == WITHOUT_CODES


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.where} {row.status} {row.code}")
def test_the_test_that_proves_it_is_there(row):
    source = (ROOT / row.path).read_text()

    assert re.search(rf"^(async )?def {row.name}\(", source, re.MULTILINE)


def test_together_they_promise_every_code_of_every_call_and_405_of_every_path():
    """That each keeps its promise is seen while it runs: tests/contract/proofs.py."""
    everything = {each for row in ROWS for each in promised(row.test)}

    on_probes = {each for each in DECLARED if ("", *each[1:]) in everything}
    assert everything >= DECLARED - on_probes
    assert everything >= {(route.path, 405, "method_not_allowed") for route in ROUTES}


PROOF = next(row.test for row in ROWS if row.code == "name_taken")


@pytest.mark.django_db
@pytest.mark.parametrize(("times", "is_proof"), [(1, False), (2, True)])
def test_a_proof_fails_unless_it_is_answered_with_its_code(times, is_proof, alices):
    body = {"strategy_id": str(alices.link.pk), "name": "x", "starting_capital": "25000"}
    proofs = Proofs()
    item = SimpleNamespace(nodeid=f"{PROOF}[1]")
    proofs.pytest_collection_modifyitems(SimpleNamespace(args=[]), [item])
    running = proofs.pytest_runtest_call(item)

    next(running)
    for _ in range(times):
        alices.client.post("/api/bots", body)

    with pytest.raises(StopIteration if is_proof else AssertionError):
        running.send(None)


def test_every_call_is_listed_with_the_files_that_test_it():
    assert set(FILES) == {line for line, _ in operations()}


@pytest.mark.parametrize(("line", "path"), [(line, path) for line in FILES for path in FILES[line]])
def test_a_file_that_is_listed_is_about_the_call(line, path):
    words = [word for word in line.split()[1].split("/") if word and not word.startswith("{")]

    assert f"/{words[-1]}" in (ROOT / path).read_text()
