"""bin/drill: harm done to a system of its own while it trades (tests/drills)."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence

from launcher import processes
from launcher.paths import ROOT, VENV_PYTHON
from launcher.signals import stoppable

# It ends what it started and removes its directory.
STOP_PATIENCE_SECONDS = 60
NOT_INHERITED = {"DATABASE_URL", "REDIS_URL", "ZEROHOUR_DATA", "SECRET_KEY"}


def run(arguments: Sequence[str]) -> int:
    """Returns 0 where every drill passed (with --controls: where every one failed)."""
    env = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    env["PYTHONPATH"] = str(ROOT)
    with stoppable():
        drill = processes.spawn(
            [VENV_PYTHON, "-m", "tests.drills", *arguments],
            log=None,
            stop_signal=signal.SIGINT,
            env=env,
        )
        try:
            return drill.wait()
        finally:
            processes.stop(drill, signal.SIGINT, patience_seconds=STOP_PATIENCE_SECONDS)
