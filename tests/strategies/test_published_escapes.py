"""Escapes that were published for other Python sandboxes, each thrown at ours.

The names say whose they were. "refused" is by the rules, before anything runs; else it is what the
program gets to see. None of them may reach anything, and the sandbox serves the next call.
"""

from __future__ import annotations

import contextlib

import pytest

from simengine.strategy import StrategyError
from strategies.runtime.program import InvalidProgram
from tests.strategies.market import view

REFUSED = "refused"
ATTRIBUTE = "AttributeError"
# A busy machine runs out of time first.
DEEP = "RecursionError|TimeoutError"
HUGE = "MemoryError|TimeoutError"
ANYTHING = ""  # served or an error: what counts is that nothing was reached

# Attribute walks from whatever is at hand to something that holds the world.
WALKS = {
    "RestrictedPython 2023-37271, a generator's frame": (
        "walker = (each for each in [1])\n    walker.gi_frame.f_back",
        ATTRIBUTE,
    ),
    "frame by its exception": (
        "try:\n        1 / 0\n    except ZeroDivisionError as error:\n"
        "        ctx.state = error.with_traceback(None).tb_frame",
        ATTRIBUTE,
    ),
    "RestrictedPython 2024-47532, AttributeError.obj": (
        "try:\n        ctx.nothing\n    except AttributeError as error:\n        error.obj",
        ATTRIBUTE,
    ),
    "AttributeError.name": (
        "try:\n        ctx.nothing\n    except AttributeError as error:\n        error.name",
        ATTRIBUTE,
    ),
    "RestrictedPython 2025-22153, except*": (
        "try:\n        1 / 0\n    except* ZeroDivisionError as error:\n        pass",
        REFUSED,
    ),
    "StopIteration.value": (
        "try:\n        next(iter([]))\n    except StopIteration as error:\n        error.value",
        ATTRIBUTE,
    ),
    "function attributes of Python 2": ("on_tick.func_globals", ATTRIBUTE),
    "a bound method's object": ("ctx.log.im_self", ATTRIBUTE),
    "a lambda's code": ("(lambda: 0).func_code", ATTRIBUTE),
    "smolagents 2025-5120, a module's own imports": ("import json\n    json.codecs", ATTRIBUTE),
    "collections' private sys": ("import collections\n    collections.sys", ATTRIBUTE),
    "typing's private sys": ("import typing\n    typing.sys", ATTRIBUTE),
    "typing.ForwardRef evaluates": ("import typing\n    typing.ForwardRef('eval')", ATTRIBUTE),
    "typing.get_type_hints evaluates": ("import typing\n    typing.get_type_hints", ATTRIBUTE),
    "namedtuple compiles its names": (
        "import collections\n    collections.namedtuple('P', 'a; import os')",
        "ValueError",
    ),
    "json's hooks": ("import json\n    json.loads('{}', object_hook=eval)", REFUSED),
    "json's default": ("import json\n    json.dumps(ctx, default=ctx.log)", "TypeError"),
    "json's encoder class": ("import json\n    json.dumps(1, cls=int)", "TypeError"),
    "dir": ("ctx.state = dir(ctx)", "NameError"),
    "classmethod": ("classmethod(on_tick)", "NameError"),
    "pickle": ("import pickle", REFUSED),
    "marshal": ("import marshal", REFUSED),
    "codecs": ("import codecs", REFUSED),
    "re": ("import re", REFUSED),  # so that no pattern runs without end
    "gc": ("import gc", REFUSED),
    "inspect": ("import inspect", REFUSED),
    "builtins": ("import builtins", REFUSED),
    "importlib": ("import importlib", REFUSED),
}
FORMATS = {
    "RestrictedPython 2023-41039, str.format": (
        "ctx.state = '{0.log.__globals__}'.format(ctx)",
        ATTRIBUTE,
    ),
    "str.format into an __init__": ("'{0.__init__.__globals__}'.format(ctx)", ATTRIBUTE),
    "asteval 2025-24359, a nested format": ("'{0.__class__.{1}}'.format(ctx, 'x')", "ValueError"),
    "str.format_map": ("'{c.__class__}'.format_map({'c': ctx})", ATTRIBUTE),
    "a format spec that is a name": ("f'{ctx:{ctx.__class__}}'", REFUSED),
    "an f-string's own attribute": ("f'{ctx.__dict__}'", REFUSED),
    "an f-string that names what it shows": ("f'{ctx.__class__=}'", REFUSED),
    "percent by name": ("'%(x)s' % ctx", "TypeError"),
}
# Where CPython, which checks, and the sandbox, which runs, could read a text differently.
READINGS = {
    "mathematical letters are letters": ("\U0001d452\U0001d463\U0001d44e\U0001d459('1')", REFUSED),
    "full-width letters are letters": ("\uff45\uff56\uff41\uff4c('1')", REFUSED),
    "full-width underscores are none": ("().\uff3f\uff3fclass\uff3f\uff3f", REFUSED),
    "other underscores": ("().\ufe4d\ufe4dclass\ufe4e\ufe4e", REFUSED),
    "a carriage return ends a comment": ("pass # \r    global x", REFUSED),
    "a carriage return ends a line": ("pass # \rSEEN = []", REFUSED),
    "a form feed is no indentation": ("pass\n\x0cSEEN = []", REFUSED),
    "a vertical tab": ("pass\x0b", REFUSED),
    "an end-of-file character": ("pass\n\x1a", REFUSED),
    "a byte order mark inside": ("pass\n\ufeffSEEN = []", REFUSED),
    "a zero-width space": ("ctx.st\u200bate = 1", REFUSED),
    "a line separator is part of a comment": ("pass # \u2028    import os", ANYTHING),
    "a next-line character is part of a comment": ("pass # \x85    import os", ANYTHING),
    "a comment cannot be continued": ("pass # \\\n    ctx.state = 1", ANYTHING),
    "a declared encoding changes nothing": ("pass\n# coding: utf-7\n# +AAo-import os", ANYTHING),
}
STOPS = {
    "SystemExit": ("raise SystemExit", "SystemExit"),
    "KeyboardInterrupt": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "a MemoryError of its own": ("raise MemoryError('mine')", "MemoryError"),
    "a TimeoutError of its own": ("raise TimeoutError('mine')", "TimeoutError"),
    "a message of megabytes": ("raise ValueError('x' * 5_000_000)", "ValueError: x{480}"),
    "a message with a NUL": ("raise ValueError('a\\x00b')", "ValueError: a\ufffdb"),
    "half a surrogate pair": ("raise ValueError('\\ud800')", "ValueError"),
    "exit": ("exit()", "NameError"),
    "raising what is no exception": ("raise ctx", "TypeError"),
}
_NEST = "for each in range(100_000):\n        x = [x]\n        y = [y]\n"
BOMBS = {
    "repr of a deep list": (f"x = y = []\n    {_NEST}    ctx.log(f'{{x}}')", ANYTHING),
    "comparing deep lists": (f"x, y = [], []\n    {_NEST}    ctx.state = x == y", DEEP),
    "ordering deep lists": (f"x, y = [], []\n    {_NEST}    ctx.state = x < y", DEEP),
    "sorting deep lists": (f"x, y = [], []\n    {_NEST}    sorted([x, y])", DEEP),
    "JSON of a deep list": (f"import json\n    x = y = []\n    {_NEST}    json.dumps(x)", DEEP),
    "lists within each other": ("x = []\n    y = [x]\n    x.append(y)\n    x == y", DEEP),
    "a state within itself": ("x = []\n    x.append(x)\n    ctx.state = x", "Circular"),
    "hashing a deep tuple": (
        "x = ()\n    for each in range(100_000):\n        x = (x,)\n    {x: 1}",
        DEEP,
    ),
    "dropping a deep tuple": (
        "x = ()\n    for each in range(200_000):\n        x = (x,)",
        ANYTHING,
    ),
    "a chain of iterators": (
        "import itertools\n    x = [1]\n    for each in range(50_000):\n"
        "        x = itertools.chain(x, [1])\n    sum(x)",
        DEEP,
    ),
    "a tower of closures": (
        "f = lambda: 0\n    for each in range(1000):\n"
        "        f = (lambda g: lambda: g())(f)\n    f()",
        DEEP,
    ),
    "recursion by sorted": ("def f(x):\n        sorted([1], key=f)\n    f(1)", DEEP),
    "recursion by map": ("def f(x):\n        return [*map(f, [1])]\n    f(1)", DEEP),
    "a huge factorial": ("import math\n    math.factorial(10**6)", "TimeoutError"),
    "a gcd no limit looks into": ("import math\n    math.gcd(3**400000, 7**400000)", "Timeout"),
    "an integer as text": ("int('9' * 4_000_000)", "4300 digits"),
    "a shift": ("1 << 10**9", HUGE),
    "a width": ("f'{1:>30000000}'", HUGE),
    "a multiplied text": ("'a' * 2**33", HUGE),
    "a loop that feeds itself": ("x = [1]\n    for y in x:\n        x.append(y)", HUGE),
    "equal strings searched": (
        "[('a' * 10**6 + 'b') in 'a' * 10**7 for each in range(50)]",
        "TimeoutError",
    ),
    "a log bomb": ("for n in range(10**6):\n        ctx.log('x' * 999)", "TimeoutError"),
    "a log of itself": ("x = {}\n    x['x'] = x\n    ctx.log('a', x=x)", "Circular"),
}
ESCAPES = {**WALKS, **FORMATS, **READINGS, **STOPS, **BOMBS}


