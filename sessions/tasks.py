"""Celery's side of sessions: the runner, and the watcher that finds work without an owner."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings

from sessions import hints, ownership, services, shutdown
from sessions.registration import Registrar
from sessions.runner import Runner
from strategies.runtime.sandbox import Sandbox


@shared_task(ignore_result=True)  # type: ignore[untyped-decorator]
def run_sessions(**_newer_arguments: object) -> None:
    """Host sessions until none is left or the worker shuts down (early ack, no time limit)."""
    with Sandbox() as sandbox:
        Runner(
            registrar=Registrar(sandbox),
            stop_requested=shutdown.is_requested,
            capacity=settings.SESSIONS_PER_RUNNER,
        ).run()


@shared_task(ignore_result=True)  # type: ignore[untyped-decorator]
def watch(**_newer_arguments: object) -> None:
    """Every few seconds: hint at sessions that nobody owns, note the tapes of settled ones.

    Two at once are harmless.
    """
    if ownership.unowned_count():
        hints.hint_runners()
    services.stamp_tapes()
