"""A program's own errors: told with its line, and the program goes on."""

from __future__ import annotations

import pytest

from simengine.strategy import StrategyError
from tests.strategies.market import view


def test_an_error_names_the_line_of_the_program(run):
    text = "\n\ndef helper(x):\n    return 1 / x\n\ndef on_tick(ctx):\n    helper(0)\n"

    with pytest.raises(StrategyError, match="ZeroDivisionError: division by zero") as caught:
        run(text, "on_tick", view())

    assert caught.value.line == 4


def test_an_error_in_a_call_of_ctx_names_the_line_that_called_it(run):
    text = (
        'def on_tick(ctx):\n    legs = [sell("put", delta=0.3)]\n    ctx.open(legs, limit=0.01)\n'
    )

    with pytest.raises(StrategyError, match=r"limit 0\.01 is not a multiple of 0\.05") as caught:
        run(text, "on_tick", view())

    assert caught.value.line == 3


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("x = [0] * 10**9", 4),
        # No interpreter says where it was when its time was over: the call's first line.
        ("while True:\n        pass", 3),
        ("raise MemoryError", 4),
    ],
)
def test_a_call_that_goes_too_far_names_a_line_too(run, body, line):
    with pytest.raises(StrategyError) as caught:
        run(f"\n\ndef on_tick(ctx):\n    {body}\n", "on_tick", view())

    assert caught.value.line == line


def test_after_an_error_the_program_goes_on_in_the_same_worker(sandbox):
    text = "def on_tick(ctx):\n    ctx.state = 10 // (ctx.state or 0)\n"
    strategy = sandbox.strategy(text)
    workers = set(sandbox.worker_pids())

    with pytest.raises(StrategyError):
        strategy.call("on_tick", view(), None)

    assert strategy.call("on_tick", view(state=5), None).state == 2
    assert set(sandbox.worker_pids()) == workers


def test_an_error_message_is_cut(run):
    with pytest.raises(StrategyError) as caught:
        run("def on_tick(ctx):\n    raise ValueError('x' * 100000)\n", "on_tick", view())

    assert len(caught.value.message) < 600
