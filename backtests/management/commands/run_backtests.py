"""manage.py run_backtests: run the backtests that wait, then end (backtests.tasks starts it)."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from backtests.process import NICENESS
from backtests.runner import run_waiting
from common.priority import give_way


class Command(BaseCommand):
    help = "Run the backtests that wait, one after the other, and end. Safe beside others."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        give_way(NICENESS)
        asked = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: asked.set())
        parent = os.getppid()
        # Left behind by a worker that was killed, it would be one more beside the next worker's.
        run_waiting(lambda: asked.is_set() or os.getppid() != parent)
