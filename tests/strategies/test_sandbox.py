"""Programs in their workers: answers as on the host, state, errors, limits, replacement."""

from __future__ import annotations

import os
import re
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from simengine.strategy import Hooks, StrategyError
from strategies.runtime import prelude
from strategies.runtime.live import LiveProgram
from strategies.runtime.prelude import Ctx
from strategies.runtime.program import InvalidProgram
from strategies.runtime.sandbox import Sandbox, SandboxUnavailable, call_seed
from tests.strategies.market import FILL, closed_trade, order, trade, view

COUNTER = """
def on_tick(ctx):
    ctx.state = (ctx.state or 0) + 1
"""
SPIN = "def on_tick(ctx):\n    while True:\n        pass\n"


def test_a_program_answers_as_the_host_would(run):
    text = (
        'times = ["10:00"]\n'
        "def at(ctx, time):\n"
        '    package = ctx.select([sell("put", delta=0.25), buy("put", offset=-20, leg=0)])\n'
        '    ctx.log("looked", **package.explain(), random=ctx.random(), at=time)\n'
        '    ctx.open(package, contracts=ctx.contracts_for_risk(package, 20), exit_at="15:55")\n'
        '    ctx.signal("done", quote=f"{ctx.quote(\'put\', 5930)}")\n'
        '    ctx.state = {"seen": [ctx.spot, ctx.vix]}\n'
    )
    here = {"sell": prelude.sell, "buy": prelude.buy}
    exec(text, here)  # our own text, on the host
    ctx = Ctx(view(random_seed=call_seed(7, "at", "10:00")), "at")

    here["at"](ctx, "10:00")
    decision = run(text, "at", view(), "10:00")

    assert decision.actions == ctx.finish()
    assert decision.state == ctx.state
    assert decision.actions[1]["legs"] == [["put", 593_000, -1], ["put", 591_000, 1]]


def test_every_hook_is_called_with_its_argument(run):
    text = (
        'times = ["10:00", "12:30:15"]\n'
        "def on_start(ctx):\n    ctx.log('start')\n"
        "def on_fill(ctx, fill):\n    ctx.log(f'{fill.kind} {fill.price} {fill.trade}')\n"
        "def on_tick(ctx):\n    ctx.log(ctx.time)\n"
        "def at(ctx, time):\n    ctx.log(time)\n"
    )

    calls = [("on_start", None), ("on_fill", FILL), ("on_tick", None), ("at", "12:30:15")]
    messages = [run(text, hook, view(), given).actions[0]["message"] for hook, given in calls]

    assert messages == ["start", "opening -1.6 1", "10:00:00", "12:30:15"]


def test_every_call_of_a_tick_draws_its_own_numbers_and_the_same_ones_again(run):
    draw = "    ctx.state = ctx.random()\n"
    text = (
        f'times = ["10:00", "10:01"]\ndef at(ctx, time):\n{draw}def on_tick(ctx):\n{draw}'
        f"def on_fill(ctx, fill):\n{draw}"
    )
    calls = [("at", "10:00"), ("at", "10:01"), ("on_tick", None), ("on_fill", FILL)]
    calls.append(("on_fill", {**FILL, "order": 4}))

    first, again = (
        [run(text, hook, view(), given).state for hook, given in calls] for _ in range(2)
    )

    assert first == again
    assert len(set(first)) == len(calls)


def test_the_hooks_of_a_program_are_known_before_it_runs(sandbox):
    text = (
        'times = ["12:30", "10:00"]\ndef at(ctx, time):\n    pass\ndef on_start(ctx):\n    pass\n'
    )

    strategy = sandbox.strategy(text)

    assert strategy.hooks == Hooks(on_start=True, times=(36_000, 45_000))


def test_a_hook_the_program_does_not_define_is_refused(run):
    with pytest.raises(StrategyError, match="defines no on_fill"):
        run(COUNTER, "on_fill", view(), FILL)


def test_state_is_what_the_last_call_left(run):
    state = None
    for _ in range(3):
        state = run(COUNTER, "on_tick", view(state=state)).state

    assert state == 3


def test_state_survives_a_restart_of_the_sandbox():
    with Sandbox() as first:
        left = first.strategy(COUNTER).call("on_tick", view(), None).state

    with Sandbox() as second:
        assert second.strategy(COUNTER).call("on_tick", view(state=left), None).state == 2


def test_nothing_is_remembered_between_calls_but_state(run):
    text = (
        "def on_tick(ctx):\n"
        "    seen = ctx.trades\n"
        "    ctx.trades.append(1)\n"
        "    ctx.log(f'{len(seen)}')\n"
    )

    first = run(text, "on_tick", view(), None)
    second = run(text, "on_tick", view(), None)

    assert first == second


def test_times_cannot_be_used_as_memory(run):
    text = 'times = ["10:00"]\ndef at(ctx, time):\n    times.append(time)\n'

    with pytest.raises(StrategyError, match="append"):
        run(text, "at", view(), "10:00")


def test_more_programs_than_workers_take_turns():
    with Sandbox(processes=2) as small:
        strategies = [
            small.strategy(f"def on_tick(ctx):\n    ctx.state = {number}\n") for number in range(5)
        ]

        answers = [each.call("on_tick", view(), None).state for each in strategies * 2]

        assert answers == [0, 1, 2, 3, 4] * 2
        assert small.live_count() == 2


def test_of_more_on_tick_programs_than_workers_most_stay_live(monkeypatch):
    loads = []
    load = LiveProgram.load
    monkeypatch.setattr(LiveProgram, "load", lambda *given: loads.append(1) or load(*given))
    with Sandbox(processes=4) as small:
        strategies = [small.strategy(f"{COUNTER}# {number}\n") for number in range(6)]
        for second in range(3):
            for each in strategies:
                each.call("on_tick", view(at_ms=view()["at_ms"] + 1000 * second), None)
        loads.clear()
        for each in strategies:
            each.call("on_tick", view(at_ms=view()["at_ms"] + 3000), None)

    assert len(loads) <= 3  # with the longest uncalled ended first, it would be all six


