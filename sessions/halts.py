"""The kill switch: everything stops and nothing starts until an operator lifts it.

It is a row. Whoever makes a session takes the lock below as a reader, whoever throws the switch as
the writer, so no start slips past. `sessions.stops` then stops what runs.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from common import errors
from sessions.models import TradingHalt

log = logging.getLogger(__name__)

_LOCK = 0x5A48_4B49_4C4C  # "ZHKILL"


class LiveTradingUnavailable(errors.Unavailable):
    code = "live_trading_unavailable"


class AlreadyHalted(errors.Conflict):
    code = "trading_already_halted"


class NotHalted(errors.Conflict):
    code = "trading_not_halted"


class NoReason(errors.InvalidInput):
    """Whoever halts or lifts says why."""


def current() -> TradingHalt | None:
    """The halt that is on."""
    return TradingHalt.objects.filter(lifted_at=None).first()


def was_on(*, since: datetime | None) -> bool:
    """Whether a halt is on, or was at any time since then (wall clock)."""
    is_on = Q(lifted_at=None)
    return TradingHalt.objects.filter(
        is_on if since is None else is_on | Q(lifted_at__gt=since)
    ).exists()


def refuse_while_halted() -> None:
    """LiveTradingUnavailable while the kill switch is on; holds it off until the caller commits.

    Call it in the transaction that makes a session.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_LOCK])
    halt = current()
    if halt is not None:
        raise LiveTradingUnavailable(f"Trading is halted by the operators: {halt.reason}")


def halt_everything(*, by: Any, reason: str, flatten: bool, now: datetime) -> TradingHalt:
    """Refuse every start from now on. The watcher stops what runs (sessions.stops.enforce).

    Raises AlreadyHalted, NoReason.
    """
    with transaction.atomic():
        _lock()
        if current() is not None:
            raise AlreadyHalted("Trading is halted already.")
        halt = TradingHalt.objects.create(
            reason=_given(reason), is_flattening=flatten, ordered_by=by, ordered_at=now
        )
    log.warning("trading halted by %s: %s", by, halt.reason)
    return halt


def lift(*, by: Any, reason: str, now: datetime) -> TradingHalt:
    """Let sessions start again; stopped ones stay stopped. Raises NotHalted, NoReason."""
    with transaction.atomic():
        _lock()
        halt = current()
        if halt is None:
            raise NotHalted("Trading is not halted.")
        halt.lifted_by, halt.lifted_at, halt.lift_reason = by, now, _given(reason)
        halt.save(update_fields=["lifted_by", "lifted_at", "lift_reason"])
    log.warning("trading released by %s: %s", by, halt.lift_reason)
    return halt


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _given(reason: str) -> str:
    if not reason.strip():
        raise NoReason("Say why: the reason is shown to everybody and kept.")
    return reason.strip()
