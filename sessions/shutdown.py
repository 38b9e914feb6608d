"""The flag that a worker's SIGTERM sets and the runner reads between turns."""

from __future__ import annotations

import threading

from celery.signals import worker_process_shutdown, worker_shutting_down

_requested = threading.Event()


def is_requested() -> bool:
    return _requested.is_set()


def request(**_signal: object) -> None:
    _requested.set()


worker_shutting_down.connect(request)
worker_process_shutdown.connect(request)
