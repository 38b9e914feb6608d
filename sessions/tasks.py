"""Celery's side of sessions: the runner, and the watcher that finds work without an owner."""

from __future__ import annotations

import gc

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from common.jobs import job
from marketdata import queries as market_queries
from sessions import hints, ownership, retention, rollup, services, shutdown, stops
from sessions.registration import Registrar
from sessions.runner import Runner
from strategies.runtime.sandbox import Sandbox

# Thousands of sessions live for hours, and a turn leaves no cycles behind: at Python's own
# thresholds a quarter of the time went into looking through them all (docs/performance.md).
GARBAGE_THRESHOLDS = (100_000, 20, 100)


# celery has no types.
@shared_task(ignore_result=True)  # type: ignore[untyped-decorator]
def run_sessions(**_newer_arguments: object) -> None:
    """Host sessions until none is left or the worker shuts down (early ack, no time limit)."""
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    with Sandbox() as sandbox:
        Runner(
            registrar=Registrar(sandbox),
            stop_requested=shutdown.is_requested,
            capacity=settings.SESSIONS_PER_RUNNER,
        ).run()


@job
def watch() -> str | None:
    """Every few seconds: hint at sessions that nobody owns, note the tapes of settled ones, stop
    what runs under a halt. Two at once are harmless.
    """
    if ownership.unowned_count():
        hints.hint_runners()
    stamped = services.stamp_tapes()
    stopped = stops.enforce(market_at=market_queries.market_now().at)
    words = [f"noted the tape of {stamped} sessions"] if stamped else []
    words += [f"stopped {stopped} sessions under the halt"] if stopped else []
    return ", ".join(words) or None


@job
def roll_up_days() -> str | None:
    """One row over each day that is over."""
    days = rollup.roll_up_days(now=timezone.now())
    return f"rolled up {', '.join(map(str, days))}" if days else None


@job
def keep_tick_log() -> str | None:
    """Room for the days to come, none for those long past."""
    return retention.keep_tick_log(keep_days=settings.TICK_LOG_DAYS)


@job
def trim() -> str | None:
    """Let go of old details, where the installation wants that."""
    trimmed = retention.trim(detail_days=settings.DETAIL_DAYS, now=timezone.now())
    return f"let go of the details of {trimmed} sessions" if trimmed else None
