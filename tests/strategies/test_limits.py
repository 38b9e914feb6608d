"""Programs that go too far: one error each, and nobody beside them notices."""

from __future__ import annotations

import os

import pytest

from simengine.strategy import StrategyError
from strategies.runtime.live import Limits, LiveProgram
from strategies.runtime.sandbox import Sandbox
from tests.strategies.market import view

COUNTER = "def on_tick(ctx):\n    ctx.state = (ctx.state or 0) + 1\n"
SPIN = "def on_tick(ctx):\n    while True:\n        pass\n"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("while True:\n        pass", "TimeoutError: a call may take 0.25 s"),
        ("sum(range(10**12))", "TimeoutError"),
        (
            "try:\n        while True:\n            pass\n    except BaseException:\n        pass",
            "Time",
        ),
        ("x = [0] * 10**9", "MemoryError: a program may use 32 MB"),
        ("x = 'a' * 10**9", "MemoryError"),
        ("x = 2 ** (10**9)", "MemoryError|TimeoutError"),
        ("x = []\n    while True:\n        x.append('a' * 10000)", "MemoryError|TimeoutError"),
        ("f'{3:>1000000000}'", "MemoryError|TimeoutError"),
        ("'%1000000000d' % 3", "MemoryError"),
        ("''.join(['a' * 10**6] * 1000)", "MemoryError"),
        ("return on_tick(ctx)", "RecursionError"),
        ("ctx.state = 'x' * 20000", "ctx.state has 20002 bytes"),
        (
            "x = 'a' * 1000\n    for i in range(9):\n        x = [x] * 20\n    ctx.state = x",
            "Memory",
        ),
        ("x = []\n    for i in range(10000):\n        x = [x]\n    ctx.state = x", "Recursion"),
        ("ctx.state = float('nan')", "NaN is not a JSON number"),
        ("ctx.state = {1, 2}", "TypeError"),
        ("ctx.state = ctx", "TypeError"),
        (
            "for n in range(60):\n        try:\n            nothing()\n        except NameError:\n"
            "            pass",
            "asked the host more than 50 times",
        ),
        ("nothing()", "NameError: name 'nothing' is not defined"),
        ("ctx.view['chain'] = 3\n    ctx.strikes()", "TypeError"),
        ("ctx.actions.append({'do': 'transfer'})", "an action nobody knows"),
        ("ctx.actions.append({'do': 'log', 'message': 'x'})", "other fields"),
        ("ctx.actions.append({'do': 'log', 'message': 3, 'data': {}})", "of another kind"),
        ("ctx.actions.append({'do': 'log', 'message': 'x', 'data': []})", "of another kind"),
        ("ctx.actions.extend([{'do': 'cancel', 'order': 1}] * 202)", "more than 201 actions"),
        ("ctx.actions.append(3)", "an action nobody knows"),
        ("ctx.actions.append({'do': ['open']})", "an action nobody knows"),
        ("ctx.actions.extend([{'do': 'skip', 'reason': 'x' * 9000}] * 100)", "bytes; at most"),
        ("ctx.state = 10 ** 5000", "limit"),
    ],
)
def test_what_goes_too_far_is_one_error_and_the_next_call_is_served(run, body, reason):
    with pytest.raises(StrategyError, match=reason):
        run(f"def on_tick(ctx):\n    {body}\n", "on_tick", view())

    assert run(COUNTER, "on_tick", view()).state == 1


def test_other_programs_are_served_while_one_spins(sandbox):
    good, bad = sandbox.strategy(COUNTER), sandbox.strategy(SPIN)
    for _ in range(3):
        with pytest.raises(StrategyError):
            bad.call("on_tick", view(), None)

        assert good.call("on_tick", view(state=1), None).state == 2


def test_a_worker_that_dies_is_replaced_and_the_call_repeated(sandbox):
    strategy = sandbox.strategy("def on_tick(ctx):\n    ctx.state = 'alive'\n")
    strategy.call("on_tick", view(), None)
    killed = sandbox.worker_pids()[-1]
    os.kill(killed, 9)

    assert strategy.call("on_tick", view(), None).state == "alive"
    assert killed not in sandbox.worker_pids()


def test_a_program_that_keeps_spinning_is_left_alone_for_a_minute_of_the_market(sandbox):
    strategy = sandbox.strategy(SPIN + "# patience\n")
    for _ in range(3):
        with pytest.raises(StrategyError, match="TimeoutError"):
            strategy.call("on_tick", view(), None)

    with pytest.raises(StrategyError, match="not called for 31 s more"):
        strategy.call("on_tick", view(at_ms=view()["at_ms"] + 29_500), None)
    with pytest.raises(StrategyError, match="TimeoutError"):
        strategy.call("on_tick", view(at_ms=view()["at_ms"] + 60_000), None)


def test_a_spinning_session_does_not_stop_another_of_the_same_program(sandbox):
    text = "def on_tick(ctx):\n    while ctx.state:\n        pass\n"
    spinning, calm = sandbox.strategy(text), sandbox.strategy(text)
    for _ in range(4):
        with pytest.raises(StrategyError):
            spinning.call("on_tick", view(state=1), None)

    assert calm.call("on_tick", view(), None).state is None


def test_a_call_that_was_interrupted_leaves_no_half_answered_program(sandbox, monkeypatch):
    strategy = sandbox.strategy("def on_tick(ctx):\n    ctx.state = ctx.spot_cents\n")
    with monkeypatch.context() as patch:
        patch.setattr(LiveProgram, "_until_asking", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            strategy.call("on_tick", view(), None)

    assert strategy.call("on_tick", view(spot_cents=1), None).state == 1


def test_the_limits_can_be_set():
    limits = Limits(call_seconds=0.05)
    with Sandbox(limits=limits) as strict, pytest.raises(StrategyError, match=r"0\.05 s"):
        strict.strategy(SPIN).call("on_tick", view(), None)


def _interrupted(live, snapshot):
    raise KeyboardInterrupt
