"""What a session costs: `python -m bench.engine` (docs/engine.md has the last figures).

Prints microseconds per session-tick for sessions in several situations, the memory blocks that a
tick leaves alive, and a whole day of 23,400 ticks of 400 quotes. As in a runner, many sessions take
each tick one after the other, so its quotes are warm; the whole day is one session alone, cold.
"""

from __future__ import annotations

import gc
import platform
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from simengine import ENGINE_VERSION
from simengine.market import Tick
from simengine.policy import Policy
from simengine.state import SessionState, SessionTerms
from simengine.step import step
from simengine.strategy import Decision, Hooks
from tests.engine.builders import make_policy, make_terms
from tests.engine.market_days import market_day

SESSIONS = 50
WARM_UP_TICKS = 10
TICKS = 110
REPEATS = 15
STRIKES = 200
DAY_TICKS = 23_400
DRAWN_TICKS = 900  # of a day; they are repeated, for drawing 9 million quotes takes a minute

CONDOR = [["put", 592500, 1], ["put", 593500, -1], ["call", 596500, -1], ["call", 597500, 1]]
OTHER_CONDOR = [["put", 592000, 1], ["put", 593000, -1], ["call", 597000, -1], ["call", 598000, 1]]
VERTICAL = [["put", 593000, -1], ["put", 592000, 1]]


class Form:
    """What a compiled form is between its times: silent. It opens what it holds at the start."""

    def __init__(self, *opening: dict[str, Any], times: tuple[int, ...] = ()) -> None:
        self.opening = opening
        self.hooks = Hooks(on_start=True, times=times)

    def call(self, hook: str, view: dict[str, Any], argument: Any) -> Decision:
        del view, argument
        return Decision(list(self.opening) if hook == "on_start" else [], None)


def open_action(legs: list[list[Any]], **options: Any) -> dict[str, Any]:
    return {"do": "open", "legs": legs, "contracts": 1, **options}


def resting(legs: list[list[Any]]) -> dict[str, Any]:
    """An order that follows the mid all day and never gets to it."""
    return open_action(legs, limit_cents=-900)


HOLDING = open_action(
    CONDOR, order="market", profit_target_pct=95, stop_loss_pct=90_000, exit_at_seconds=57_300
)
TIMES = (36_000, 45_000, 57_000)
BUSY = "the same and 2 re-pricing orders (4 + 2 legs)"
SITUATIONS: dict[str, Callable[[], Form]] = {
    "idle, a program without times": Form,
    "a form between its times, nothing held": lambda: Form(times=TIMES),
    "a form holding a condor (4 legs) with exit rules": lambda: Form(HOLDING, times=TIMES),
    BUSY: lambda: Form(HOLDING, resting(OTHER_CONDOR), resting(VERTICAL), times=TIMES),
    "the same and 2 re-pricing condors (4 + 4 legs)": lambda: Form(
        HOLDING, resting(OTHER_CONDOR), resting(CONDOR), times=TIMES
    ),
}


class Cost(NamedTuple):
    median_us: float
    best_us: float
    blocks: float


def bench_terms() -> SessionTerms:
    """The default re-pricing with room to walk, and guardrails out of the way."""
    policy: Policy = make_policy(
        max_daily_loss_e4=5000,
        data_staleness_threshold_ms=10_000,
        opening={"max_concession_cents": 1000},
    )
    return make_terms(policy=policy, balance_cents=10_000_000)


class Session:
    """One session that has opened what it holds."""

    def __init__(self, strategy: Form, ticks: Iterable[Tick], terms: SessionTerms) -> None:
        self.strategy, self.terms = strategy, terms
        self.state = SessionState.opening(terms, strategy.hooks.times)
        for tick in ticks:
            step(self.state, tick, (), terms, strategy)
        found = (len(self.state.trades), len(self.state.orders))
        trades = sum(action.get("order") == "market" for action in strategy.opening)
        wanted = (trades, len(strategy.opening) - trades)
        if found != wanted:
            raise SystemExit(f"expected {wanted} trades and orders, found {found}")


