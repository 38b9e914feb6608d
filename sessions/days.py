"""Many recorded days at once: side by side over the cores, or one after the other with the balance
carried. Either way the results stand in date order and the same inputs give the same results.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple

import orjson
from pyarrow.lib import ArrowException

from marketdata.tape.load import load_tape
from marketdata.tape.model import Tape, TapeError
from sessions.simulate import Setup, SimulatedDay, as_json, simulate
from simengine.fees import FeeSchedule
from simengine.policy import Policy
from strategies.runtime.program import source_hash
from strategies.runtime.sandbox import Sandbox

# A packed tape is decoded as it is run, so a broken one may fail in the middle.
UNUSABLE = (TapeError, OSError, ArrowException)

Advance = Callable[[int], None]  # so many more are done
Watch = Callable[[int], AbstractContextManager[Advance]]  # of so many in all


@contextmanager
def unwatched(_total: int) -> Iterator[Advance]:
    yield lambda _: None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be run on every tape. Money in cents."""

    program: str
    strategy_name: str
    policy: Policy
    balance_cents: int
    slippage_cents: int
    fees: FeeSchedule
    hold_seconds: int | None
    documents: Path | None = None  # the folder that takes every day's whole result as JSON


@dataclass(frozen=True, slots=True)
class DayResult:
    """One finished day. Money in cents."""

    tape: str
    trading_date: date
    status: str
    status_reason: str
    order_count: int
    fill_count: int
    fees_cents: int
    total_pl_cents: int
    final_nlv_cents: int
    max_intraday_dd_cents: int
    settlement_cents: int
    settlement_source: str
    document: Path | None


@dataclass(frozen=True, slots=True)
class FailedTape:
    """A tape that no session can run on, and why, in one line."""

    tape: str
    reason: str


class Summary(NamedTuple):
    """Over all days, in date order. Money in cents."""

    days: int
    wins: int  # days that ended above where they began
    total_cents: int
    best: DayResult
    worst: DayResult
    drawdown_cents: int  # largest fall of the summed P&L from its peak, at the ends of days
    intraday_drawdown_cents: int  # the largest within one day
    fees_cents: int


def run_side_by_side(
    paths: Sequence[Path],
    plan: Plan,
    *,
    processes: int | None = None,
    watch: Watch = unwatched,
) -> tuple[list[DayResult], list[FailedTape]]:
    """Every day by itself from the plan's balance, `processes` at a time (default: one a core).

    Not for a process that has had a sandbox: its children cannot have one. Raises InvalidProgram,
    SandboxUnavailable, and BrokenProcessPool when the system ended a worker.
    """
    # Forked, a worker has the app registry at once: starting another Python costs more than a day.
    context = multiprocessing.get_context("fork")
    workers = min(processes or len(os.sched_getaffinity(0)), len(paths))
    ended: list[DayResult | FailedTape] = []
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        running = {pool.submit(run_file, path, number, plan) for number, path in enumerate(paths)}
        try:
            with watch(len(paths)) as advance:  # after the fork, for it may start a thread
                for future in as_completed(running):
                    ended.append(future.result())
                    advance(1)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return _sorted(ended)


def run_carrying(
    paths: Sequence[Path], plan: Plan, *, watch: Watch = unwatched
) -> tuple[list[DayResult], list[FailedTape]]:
    """In date order, each day opening with the balance the one before closed with.

    Raises InvalidProgram and SandboxUnavailable.
    """
    ended: list[DayResult | FailedTape] = []
    tapes: list[tuple[date, int, Tape]] = []
    for number, path in enumerate(paths):
        try:
            tape = load_tape(path, hold_seconds=plan.hold_seconds)
        except UNUSABLE as error:
            ended.append(_failed(path, error))
        else:
            tapes.append((tape.trading_date, number, tape))
    balance_cents = plan.balance_cents
    with watch(len(tapes)) as advance:
        for _, number, tape in sorted(tapes, key=lambda item: item[:2]):
            path = paths[number]
            try:
                result = run_tape(tape, str(path), number, plan, balance_cents=balance_cents)
            except UNUSABLE as error:
                ended.append(_failed(path, error))
            else:
                balance_cents = result.final_nlv_cents
                ended.append(result)
            advance(1)
    return _sorted(ended)


def run_file(path: Path, number: int, plan: Plan) -> DayResult | FailedTape:
    """One day from the plan's balance. `number` keeps apart two tapes of one name."""
    try:
        tape = load_tape(path, hold_seconds=plan.hold_seconds)
        return run_tape(tape, str(path), number, plan, balance_cents=plan.balance_cents)
    except UNUSABLE as error:
        return _failed(path, error)


def run_tape(
    tape: Tape,
    name: str,
    number: int,
    plan: Plan,
    *,
    balance_cents: int,
    on_tick: Callable[[int], None] | None = None,
) -> DayResult:
    with Sandbox() as sandbox:
        setup = Setup(
            source_hash=source_hash(plan.program),
            strategy_name=plan.strategy_name,
            strategy=sandbox.strategy(plan.program),
            policy=plan.policy,
            opening_balance_cents=balance_cents,
            slippage_cents=plan.slippage_cents,
            fees=plan.fees,
        )
        day = simulate(tape, setup, on_tick=on_tick)
    document = None
    if plan.documents is not None:
        document = plan.documents / f"{number}.json"
        document.write_bytes(orjson.dumps(as_json(day), option=orjson.OPT_INDENT_2))
    return _result_of(day, name, document)


def summary_of(results: Sequence[DayResult]) -> Summary:
    """Of at least one result, in date order. The first of two equal days is the best or worst."""
    total_cents = peak_cents = drawdown_cents = 0
    for result in results:
        total_cents += result.total_pl_cents
        peak_cents = max(peak_cents, total_cents)
        drawdown_cents = max(drawdown_cents, peak_cents - total_cents)
    return Summary(
        days=len(results),
        wins=sum(result.total_pl_cents > 0 for result in results),
        total_cents=total_cents,
        best=max(results, key=lambda result: result.total_pl_cents),
        worst=min(results, key=lambda result: result.total_pl_cents),
        drawdown_cents=drawdown_cents,
        intraday_drawdown_cents=max(result.max_intraday_dd_cents for result in results),
        fees_cents=sum(result.fees_cents for result in results),
    )


def _failed(path: Path, error: Exception) -> FailedTape:
    reason = " ".join(str(error).split())
    return FailedTape(str(path), reason if str(path) in reason else f"{path}: {reason}")


def _sorted(
    ended: Sequence[DayResult | FailedTape],
) -> tuple[list[DayResult], list[FailedTape]]:
    results = [item for item in ended if isinstance(item, DayResult)]
    failed = [item for item in ended if isinstance(item, FailedTape)]
    return (
        sorted(results, key=lambda result: (result.trading_date, result.tape)),
        sorted(failed, key=lambda item: item.tape),
    )


def _result_of(day: SimulatedDay, name: str, document: Path | None) -> DayResult:
    session = day.session
    return DayResult(
        tape=name,
        trading_date=session.trading_date,
        status=session.status,
        status_reason=session.status_reason or "",
        order_count=session.order_count or 0,
        fill_count=session.fill_count or 0,
        fees_cents=session.total_fees_cents or 0,
        total_pl_cents=session.total_pl_cents or 0,
        final_nlv_cents=session.final_nlv_cents or 0,
        max_intraday_dd_cents=session.max_intraday_dd_cents or 0,
        settlement_cents=day.tape.settlement[0],
        settlement_source=day.settlement_source,
        document=document,
    )
