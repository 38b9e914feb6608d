"""Determinism is guarded: what the engine may not use, and the same bytes in another process."""

from __future__ import annotations

import ast
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import simengine
from tests.engine import golden

ENGINE = Path(simengine.__file__).parent
ROOT = ENGINE.parent
MODULES = sorted(ENGINE.rglob("*.py"))

FORBIDDEN_MODULES = {
    "time", "random", "uuid", "os", "secrets", "sys", "io", "pathlib", "socket", "threading",
    "asyncio", "subprocess", "logging", "tempfile", "locale", "numpy",
}  # fmt: skip
FORBIDDEN_NAMES = {
    "set", "frozenset", "hash", "id", "open", "print", "float", "datetime", "input",
}  # fmt: skip
# The one share that is shown and never booked: a trade's profit in percent.
DIVISIONS_ALLOWED = {("view.py", "profit_cents * 100 / base_cents")}
# Types only: what a program may answer a percentage with.
NAMES_ALLOWED = {("intents.py", "float"), ("policy.py", "float"), ("policy.py", "set")}


def offences(source: str, file_name: str) -> list[str]:
    """Everything in a module that could make two runs differ or a cent inexact."""
    tree = ast.parse(source)
    found = [offence for node in ast.walk(tree) for offence in _offence(node, file_name)]
    return found + [f"iterates over a set: {ast.unparse(node)}" for node in _set_loops(tree)]


def _offence(node: ast.AST, file_name: str) -> list[str]:
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return _import_offence(node)
    if isinstance(node, ast.Constant):
        return [f"has the float {node.value}"] if isinstance(node.value, (float, complex)) else []
    if isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, ast.Div):
        allowed = (file_name, ast.unparse(node)) in DIVISIONS_ALLOWED
        return [] if allowed else [f"divides with /: {ast.unparse(node)}"]
    if isinstance(node, ast.Name) and node.id in FORBIDDEN_NAMES:
        return [] if (file_name, node.id) in NAMES_ALLOWED else [f"uses {node.id}"]
    return []


def _import_offence(node: ast.Import | ast.ImportFrom) -> list[str]:
    names = {alias.name for alias in node.names}
    if isinstance(node, ast.ImportFrom):
        module = (node.module or "").split(".")[0]
        if module == "datetime" and names != {"date"}:
            return ["imports a clock"]
        names = {module}
    modules = {name.split(".")[0] for name in names}
    return [f"imports {module}" for module in sorted(modules & FORBIDDEN_MODULES)]


def _set_loops(tree: ast.AST) -> list[ast.AST]:
    """A set is for membership and size; only where it is walked does its order matter."""
    loops = [node.iter for node in ast.walk(tree) if isinstance(node, (ast.For, ast.comprehension))]
    starred = [node.value for node in ast.walk(tree) if isinstance(node, ast.Starred)]
    in_calls = [
        argument
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"list", "tuple", "enumerate", "iter", "zip", "map", "dict"}
        for argument in node.args
    ]
    return [
        node for node in [*loops, *starred, *in_calls] if isinstance(node, (ast.Set, ast.SetComp))
    ]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ENGINE).as_posix())
def test_no_module_of_the_engine_has_a_clock_a_die_a_float_or_an_order_of_sets(path):
    assert offences(path.read_text(), path.name) == []


@pytest.mark.parametrize(
    ("source", "offence"),
    [
        ("import time", "imports time"),
        ("from datetime import datetime", "imports a clock"),
        ("from random import Random", "imports random"),
        ("import os.path", "imports os"),
        ("price = 0.05", "float"),
        ("half = price / 2", "divides"),
        ("price /= 2", "divides"),
        ("for leg in {1, 2}: pass", "iterates over a set"),
        ("rows = [x for x in {y for y in z}]", "iterates over a set"),
        ("rows = list({1, 2})", "iterates over a set"),
        ("rows = set(legs)", "uses set"),
        ("key = hash(order)", "uses hash"),
        ("price = float(text)", "uses float"),
    ],
)
def test_the_guard_sees_what_it_is_for(source, offence):
    assert any(offence in line for line in offences(source, "somewhere.py"))


def imported_by(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    return names


def test_the_engine_imports_nothing_but_the_standard_library():
    imported = set().union(*(imported_by(ast.parse(path.read_text())) for path in MODULES))

    assert imported - {"simengine"} <= set(sys.stdlib_module_names)


@pytest.mark.parametrize("hash_seed", ["1", "4242"])
def test_another_process_with_another_hash_seed_gives_identical_bytes(hash_seed):
    here = hashlib.sha256("".join(map(golden.text_of, golden.DAYS)).encode()).hexdigest()

    there = subprocess.run(
        [sys.executable, "-m", "tests.engine.golden"],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
        timeout=60,
    )

    assert hashlib.sha256(there.stdout).hexdigest() == here
