"""Reading a program before it runs: is it one, which calls does it want, what is forbidden.

Worker processes are shared by every session, so a program may have no memory but `ctx.state`:
nothing at its top level can change, and nothing reachable from there can be given an attribute. The
checks are by syntax and refuse rather than guess. What the sandbox itself cannot run is found by
loading it there (`Sandbox.strategy`).
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from simengine.strategy import AT, ON_FILL, ON_START, ON_TICK, Hooks
from strategies.runtime import rules

SIZE_LIMIT_BYTES = 64_000
TIMES_LIMIT = 500
OPEN_SECONDS = 9 * 3600 + 30 * 60
CLOSE_SECONDS = 16 * 3600
ARGUMENTS = {ON_START: ("ctx",), ON_TICK: ("ctx",), ON_FILL: ("ctx", "fill"), AT: ("ctx", "time")}
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")


class InvalidProgram(Exception):
    """A text that is no program; `line` and `column` count from 1, None where it has no place."""

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column

    def __str__(self) -> str:
        if self.line is None:
            return self.message
        where = f"line {self.line}"
        if self.column is not None:
            where += f", column {self.column}"
        return f"{where}: {self.message}"


@dataclass(frozen=True, slots=True)
class ProgramInfo:
    text: str
    source_hash: str
    hooks: Hooks
    hook_lines: Mapping[str, int]  # where each is defined, counting from 1

    @property
    def hook_names(self) -> tuple[str, ...]:
        wanted = (
            (ON_START, self.hooks.on_start),
            (ON_FILL, self.hooks.on_fill),
            (ON_TICK, self.hooks.on_tick),
            (AT, bool(self.hooks.times)),
        )
        return tuple(name for name, is_wanted in wanted if is_wanted)


def source_hash(text: str) -> str:
    """SHA-256 of the program text, 64 hex: its name everywhere."""
    return hashlib.sha256(text.encode()).hexdigest()


def parse_program(text: str) -> ProgramInfo:
    """The calls a program wants. Raises InvalidProgram with the place of the first thing wrong."""
    module = _parse(text)
    try:
        rules.check(module)
        functions = {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}
        hooks = _hooks(module, functions)
    except rules.Forbidden as found:
        raise InvalidProgram(found.message, found.line, found.column) from None
    hook_lines = {name: functions[name].lineno for name in ARGUMENTS if name in functions}
    return ProgramInfo(text, source_hash(text), hooks, hook_lines)


def _parse(text: str) -> ast.Module:
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise InvalidProgram(f"the text is not UTF-8: {error.reason}") from None
    if size > SIZE_LIMIT_BYTES:
        raise InvalidProgram(f"the program has {size} bytes; at most {SIZE_LIMIT_BYTES}")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InvalidProgram("the text contains a NUL character", line)
    try:
        return ast.parse(text)
    except SyntaxError as error:
        raise InvalidProgram(error.msg, error.lineno, error.offset or None) from None
    except (RecursionError, MemoryError, ValueError) as error:
        raise InvalidProgram(f"the program is nested too deeply to be read: {error}") from None


def _hooks(module: ast.Module, functions: Mapping[str, ast.FunctionDef]) -> Hooks:
    for name, arguments in ARGUMENTS.items():
        if name in functions:
            _check_arguments(functions[name], arguments)
    times_node = _times_node(module)
    if times_node is not None and AT not in functions:
        raise rules.Forbidden(times_node, "`times` needs a function `at(ctx, time)` to be called")
    if AT in functions and times_node is None:
        example = '`times = ["10:00"]`'
        raise rules.Forbidden(functions[AT], f"`at` needs a list of times, like {example}")
    if not functions.keys() & ARGUMENTS.keys():
        raise InvalidProgram(
            "a program defines at least one of on_start(ctx), on_fill(ctx, fill), on_tick(ctx), "
            "or `times` with at(ctx, time)"
        )
    return Hooks(
        on_start=ON_START in functions,
        on_tick=ON_TICK in functions,
        on_fill=ON_FILL in functions,
        times=() if times_node is None else _times(times_node),
    )


def _check_arguments(function: ast.FunctionDef, wanted: tuple[str, ...]) -> None:
    given = function.args
    count = len(given.posonlyargs) + len(given.args)
    has_more = given.vararg or given.kwarg or given.kwonlyargs or given.defaults
    if count != len(wanted) or has_more:
        signature = f"{function.name}({', '.join(wanted)})"
        raise rules.Forbidden(function, f"write it as {signature}: it is called with just these")


def _times_node(module: ast.Module) -> ast.Assign | None:
    for node in module.body:
        if rules.is_times(node):
            assert isinstance(node, ast.Assign)
            return node
    return None


def _times(node: ast.Assign) -> tuple[int, ...]:
    """The scheduled seconds of the day, ascending. Any order will do, but no time twice."""
    assert isinstance(node.value, (ast.List, ast.Tuple))
    if not 1 <= len(node.value.elts) <= TIMES_LIMIT:
        raise rules.Forbidden(node, f"`times` lists 1 to {TIMES_LIMIT} times")
    found: set[int] = set()
    for element in node.value.elts:
        seconds = _seconds(element)
        if seconds in found:
            raise rules.Forbidden(element, "this time is listed twice")
        found.add(seconds)
    return tuple(sorted(found))


def _seconds(element: ast.expr) -> int:
    written = element.value if isinstance(element, ast.Constant) else None
    if not isinstance(written, str) or (match := _CLOCK.fullmatch(written)) is None:
        raise rules.Forbidden(element, 'a time is a text "HH:MM" or "HH:MM:SS", New York')
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    total = hours * 3600 + minutes * 60 + seconds
    if not OPEN_SECONDS <= total < CLOSE_SECONDS:
        raise rules.Forbidden(element, f"{written} is outside 09:30 to 15:59:59")
    return total
