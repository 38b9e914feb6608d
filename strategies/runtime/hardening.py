"""The operating system's limits on a worker process, behind the interpreter's own.

The pipes to us are open when they are set; from then on whoever broke out of the interpreter could
open no file and no socket, start no process (but as root, whom that limit does not bind), write no
file and leave no core behind. None of it takes rights of ours.
"""

from __future__ import annotations

import contextlib
import resource

_MEGABYTE = 1024 * 1024
_LIMITS = {
    "RLIMIT_AS": 1024 * _MEGABYTE,
    "RLIMIT_CORE": 0,
    "RLIMIT_FSIZE": 0,
    "RLIMIT_NOFILE": 0,
    "RLIMIT_NPROC": 0,
}


def restrict(pid: int) -> None:
    """Limit the worker `pid`, where the system can (Linux)."""
    prlimit = getattr(resource, "prlimit", None)
    if prlimit is None:
        return
    for name, value in _LIMITS.items():
        # The worker may have died, or the system may forbid it: the interpreter's limits stand.
        with contextlib.suppress(OSError, ValueError):
            prlimit(pid, getattr(resource, name), (value, value))
