"""The process beside a worker that runs backtests: one at a time, ended with the worker."""

from __future__ import annotations

import subprocess
import sys

from django.conf import settings

COMMAND = "run_backtests"
NICENESS = 10  # whatever is live comes first

_running: subprocess.Popen[bytes] | None = None


def ensure_running() -> bool:
    """True where one had to be started; False while that of this worker is at work."""
    global _running  # noqa: PLW0603  # a worker's one child, asked after at every run of the job
    if _running is not None and _running.poll() is None:
        return False
    manage = settings.BASE_DIR / "manage.py"
    _running = subprocess.Popen([sys.executable, str(manage), COMMAND])  # noqa: S603  # our own
    return True
