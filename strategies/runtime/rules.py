"""What a program's text may not contain, and why (see `program`). One pass over the syntax tree."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable
from typing import Any

from strategies.runtime import prelude

MODULES = ("math", "json", "itertools", "collections", "bisect", "typing", "__future__")

_STATELESS = "worker processes are shared, so a program's only memory is ctx.state"
_FORBIDDEN_NODES: dict[type[ast.AST], str] = {
    ast.ClassDef: "classes are not available; use functions, tuples and dicts",
    ast.Global: f"`global` is not available: {_STATELESS}",
    ast.AsyncFunctionDef: "a program is called and answers; there is nothing to wait for",
    ast.Await: "a program is called and answers; there is nothing to wait for",
    ast.AsyncFor: "a program is called and answers; there is nothing to wait for",
    ast.AsyncWith: "a program is called and answers; there is nothing to wait for",
    ast.Yield: "generators are not available; build a list",
    ast.YieldFrom: "generators are not available; build a list",
    ast.Delete: "`del` is not available; use .pop() on a dict or list",
}
_FORBIDDEN_NAMES = {
    **dict.fromkeys(
        ("eval", "exec", "compile", "globals", "locals", "vars", "breakpoint", "help", "super"),
        "it is not available in a program",
    ),
    **dict.fromkeys(
        ("getattr", "setattr", "delattr", "hasattr", "type", "object", "memoryview"),
        f"it reaches behind values: {_STATELESS}",
    ),
    **dict.fromkeys(("id", "hash"), "its answer differs from run to run"),
    **dict.fromkeys(("open", "input"), "a program has no files and no input"),
    "print": "use ctx.log(message, name=value)",
}
_CONSTANT_NODES = (
    ast.Constant,
    ast.Tuple,
    ast.UnaryOp,
    ast.BinOp,
    ast.Name,
    ast.operator,
    ast.unaryop,
    ast.expr_context,
)


class Forbidden(Exception):
    def __init__(self, node: ast.AST, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.line: int | None = getattr(node, "lineno", None)
        offset: int | None = getattr(node, "col_offset", None)
        self.column = None if offset is None else offset + 1


def check(module: ast.Module) -> None:
    """Raises Forbidden at the first thing, in order of lines, that a program may not contain."""
    found: list[Forbidden] = []
    _collect(found, _check_top_level, module)
    for node in ast.walk(module):
        _collect(found, _check_node, node)
    if found:
        raise min(found, key=lambda each: (each.line or 0, each.column or 0))


def is_times(node: ast.stmt) -> bool:
    """Whether `node` is the schedule: `times = [...]`, a list or tuple written out."""
    return (
        isinstance(node, ast.Assign)
        and len(node.targets) == 1
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id == "times"
        and isinstance(node.value, (ast.List, ast.Tuple))
    )


def _collect(found: list[Forbidden], check_one: Callable[[Any], None], node: ast.AST) -> None:
    try:
        check_one(node)
    except Forbidden as problem:
        found.append(problem)


def _check_top_level(module: ast.Module) -> None:
    defined: set[str] = set()
    constants: set[str] = set()
    for node in module.body:
        if isinstance(node, ast.FunctionDef):
            _check_function(node, constants)
            names = {node.name}
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names = {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            names = {_check_constant(node, constants)}
            constants |= names
        elif isinstance(node, ast.Pass) or _is_text(node):
            continue
        else:
            raise Forbidden(
                node,
                "the top level holds imports, functions, constants and `times`; put this into a "
                "function",
            )
        for name in sorted(names):
            _check_new_name(node, name, defined)
        defined |= names


def _is_text(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _check_new_name(node: ast.stmt, name: str, defined: set[str]) -> None:
    if name in defined:
        raise Forbidden(node, f"`{name}` is defined twice")
    if name in prelude.PUBLIC_NAMES or name in dir(builtins):
        raise Forbidden(node, f"`{name}` has a meaning already; choose another name")


def _check_constant(node: ast.Assign | ast.AnnAssign, constants: set[str]) -> str:
    """The name assigned. Its value must be one that nothing can change."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    if len(targets) != 1 or not isinstance(targets[0], ast.Name) or node.value is None:
        raise Forbidden(node, "a constant is written `NAME = value`, one at a time")
    if isinstance(node, ast.AnnAssign):
        _check_annotation(node.annotation)
    if targets[0].id == "times":
        if not is_times(node):
            raise Forbidden(node, '`times` is written out as a list: times = ["10:00", "12:30"]')
    else:
        _check_immutable(node.value, constants)
    return targets[0].id