@pytest.mark.parametrize(("body", "outcome"), ESCAPES.values(), ids=ESCAPES)
def test_it_gets_nowhere_and_the_next_call_is_served(sandbox, run, body, outcome):
    text = f"def on_tick(ctx):\n    {body}\n"
    if outcome is REFUSED:
        with pytest.raises(InvalidProgram):
            sandbox.strategy(text)
    elif outcome is ANYTHING:
        with contextlib.suppress(StrategyError):
            run(text, "on_tick", view())
    else:
        with pytest.raises(StrategyError, match=outcome):
            run(text, "on_tick", view())

    assert run("def on_tick(ctx):\n    ctx.state = 1\n", "on_tick", view()).state == 1


SOURCES = {
    "minus signs": "x = " + "-" * 60_000 + "1",
    "nots": "x = " + "not " * 15_000 + "1",
    "lambdas": "x = " + "lambda:" * 9_000 + "1",
    "parentheses": "x = " + "(" * 30_000 + ")" * 30_000,
    "attributes": "x = a" + ".a" * 30_000,
    "calls": "x = a" + "()" * 30_000,
    "powers": "x = " + "1**" * 20_000 + "1",
    "comparisons": "x = " + "1<" * 30_000 + "1",
    "assignments": "a=" * 30_000 + "1",
    "conditions": "x = " + "1 if 1 else " * 5_000 + "1",
    "branches": "if 0:\n    pass\n" + "elif 0:\n    pass\n" * 3_000,
    "blocks": "".join(" " * depth + "if 1:\n" for depth in range(300)),
    "decorators": "@a\n" * 20_000 + "def f():\n    pass",
    "digits": "x = " + "9" * 60_000,
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_a_text_made_to_break_its_reader_is_refused(sandbox, source):
    with pytest.raises(InvalidProgram):
        sandbox.strategy(f"{source}\n\n\ndef on_tick(ctx):\n    pass\n")
