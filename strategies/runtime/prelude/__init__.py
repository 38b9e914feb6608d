"""What every program finds around it: `ctx`, `buy`, `sell`, and the strike selection of the form.

The modules of this folder are written in the subset of Python that CPython and the sandbox both
run (no inheritance, no `@property`, no `del`), so that one text serves both: the host imports it,
and the sandbox is fed `source()`. There everything but the classes and `buy`, `sell` gets a leading
underscore, which programs may not use, so a program is free to call its own function `select`.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from strategies.runtime.prelude.context import Ctx
from strategies.runtime.prelude.legs import Package, buy, select, sell

__all__ = ["PUBLIC_NAMES", "Ctx", "Package", "buy", "classes", "select", "sell", "source"]

MODULES = ("quotes", "strikes", "legs", "values", "arguments", "context", "serve")
PUBLIC_NAMES = frozenset({"buy", "sell"})


@cache
def source() -> str:
    """The text the sandbox is fed: the modules joined, without their imports of one another."""
    body: list[ast.stmt] = []
    for module in _modules():
        body += [node for node in module.body if not isinstance(node, (ast.ImportFrom, ast.Expr))]
    joined = ast.Module(body=body, type_ignores=[])
    renamed = _ForSandbox(_hidden_names(joined)).visit(joined)
    return ast.unparse(ast.fix_missing_locations(renamed)) + "\n"


@cache
def classes() -> frozenset[str]:
    """The prelude's classes. A program may not name them: they could carry memory between calls."""
    return frozenset(
        node.name for module in _modules() for node in module.body if isinstance(node, ast.ClassDef)
    )


def _modules() -> list[ast.Module]:
    folder = Path(__file__).parent
    return [ast.parse((folder / f"{name}.py").read_text("utf-8")) for name in MODULES]


def _hidden_names(module: ast.Module) -> frozenset[str]:
    found: set[str] = set()
    for node in module.body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found.update(target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
    return frozenset(name for name in found - PUBLIC_NAMES if not name.startswith("_"))


class _ForSandbox(ast.NodeTransformer):
    """Puts an underscore before the given top-level names, and drops annotations and docstrings."""

    def __init__(self, hidden: frozenset[str]) -> None:
        self._hidden = hidden

    def visit_Name(self, node: ast.Name) -> ast.Name:
        if node.id in self._hidden:
            node.id = f"_{node.id}"
        return node

    def visit_alias(self, node: ast.alias) -> ast.alias:
        node.asname = f"_{node.name}" if node.name in self._hidden else node.asname
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.Assign:
        assert node.value is not None
        plain = ast.Assign(targets=[node.target], value=node.value, lineno=node.lineno)
        self.generic_visit(plain)
        return plain

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        node.body = _without_docstring(node.body)
        self.generic_visit(node)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        if node.name in self._hidden and node.col_offset == 0:
            node.name = f"_{node.name}"
        node.body = _without_docstring(node.body)
        node.returns = None
        self.generic_visit(node)
        return node


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    return [node for node in body if not isinstance(node, ast.Expr) or _is_call(node)]


def _is_call(node: ast.Expr) -> bool:
    return isinstance(node.value, ast.Call)
