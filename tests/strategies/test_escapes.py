"""Ways out of a Python sandbox, as published, and ways to keep a memory: none of them works."""

from __future__ import annotations

import os

import pytest

from simengine.strategy import StrategyError
from strategies.runtime import rules
from strategies.runtime.program import InvalidProgram
from strategies.runtime.sandbox import Sandbox
from tests.strategies.market import view

BY_SYNTAX = [
    "().__class__.__base__.__subclasses__()",
    "''.__class__.__mro__[1].__subclasses__()",
    "on_tick.__globals__['__builtins__']",
    "on_tick.__code__.co_consts",
    "(lambda: 0).__globals__",
    "[].__reduce_ex__(2)",
    "(x for x in ()).gi_frame.f_back.f_globals['__builtins__'] and ().__class__",
    "__import__('os').system('id')",
    "__builtins__['open']('/etc/passwd')",
    "eval('1')",
    "exec('import os')",
    "compile('1', 'x', 'eval')",
    "open('/etc/passwd').read()",
    "input()",
    "print('hello')",
    "breakpoint()",
    "globals()",
    "locals()",
    "vars()",
    "getattr(ctx, 'state')",
    "setattr(ctx, 'x', 1)",
    "type(ctx)",
    "object()",
    "id(ctx)",
    "hash('x')",
    "_next_event('', '')",
    "_serve({})",
    "Ctx",
    "Package",
    "Quote",
    "ctx.spot = 1",
    "ctx.trades[0].state.x = 1",
    "on_tick.memory = 1",
    "sell.memory = 1",
    "global x\n    x = 1",
    "import os",
    "import sys",
    "import random",
    "import time",
    "import datetime",
    "import functools",
    "import asyncio",
    "from os import environ",
    "from math import *",
    "from . import x",
    "import collections.abc",
    "from collections import __dict__",
    "class A:\n        pass",
    "async def f():\n        pass",
    "match ctx:\n        case Ctx():\n            pass",
    "match ctx:\n        case int(__class__=c):\n            pass",
    "match ctx:\n        case {**__rest}:\n            pass",
    "try:\n        pass\n    except Exception as __e:\n        pass",
    "lambda __x: __x",
    "del ctx",
    "yield 1",
]


@pytest.mark.parametrize("body", BY_SYNTAX)
def test_the_rules_refuse_it_and_say_where(sandbox, body):
    with pytest.raises(InvalidProgram) as caught:
        sandbox.strategy(f"def on_tick(ctx):\n    {body}\n")

    assert caught.value.line in (2, 3, 4)


MEMORIES = [
    "SEEN = []",
    "SEEN = {}",
    "SEEN = {1}",
    "SEEN = ([],)",
    "SEEN = list()",
    "SEEN = (lambda: [])()",
    "SEEN = [x for x in (1, 2)]",
    "SEEN = sell",
    "SEEN: list = []",
    "A = B = 1",
    "(A := [])",
    "A, B = [], 1",
    "def helper(memory=[]):\n    return memory",
    "def helper(*, memory={}):\n    return memory",
    "def helper(x: (memory := [])):\n    return x",
    "def helper(x) -> (memory := []):\n    return x",
    "def helper(memory=(lambda seen=[]: seen)):\n    return memory",
    "@staticmethod\ndef helper():\n    pass",
    "import itertools\nCOUNT = itertools.count()",
    "if True:\n    SEEN = []",
    "for SEEN in ([],):\n    pass",
    "with sell as SEEN:\n    pass",
    "try:\n    SEEN = []\nexcept ValueError:\n    pass",
    "times = times_of_day()",
    "def sum(values):\n    return 3",
    "def buy(values):\n    return 3",
    "ValueError = 3",
]


@pytest.mark.parametrize("top_level", MEMORIES)
def test_nothing_at_the_top_level_can_hold_a_memory(sandbox, top_level):
    with pytest.raises(InvalidProgram):
        sandbox.strategy(f"{top_level}\n\n\ndef on_tick(ctx):\n    pass\n")


