"""What a program costs: `python -m bench.strategies` (docs/strategies.md has the last figures).

Prints microseconds per session-tick for sessions whose programs really run in sandbox workers, the
time a worker and a program take to start, and the memory of a worker. As in a runner, the sessions
take each tick one after the other. Times are the wall's: the workers are other processes.
"""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.engine import bench_terms, processor
from simengine.market import Tick
from simengine.state import SessionState
from simengine.step import step
from strategies.compiler import compile_form
from strategies.form import normalise
from strategies.runtime.sandbox import DEFAULT_PROCESSES, Sandbox
from strategies.templates import TEMPLATES
from tests.engine.market_days import market_day

STRIKES = 200
WARM_UP_TICKS = 10
TICKS = 60
REPEATS = 5
STARTS = 20
FORM = next(each.config for each in TEMPLATES if each.id == "iron-condor")
COUNTER = "def on_tick(ctx):\n    ctx.state = (ctx.state or 0) + 1\n"
READER = """def on_tick(ctx):
    quote = ctx.find(sell("put", delta=0.30))
    ctx.state = quote.mid_half_cents
"""


def clock(second: int) -> str:
    """`second` seconds after the open."""
    minutes, seconds = divmod(second, 60)
    hours, minutes = divmod(9 * 60 + 30 + minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}"


def compiled(first_second: int, count: int) -> str:
    """An iron condor tried at each of `count` seconds; its trades stay open."""
    times = [clock(first_second + number) for number in range(count)]
    form = {**FORM, "entry": {"times": times}, "exit": {}}
    return compile_form(normalise(form))


def named(program: str) -> Callable[[int], str]:
    return lambda number: f"{program}# {number}\n"


# What it is called, how many sessions, the program of each, the ticks measured.
SITUATIONS: list[tuple[str, int, Callable[[int], str], int]] = [
    ("a compiled form between its times", 50, lambda n: compiled(3600, 2), 50),
    ("a compiled form at its times, 4 legs chosen", 10, lambda n: compiled(WARM_UP_TICKS, 40), 40),
    ("on_tick that counts, one program", 50, lambda n: COUNTER, 50),
    ("on_tick that reads the chain, one program", 50, lambda n: READER, 50),
    ("on_tick that counts, each its own program", 12, named(COUNTER), 20),
    ("the same, 8 more programs than workers", DEFAULT_PROCESSES + 8, named(COUNTER), 5),
]


def cost_us(
    sandbox: Sandbox, sessions: int, program: Callable[[int], str], ticks: Sequence[Tick]
) -> tuple[float, float]:
    """Median and best of `REPEATS`: microseconds of one session's step."""
    terms = bench_terms()
    samples = []
    for _ in range(REPEATS):
        strategies = [sandbox.strategy(program(number)) for number in range(sessions)]
        states = [SessionState.opening(terms, each.hooks.times) for each in strategies]
        for tick in ticks[:WARM_UP_TICKS]:
            for state, strategy in zip(states, strategies, strict=True):
                step(state, tick, (), terms, strategy)
        started = time.perf_counter()
        for tick in ticks[WARM_UP_TICKS:]:
            for state, strategy in zip(states, strategies, strict=True):
                step(state, tick, (), terms, strategy)
        samples.append(time.perf_counter() - started)
        if any(state.error_count for state in states):
            raise SystemExit("a program failed")
    steps = sessions * (len(ticks) - WARM_UP_TICKS)
    return statistics.median(samples) / steps * 1e6, min(samples) / steps * 1e6


def median_ms(work: Callable[[int], object]) -> float:
    seconds = []
    for number in range(STARTS):
        started = time.perf_counter()
        work(number)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds) * 1e3


def start_sandbox(number: int) -> None:
    with Sandbox() as sandbox:
        sandbox.strategy(named(COUNTER)(number))


def memory_mb(pid: int) -> tuple[float, float]:
    """Resident and private memory of a process."""
    kilobytes = {
        line.split(":")[0]: int(line.split()[1])
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    }
    private = kilobytes["Private_Clean"] + kilobytes["Private_Dirty"]
    return kilobytes["Rss"] / 1024, private / 1024


def main() -> None:
    ticks = list(market_day(seed=1, seconds=TICKS, strikes=STRIKES))
    print(f"Python {platform.python_version()}, {processor()}")
    print(f"{2 * STRIKES} quotes a tick, {DEFAULT_PROCESSES} workers; µs per session-tick\n")
    print(f"{'median':>9} {'best':>9}  session")
    with Sandbox() as sandbox:
        for name, sessions, program, count in SITUATIONS:
            middle, best = cost_us(sandbox, sessions, program, ticks[: WARM_UP_TICKS + count])
            print(f"{middle:9.1f} {best:9.1f}  {name}, {sessions} sessions", flush=True)
        loading = median_ms(lambda number: sandbox.strategy(named(COUNTER)(1000 + number)))
        largest = compiled(0, 50)
        loading_form = median_ms(lambda number: sandbox.strategy(f"{largest}# {number}\n"))
        used = [memory_mb(pid) for pid in sandbox.worker_pids()]
    starting = median_ms(start_sandbox)
    print(f"\nstart a sandbox and its first program     {starting:6.1f} ms")
    print(f"load a small program into a worker        {loading:6.1f} ms")
    print(f"load a compiled form of 50 times          {loading_form:6.1f} ms")
    resident, private = (statistics.mean(column) for column in zip(*used, strict=True))
    print(f"a worker's memory  {resident:.1f} MB resident, {private:.1f} MB of it its own")


if __name__ == "__main__":
    main()
