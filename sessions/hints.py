"""Hints to the workers that there is something to run. A hint may be lost, late or repeated."""

from __future__ import annotations

import logging

from celery import current_app
from kombu.exceptions import OperationalError

RUN_SESSIONS = "sessions.tasks.run_sessions"
EXPIRES_SECONDS = 10  # a stale hint is worth nothing: the watcher sends another

log = logging.getLogger(__name__)


def hint_runners() -> None:
    """Ask for a runner. Without a broker the watchers and the runners at work find the session."""
    try:
        current_app.send_task(
            RUN_SESSIONS, queue="sessions", expires=EXPIRES_SECONDS, ignore_result=True, retry=False
        )
    except OperationalError as exc:
        log.warning("no hint sent: %s", exc)
