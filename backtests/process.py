"""The process beside a worker that runs backtests: one at a time, ended with the worker."""

from __future__ import annotations

import atexit
import subprocess
import sys

from django.conf import settings

COMMAND = "run_backtests"
# What is live comes first; no further, for a program's call is limited by the wall's clock.
NICENESS = 10
PATIENCE_SECONDS = 5.0  # it looks up from a day's ticks once a second

_running: subprocess.Popen[bytes] | None = None


def ensure_running() -> bool:
    """True where one had to be started; False while that of this worker is at work."""
    global _running  # noqa: PLW0603  # a worker's one child, asked after at every run of the job
    if _running is not None and _running.poll() is None:
        return False
    manage = settings.BASE_DIR / "manage.py"
    _running = subprocess.Popen(  # noqa: S603  # our own
        [sys.executable, str(manage), COMMAND],
        start_new_session=True,  # in the worker's its priority would count against the worker only
    )
    return True


@atexit.register
def end() -> None:
    """With the worker: ask the process to hand over what it has, and wait for that."""
    if _running is None:
        return
    _running.terminate()
    try:
        _running.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        _running.kill()
        _running.wait()
