"""The shape of a program: hooks, arguments, times, and the place of every refusal."""

from __future__ import annotations

import hashlib

import pytest

from simengine.strategy import Hooks
from strategies.runtime.program import InvalidProgram, parse_program

TICK = "def on_tick(ctx):\n    pass\n"


def refusal(text):
    with pytest.raises(InvalidProgram) as caught:
        parse_program(text)
    return caught.value


def test_a_program_is_named_by_the_hash_of_its_text():
    assert parse_program(TICK).source_hash == hashlib.sha256(TICK.encode()).hexdigest()


def test_hooks_are_found_and_times_sorted():
    text = (
        '"""What it does."""\n'
        "from __future__ import annotations\n"
        "import math\n"
        "from itertools import chain as link\n"
        'times = ["15:59:59", "09:30", "12:00:30"]\n'
        "WIDTH = 5 * 5\n"
        "LIMITS: tuple = (WIDTH, -1, 'x', None, True)\n"
        "def helper(x: int | None = None, *, y: float = -0.5) -> list[int]:\n"
        "    memo = []\n"
        "    def inner(z=memo):\n"
        "        nonlocal memo\n"
        "        memo = [*z, 1]\n"
        "        return memo\n"
        "    return inner()\n"
        "def at(ctx, time):\n"
        "    for _ in range(3):\n"
        "        ctx.state = helper()\n"
        "def on_start(ctx): ...\n"
    )

    assert parse_program(text).hooks == Hooks(on_start=True, times=(34_200, 43_230, 57_599))


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("x = (1,\n", 1, 5, "'(' was never closed"),
        ("def on_tick(ctx):\n  x = 1\n    y = 2\n", 3, None, "unexpected indent"),
        ("", None, None, "at least one of"),
        ("def tick(ctx):\n    pass\n", None, None, "at least one of"),
        ("def on_tick():\n    pass\n", 1, 1, "write it as on_tick(ctx)"),
        ("def on_tick(ctx, x=1):\n    pass\n", 1, 1, "write it as on_tick(ctx)"),
        ("def on_tick(*ctx):\n    pass\n", 1, 1, "write it as on_tick(ctx)"),
        ("def on_fill(ctx):\n    pass\n", 1, 1, "write it as on_fill(ctx, fill)"),
        (TICK + "def at(ctx, time):\n    pass\n", 3, 1, "needs a list of times"),
        (TICK + 'times = ["10:00"]\n', 3, 1, "`times` needs a function"),
        ("times = []\ndef at(ctx, time):\n    pass\n", 1, 1, "1 to 500 times"),
        ('times = ["10:00", "10:00:00"]\ndef at(ctx, t):\n    pass\n', 1, 19, "listed twice"),
        ('times = ["9:45"]\ndef at(ctx, t):\n    pass\n', 1, 10, "HH:MM"),
        ("times = [945]\ndef at(ctx, t):\n    pass\n", 1, 10, "HH:MM"),
        ('times = ["09:29:59"]\ndef at(ctx, t):\n    pass\n', 1, 10, "outside 09:30"),
        ('times = ["16:00"]\ndef at(ctx, t):\n    pass\n', 1, 10, "outside 09:30"),
        ('times = "10:00"\ndef at(ctx, t):\n    pass\n', 1, 1, "written out as a list"),
        (TICK + TICK, 3, 1, "`on_tick` is defined twice"),
        ("X = Y\n" + TICK, 1, 5, "a top-level value is"),
        (TICK + "on_tick(1)\n", 3, 1, "put this into a function"),
        ("def on_tick(ctx):\n    ctx.log(eval('1'))\n", 2, 13, "`eval`"),
        ("def on_tick(ctx):\n    pass\0\n", 2, None, "NUL"),
        ("x = " + "(" * 300 + ")" * 300, 1, None, "too many nested"),
        ("-" * 60_000 + "1", None, None, "nested too deeply"),
        ("1" + "+1" * 30_000, None, None, "nested too deeply"),
        ("#" * 64_001, None, None, "64001 bytes; at most 64000"),
        ("# \ud800\n" + TICK, None, None, "not UTF-8"),
    ],
)
def test_a_refusal_names_the_place_and_what_to_do(text, line, column, message):
    refused = refusal(text)

    assert refused.line == line
    assert column is None or refused.column == column
    assert message in refused.message


def test_the_first_of_several_problems_is_named():
    refused = refusal("import math\nimport os\nimport sys\nX = []\n")

    assert str(refused).startswith("line 2, column 1: `os` cannot be imported")