BY_RUNNING = [
    ("'{0.__class__}'.format(ctx)", None),
    ("'{0.__class__.__mro__}'.format(ctx)", "AttributeError"),
    ("'{0.view[random_seed]}'.format(ctx)", None),
    ("[c for c in ().__doc__ or '']", "refused"),
    ("import math\n    math.state = 1", "AttributeError"),
    ("on_tick.state = 1", "AttributeError"),
    ("sell.state = 1", "AttributeError"),
    ("ValueError.state = 1", "AttributeError"),
    ("int.state = 1", "AttributeError"),
    (
        "import collections\n    counter = collections.Counter\n    counter.state = 1",
        "AttributeError",
    ),
    ("import itertools\n    itertools.state = 1", "AttributeError"),
    ("import typing\n    typing.state = 1", "AttributeError"),
    ("import bisect\n    bisect.state = 1", "AttributeError"),
    ("find = ctx.find\n    find.state = 1", "AttributeError"),
    ("helper = lambda: 1\n    helper.state = 1", "AttributeError"),
    ("ctx.log.state = 1", "refused"),
    ("import json\n    json.loads('[' * 100000)", "JSON|Recursion"),
]


@pytest.mark.parametrize(("body", "outcome"), BY_RUNNING)
def test_what_passes_the_rules_gets_nowhere(sandbox, body, outcome):
    text = f"def on_tick(ctx):\n    ctx.state = 1\n    {body}\n"
    if outcome == "refused":
        with pytest.raises(InvalidProgram):
            sandbox.strategy(text)
        return
    strategy = sandbox.strategy(text)
    if outcome is None:
        assert strategy.call("on_tick", view(), None).state == 1
        return
    with pytest.raises(StrategyError, match=outcome):
        strategy.call("on_tick", view(), None)


def test_a_program_cannot_speak_in_the_runtimes_name(sandbox, monkeypatch):
    # Even if the rules had a hole: asking for the next event without the token ends the session.
    monkeypatch.setattr(rules, "check", lambda module: None)
    forged = sandbox.strategy("def on_tick(ctx):\n    ctx.log(f\"{_next_event('', '{}')}\")\n")

    with pytest.raises(StrategyError, match="in the runtime's name"):
        forged.call("on_tick", view(), None)


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ("open('/etc/passwd').read()", "PermissionError"),
        ("import os\n    os.environ['PATH']", "RuntimeError|KeyError|Error"),
        ("import os\n    os.system('id')", "AttributeError"),
        ("import os\n    os.fork()", "AttributeError"),
        ("import socket", "ModuleNotFoundError"),
        ("import subprocess", "ModuleNotFoundError"),
        ("import ctypes", "ModuleNotFoundError"),
        ("import pathlib\n    pathlib.Path('/').iterdir()", "Error"),
        ("import pathlib\n    pathlib.Path('/tmp/x').write_text('x')", "PermissionError"),
        ("import asyncio\n    asyncio.run(asyncio.create_subprocess_exec('id'))", "AttributeError"),
        ("().__class__.__base__.__subclasses__()", "AttributeError"),
        ("on_tick.__globals__", "AttributeError"),
        ("import sys\n    sys.modules['os']", "AttributeError"),
        ("__builtins__['open']", "NameError"),
    ],
)
def test_behind_the_rules_the_interpreter_itself_has_no_way_out(
    sandbox, monkeypatch, body, outcome
):
    monkeypatch.setattr(rules, "check", lambda module: None)
    escaping = sandbox.strategy(f"def on_tick(ctx):\n    {body}\n")

    with pytest.raises(StrategyError, match=outcome):
        escaping.call("on_tick", view(), None)
    assert not os.path.exists("/tmp/x")


def test_clocks_stand_still_and_sleep_is_no_wait(sandbox, monkeypatch):
    monkeypatch.setattr(rules, "check", lambda module: None)
    text = (
        "import time, random, datetime\n"
        "def on_tick(ctx):\n"
        "    time.sleep(5)\n"
        "    ctx.state = [time.time(), time.perf_counter(), random.random(),\n"
        "                 f'{datetime.datetime.now()}']\n"
    )

    def answer():
        with Sandbox() as fresh:
            return fresh.strategy(text).call("on_tick", view(), None).state

    assert answer() == answer()
