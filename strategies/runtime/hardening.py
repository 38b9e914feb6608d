"""The operating system's limits on a worker process, behind the interpreter's own."""

from __future__ import annotations

import contextlib
import resource

_MEGABYTE = 1024 * 1024
_LIMITS = {
    "RLIMIT_AS": 1024 * _MEGABYTE,
    "RLIMIT_CORE": 0,
    "RLIMIT_FSIZE": 0,
    "RLIMIT_NOFILE": 64,
}


def restrict(pid: int) -> None:
    """Cap memory, files and core dumps of the worker `pid`, where the system can (Linux)."""
    prlimit = getattr(resource, "prlimit", None)
    if prlimit is None:
        return
    for name, value in _LIMITS.items():
        # The worker may have died, or the system may forbid it: the interpreter's limits stand.
        with contextlib.suppress(OSError, ValueError):
            prlimit(pid, getattr(resource, name), (value, value))