def test_a_program_that_is_not_called_any_more_gives_up_its_worker():
    with Sandbox(processes=1) as small:
        first, second = small.strategy(COUNTER), small.strategy(f"{COUNTER}# another\n")
        first.call("on_tick", view(), None)
        later = view(at_ms=view()["at_ms"] + 60_000)

        assert second.call("on_tick", later, None).state == 1
        assert small.live_count() == 1


def test_equal_programs_share_a_worker():
    with Sandbox() as shared:
        first, second = shared.strategy(COUNTER), shared.strategy(COUNTER)
        first.call("on_tick", view(), None)

        assert second.call("on_tick", view(state=41), None).state == 42
        assert shared.live_count() == 1


def test_threads_take_turns(sandbox):
    strategies = [
        sandbox.strategy(f"def on_tick(ctx):\n    ctx.state = (ctx.state or 0) + {number}\n")
        for number in range(5)
    ]

    def once(number):
        return strategies[number % 5].call("on_tick", view(state=100), None).state

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(once, range(100)))

    assert answers == [100 + number % 5 for number in range(100)]


def test_a_closed_sandbox_leaves_no_process_and_starts_again():
    closed = Sandbox()
    strategy = closed.strategy(COUNTER)
    strategy.call("on_tick", view(), None)
    (pid,) = closed.worker_pids()

    closed.close()

    assert not _is_running(pid)
    assert strategy.call("on_tick", view(), None).state == 1
    closed.close()


def test_without_workers_the_sandbox_is_unavailable(monkeypatch):
    monkeypatch.setenv("MONTY_BIN", "/nowhere/monty")

    with pytest.raises(SandboxUnavailable), Sandbox():
        pass


def test_a_process_forked_from_one_with_workers_is_refused_instead_of_waiting(sandbox):
    sandbox.strategy(COUNTER)
    child = os.fork()
    if child == 0:
        signal.alarm(5)
        try:
            Sandbox().start()
        except SandboxUnavailable:
            os._exit(7)
        os._exit(0)

    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 7


def test_the_chain_is_read_anew_on_every_tick(run):
    text = "def on_tick(ctx):\n    ctx.state = [ctx.quote('put', 5950).bid, len(ctx.strikes())]\n"
    small = view(chain={5950: ((920, 950, 5000), (123, 130, 5000))})

    states = [run(text, "on_tick", given).state for given in (view(), small, view())]

    assert states == [[6.6, 15], [1.23, 1], [6.6, 15]]


def test_the_engines_columns_are_left_alone(run):
    given = view()
    before = {
        name: list(given[name]) for name in given if name.endswith("_cents") and "bid" in name
    }

    run("def on_tick(ctx):\n    ctx.chain().strikes.clear()\n", "on_tick", given)

    assert {name: given[name] for name in before} == before


def test_everything_of_the_account_reaches_the_program(run):
    text = (
        "def on_tick(ctx):\n"
        "    ctx.state = [f'{ctx.trades}', f'{ctx.orders}', f'{ctx.closed_trades}',\n"
        "                 ctx.trades[0].profit_pct, ctx.orders[0].limit,\n"
        "                 ctx.closed_trades[0].profit, ctx.cash_cents, ctx.day_pl_cents,\n"
        "                 ctx.max_open_orders]\n"
    )
    given = view(
        trades=[trade()], orders=[order()], closed_trades=[closed_trade()], day_pl_cents=-5
    )

    state = run(text, "on_tick", given).state

    assert state == [
        "[trade 1]",
        "[order 3]",
        "[closed trade 1]",
        50.0,
        -1.45,
        -50.0,
        2_500_000,
        -5,
        10,
    ]


def test_a_nul_in_what_a_program_says_is_replaced(run):
    text = (
        "def on_tick(ctx):\n    ctx.log('a\\x00b', c='\\x00')\n    ctx.state = {'\\x00': '\\x00'}\n"
    )

    decision = run(text, "on_tick", view())

    assert decision.actions == [{"do": "log", "message": "a\ufffdb", "data": {"c": "\ufffd"}}]
    assert decision.state == {"\ufffd": "\ufffd"}


def test_what_a_program_prints_goes_nowhere(run, capfd):
    # print is refused by the rules; a worker's own output must not reach ours either.
    run("def on_tick(ctx):\n    ctx.log('quiet')\n", "on_tick", view())

    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("def on_tick(ctx):\n    x = 1\n    y = lambda: (yield)\n", 3),
        ("X = 1\nY = 1 / 0\ndef on_tick(ctx):\n    pass\n", 2),
        ("from math import moon\ndef on_tick(ctx):\n    pass\n", 1),
        ("X = 10 ** 10 ** 10\ndef on_tick(ctx):\n    pass\n", 1),
    ],
)
def test_what_the_sandbox_cannot_load_is_refused_with_its_line(sandbox, text, line):
    with pytest.raises(InvalidProgram) as caught:
        sandbox.strategy(text)

    assert caught.value.line in (line, None)


def test_programs_see_nothing_of_the_prelude_but_what_is_meant_for_them():
    names = set(re.findall(r"^(?:def |class )?(\w+)", prelude.source(), re.MULTILINE))

    visible = {name for name in names if not name.startswith("_")} - {"import"}

    assert visible == prelude.classes() | prelude.PUBLIC_NAMES


def _is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as stat:  # a zombie has ended too
        return stat.read().split()[2] != "Z"
