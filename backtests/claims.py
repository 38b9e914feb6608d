"""Who runs a backtest: a claim with a lease, and every write under it.

Each write is one guarded update that names the claim. A process that was frozen longer than its
lease finds the claim gone and leaves; so a day's result is written once, whoever ran it.
"""

from __future__ import annotations

import hashlib
import uuid
from datetime import date, datetime, timedelta
from typing import Any

import orjson
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce, Now

from backtests.models import Backtest, BacktestDay, Status
from sessions.days import DayResult
from simengine import ENGINE_VERSION

LEASE = timedelta(seconds=30)
LOST_LIMIT = 3  # processes that may die over one day before it is given up
REASON_LENGTH = 500


class ClaimLost(Exception):
    """The backtest was canceled, deleted or taken over."""


def claimable() -> QuerySet[Backtest]:
    is_free = Q(lease_until=None) | Q(lease_until__lt=Now())
    return Backtest.objects.live().filter(is_free)


def claim(*, now: datetime) -> Backtest | None:
    """The oldest backtest that nobody runs, from now on the caller's; None where there is none.

    One that an older engine began starts again: a result is never of two engines.
    """
    while True:
        with transaction.atomic():
            waiting = claimable().select_for_update(skip_locked=True).order_by("created_at")
            backtest = waiting.first()
            if backtest is None:
                return None
            if backtest.lost_count < LOST_LIMIT:
                _take(backtest, now)
                return backtest
            _end(
                Backtest.objects.filter(pk=backtest.pk),
                Status.FAILED,
                f"{LOST_LIMIT} processes ended over the same day",
                now,
            )


def keep(backtest: Backtest, *, day_pct: int) -> None:
    """A sign of life with the progress within the day. Raises ClaimLost."""
    _write(backtest, lease_until=Now() + LEASE, day_pct=day_pct)


def record(backtest: Backtest, day: BacktestDay, columns: dict[str, Any]) -> None:
    """What became of a day. Raises ClaimLost."""
    with transaction.atomic():
        _write(
            backtest,
            lease_until=Now() + LEASE,
            done_count=F("done_count") + 1,
            day_pct=0,
            lost_count=0,
        )
        for name, value in columns.items():
            setattr(day, name, value)
        day.save(update_fields=list(columns))


def release(backtest: Backtest) -> None:
    """Let go of it in good order: another process goes on at once. Raises ClaimLost."""
    _write(backtest, runner=None, lease_until=None, day_pct=0, lost_count=0)


def finish(backtest: Backtest, *, now: datetime, reason: str = "") -> None:
    """Every day is over; or, with a reason, there is nothing to go on with. Raises ClaimLost."""
    digest = digest_of(backtest)
    with transaction.atomic():
        _write(backtest, digest=digest)
        _end(_mine(backtest), Status.DONE, reason, now)


def fail(backtest: Backtest, reason: str, *, now: datetime) -> None:
    _end(_mine(backtest), Status.FAILED, reason, now)


def ran(result: DayResult, *, opening_balance_cents: int, tape_digest: str) -> dict[str, Any]:
    return {
        "outcome": BacktestDay.Outcome.RAN,
        "tape_digest": tape_digest,
        "status": result.status,
        "reason": result.status_reason[:REASON_LENGTH],
        "opening_balance_cents": opening_balance_cents,
        "total_pl_cents": result.total_pl_cents,
        "final_nlv_cents": result.final_nlv_cents,
        "max_intraday_dd_cents": result.max_intraday_dd_cents,
        "fees_cents": result.fees_cents,
        "order_count": result.order_count,
        "fill_count": result.fill_count,
        "settlement_cents": result.settlement_cents,
        "settlement_source": result.settlement_source,
    }


def unusable(reason: str) -> dict[str, Any]:
    return {"outcome": BacktestDay.Outcome.UNUSABLE, "reason": reason[:REASON_LENGTH]}


def digest_of(backtest: Backtest) -> str:
    """SHA-256 over what was run and what came of it: equal runs have equal digests."""
    names = (
        *("trading_date", "tape_digest", "outcome", "status", "opening_balance_cents"),
        *("total_pl_cents", "final_nlv_cents", "max_intraday_dd_cents", "fees_cents"),
        *("order_count", "fill_count", "settlement_cents", "settlement_source"),
    )
    about = {
        "engine": backtest.engine_version,
        "strategy": backtest.strategy_id,
        "policy": backtest.policy,
        "capital_cents": backtest.capital_cents,
        "slippage_cents": backtest.slippage_cents,
        "fees": backtest.fee_schedule,
        "days": list(backtest.days.order_by("trading_date").values_list(*names)),
    }
    return hashlib.sha256(orjson.dumps(about, option=orjson.OPT_SORT_KEYS)).hexdigest()


def waiting_days(backtest: Backtest) -> list[BacktestDay]:
    return list(backtest.days.filter(outcome=BacktestDay.Outcome.WAITING))


def balance_cents(backtest: Backtest, *, before: date) -> int:
    """What the day opens with: the close of the last one that ran, else the capital."""
    days = backtest.days.filter(outcome=BacktestDay.Outcome.RAN, trading_date__lt=before)
    last = days.order_by("trading_date").values_list("final_nlv_cents", flat=True).last()
    return backtest.capital_cents if last is None else last


def _take(backtest: Backtest, now: datetime) -> None:
    is_of_another_engine = backtest.engine_version not in ("", ENGINE_VERSION)
    if is_of_another_engine:
        backtest.days.update(outcome=BacktestDay.Outcome.WAITING)
        backtest.done_count = 0
    backtest.status = Status.RUNNING
    backtest.runner = uuid.uuid4()
    backtest.engine_version = ENGINE_VERSION
    Backtest.objects.filter(pk=backtest.pk).update(
        status=backtest.status,
        runner=backtest.runner,
        engine_version=backtest.engine_version,
        done_count=backtest.done_count,
        day_pct=0,
        lease_until=Now() + LEASE,
        lost_count=F("lost_count") + 1,
        started_at=Coalesce("started_at", now),
    )


def _mine(backtest: Backtest) -> QuerySet[Backtest]:
    return Backtest.objects.filter(pk=backtest.pk, runner=backtest.runner, status=Status.RUNNING)


def _write(backtest: Backtest, **columns: Any) -> None:
    if _mine(backtest).update(**columns) != 1:
        raise ClaimLost


def _end(rows: QuerySet[Backtest], status: Status, reason: str, now: datetime) -> None:
    if not rows.update(
        status=status,
        reason=reason[:REASON_LENGTH],
        ended_at=now,
        runner=None,
        lease_until=None,
        day_pct=0,
    ):
        raise ClaimLost