def _check_immutable(value: ast.expr, constants: set[str]) -> None:
    for part in ast.walk(value):
        is_known = not isinstance(part, ast.Name) or part.id in constants
        if not isinstance(part, _CONSTANT_NODES) or not is_known:
            raise Forbidden(
                part if hasattr(part, "lineno") else value,
                "a top-level value is a number, a text, True, False, None or a tuple of these "
                f"(build lists and dicts inside a function): {_STATELESS}",
            )


def _check_function(node: ast.FunctionDef, constants: set[str]) -> None:
    if node.decorator_list:
        raise Forbidden(node.decorator_list[0], "decorators are not available")
    arguments = node.args
    for default in [*arguments.defaults, *arguments.kw_defaults]:
        if default is not None:
            _check_immutable(default, constants)
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [extra for extra in (arguments.vararg, arguments.kwarg) if extra is not None]
    for argument in every:
        _check_annotation(argument.annotation)
    _check_annotation(node.returns)


def _check_annotation(annotation: ast.expr | None) -> None:
    """Annotations are evaluated at the top level, so they may only name types."""
    allowed = (ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.Tuple, ast.BinOp, ast.List)
    for part in ast.walk(annotation) if annotation is not None else ():
        if isinstance(part, ast.expr) and not isinstance(part, allowed):
            raise Forbidden(part, "an annotation names a type, nothing else")


def _check_node(node: ast.AST) -> None:
    if reason := _FORBIDDEN_NODES.get(type(node)):
        raise Forbidden(node, reason)
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        _check_import(node)
    elif isinstance(node, ast.Attribute):
        _check_attribute(node)
    elif isinstance(node, ast.FunctionDef) and node.decorator_list:
        raise Forbidden(node.decorator_list[0], "decorators are not available")
    elif isinstance(node, ast.MatchClass):
        for name in node.kwd_attrs:
            _check_identifier(node, name)
    for name in _identifiers(node):
        _check_identifier(node, name)


def _check_import(node: ast.Import | ast.ImportFrom) -> None:
    names = (
        [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
    )
    for name in names:
        if name not in MODULES or (isinstance(node, ast.ImportFrom) and node.level):
            raise Forbidden(node, f"`{name}` cannot be imported; available: {', '.join(MODULES)}")
    if any(alias.name == "*" for alias in node.names):
        raise Forbidden(node, "name what is imported instead of `*`")


def _check_attribute(node: ast.Attribute) -> None:
    _check_identifier(node, node.attr)
    if isinstance(node.ctx, ast.Load):
        return
    if node.attr != "state" or not isinstance(node.value, ast.Name):
        raise Forbidden(node, f"only ctx.state can be assigned to: {_STATELESS}")


def _identifiers(node: ast.AST) -> list[str]:
    """The names this node itself defines or reads."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.arg):
        return [node.arg]
    if isinstance(node, ast.alias):
        imported = [] if node.name == "__future__" else node.name.split(".")
        return imported + ([node.asname] if node.asname else [])
    if isinstance(node, (ast.FunctionDef, ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
        return [node.name] if node.name else []
    if isinstance(node, ast.MatchMapping):
        return [node.rest] if node.rest else []
    return []


def _check_identifier(node: ast.AST, name: str) -> None:
    if name.startswith("_") and name != "_":
        raise Forbidden(node, f"`{name}`: names with a leading underscore are not available")
    if isinstance(node, (ast.Attribute, ast.MatchClass)):
        return
    if name in prelude.classes():
        raise Forbidden(node, f"`{name}` is the runtime's own; read what ctx gives you")
    if name in _FORBIDDEN_NAMES:
        raise Forbidden(node, f"`{name}`: {_FORBIDDEN_NAMES[name]}")