def cost_of(make: Callable[[], Form], ticks: Sequence[Tick], terms: SessionTerms) -> Cost:
    samples = []
    for _ in range(REPEATS):
        sessions = [Session(make(), ticks[:WARM_UP_TICKS], terms) for _ in range(SESSIONS)]
        gc.collect()
        gc.disable()
        started = time.process_time()
        for tick in ticks[WARM_UP_TICKS:]:
            for session in sessions:
                step(session.state, tick, (), terms, session.strategy)
        samples.append(time.process_time() - started)
        gc.enable()
    steps = SESSIONS * (len(ticks) - WARM_UP_TICKS)
    median_us, best_us = statistics.median(samples) / steps * 1e6, min(samples) / steps * 1e6
    return Cost(median_us, best_us, blocks_of(make, ticks, terms))


def blocks_of(make: Callable[[], Form], ticks: Sequence[Tick], terms: SessionTerms) -> float:
    """Memory blocks that one step leaves alive: its result, and what the state keeps."""
    session = Session(make(), ticks[:WARM_UP_TICKS], terms)
    kept = []
    tracemalloc.start()
    before = tracemalloc.take_snapshot()
    for tick in ticks[WARM_UP_TICKS:]:
        kept.append(step(session.state, tick, (), terms, session.strategy))
    after = tracemalloc.take_snapshot()
    tracemalloc.stop()
    blocks = sum(row.count_diff for row in after.compare_to(before, "filename"))
    return blocks / len(kept)


def day_of_ticks() -> list[Tick]:
    drawn = list(market_day(seed=1, seconds=DRAWN_TICKS, strikes=STRIKES))
    names = [name for name in Tick.__slots__ if name not in ("seq", "at_ms", "received_ms")]
    ticks = []
    for number in range(DAY_TICKS):
        at_ms = drawn[0].at_ms + 1000 * number
        values = {name: getattr(drawn[number % len(drawn)], name) for name in names}
        ticks.append(Tick(seq=number + 1, at_ms=at_ms, received_ms=at_ms, **values))
    return ticks


def seconds_of_day(ticks: Sequence[Tick], terms: SessionTerms) -> tuple[float, float]:
    """One session over a whole day, and the floor: an empty loop over the decoded ticks."""
    session = Session(SITUATIONS[BUSY](), ticks[:WARM_UP_TICKS], terms)
    started = time.process_time()
    for tick in ticks[WARM_UP_TICKS:]:
        step(session.state, tick, (), terms, session.strategy)
    stepped = time.process_time()
    for _ in ticks:
        pass
    return stepped - started, time.process_time() - stepped


def processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} × {names[0]}" if names else platform.machine()


def main() -> None:
    terms = bench_terms()
    ticks = list(market_day(seed=1, seconds=TICKS, strikes=STRIKES))
    print(f"engine {ENGINE_VERSION}, Python {platform.python_version()}, {processor()}")
    print(
        f"{REPEATS} runs of {SESSIONS} sessions, {2 * STRIKES} quotes a tick; µs per session-tick\n"
    )
    print(f"{'median':>7} {'best':>7} {'blocks':>7}  session")
    for name, make in SITUATIONS.items():
        cost = cost_of(make, ticks, terms)
        print(f"{cost.median_us:7.2f} {cost.best_us:7.2f} {cost.blocks:7.1f}  {name}")
    seconds, floor = seconds_of_day(day_of_ticks(), terms)
    print(
        f"\none session alone, {DAY_TICKS:,} ticks: {seconds:.2f} s ({DAY_TICKS / seconds:,.0f}/s)"
    )
    print(f"the floor, an empty loop over them: {floor * 1000:.1f} ms")


if __name__ == "__main__":
    main()
