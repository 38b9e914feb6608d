"""Runs claimed backtests, a day after the other, with the engine of a live session.

The balance is carried from day to day. A tape that no session can run on is noted and passed over;
whatever else goes wrong ends the process, and another one takes the day up again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from backtests import claims
from backtests.models import Backtest, BacktestDay
from marketdata.tape.load import load_tape
from marketdata.tape.model import Tape
from sessions.days import UNUSABLE, Plan, run_tape
from simengine.fees import FeeSchedule
from simengine.policy import Policy
from strategies.runtime.program import InvalidProgram

log = logging.getLogger(__name__)

KEEP_EVERY_SECONDS = 1.0

StopRequested = Callable[[], bool]


class Stopped(Exception):
    """This process is asked to end; the backtest is left for another one."""


class TooSlow(Exception):
    """One day took longer than BACKTEST_DAY_SECONDS."""


def run_waiting(stop_requested: StopRequested) -> int:
    """Run what waits until nothing does or the process is to stop; how many were begun."""
    count = 0
    while not stop_requested() and (backtest := claims.claim(now=timezone.now())):
        count += 1
        try:
            run(backtest, stop_requested)
        except claims.ClaimLost:
            log.info("a backtest was canceled or taken over", extra={"backtest": str(backtest.pk)})
    return count


def run(backtest: Backtest, stop_requested: StopRequested) -> None:
    """A claimed backtest to its end, or as far as this process gets. Raises ClaimLost."""
    plan = _plan_of(backtest)
    try:
        for day in claims.waiting_days(backtest):
            balance_cents = claims.balance_cents(backtest, before=day.trading_date)
            if balance_cents <= 0:
                reason = f"nothing was left to trade with on {day.trading_date}"
                claims.finish(backtest, now=timezone.now(), reason=reason)
                return
            _run_day(backtest, day, plan, balance_cents, stop_requested)
    except Stopped:
        claims.release(backtest)
    except InvalidProgram as invalid:
        claims.fail(backtest, f"the program cannot be loaded: {invalid}", now=timezone.now())
    except TooSlow:
        seconds = settings.BACKTEST_DAY_SECONDS
        reason = f"{day.trading_date} took longer than {seconds} seconds: the program is too slow"
        claims.fail(backtest, reason, now=timezone.now())
    else:
        claims.finish(backtest, now=timezone.now())


def _run_day(
    backtest: Backtest,
    day: BacktestDay,
    plan: Plan,
    balance_cents: int,
    stop_requested: StopRequested,
) -> None:
    try:
        tape = load_tape(Path(day.tape_path))
        watch = _Watch(backtest, tape, stop_requested)
        result = run_tape(
            tape, day.tape_path, 0, plan, balance_cents=balance_cents, on_tick=watch.ticked
        )
    except UNUSABLE as error:
        name = Path(day.tape_path).name
        columns = claims.unusable(" ".join(str(error).replace(day.tape_path, name).split()))
    else:
        columns = claims.ran(result, opening_balance_cents=balance_cents, tape_digest=tape.digest)
    claims.record(backtest, day, columns)


class _Watch:
    """Looks up from a day's ticks once a second: is the claim still ours, is it time to stop?"""

    def __init__(self, backtest: Backtest, tape: Tape, stop_requested: StopRequested) -> None:
        self._backtest = backtest
        self._tick_count = len(tape.ticks)
        self._stop_requested = stop_requested
        started = time.monotonic()
        self._deadline = started + settings.BACKTEST_DAY_SECONDS
        self._look_at = started

    def ticked(self, done: int) -> None:
        now = time.monotonic()
        if now < self._look_at:
            return
        self._look_at = now + KEEP_EVERY_SECONDS
        if self._stop_requested():
            raise Stopped
        if now > self._deadline:
            raise TooSlow
        claims.keep(self._backtest, day_pct=99 * done // self._tick_count)


def _plan_of(backtest: Backtest) -> Plan:
    return Plan(
        program=backtest.strategy.program,
        strategy_name=backtest.strategy_name,
        policy=Policy.from_json(backtest.policy),
        balance_cents=backtest.capital_cents,
        slippage_cents=backtest.slippage_cents,
        fees=FeeSchedule(**backtest.fee_schedule),
        hold_seconds=None,
    )
