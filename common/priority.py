"""Who waits where the processor is short: ticks come first, answers to people after them."""

from __future__ import annotations

import errno
import logging
import os
import time
from pathlib import Path

# The kernel takes ten such wishes a second from all of a machine's users together.
TRIES = 5
AGAIN_AFTER_SECONDS = 0.15

log = logging.getLogger(__name__)


def give_way(niceness: int) -> None:
    """Lower the priority of this process, as `nice -n` does (0 to 19; 0 changes nothing).

    Linux may share a processor between sessions of processes first and look at priorities only
    within one (autogroups, sched(7)). The launcher starts each process in a session of its own, so
    there it is the session that gives way. One that is shared with others, a terminal's, is left as
    it is. Where that is not allowed, a warning says so: nothing depends on it.
    """
    if niceness == 0:
        return
    os.nice(niceness)
    group = Path("/proc/self/autogroup")
    if group.exists() and os.getsid(0) in (os.getpid(), os.getppid()):
        _lower(group, niceness)


def _lower(group: Path, niceness: int) -> None:
    for tries_left in reversed(range(TRIES)):
        try:
            group.write_text(str(niceness))
        except OSError as error:
            if error.errno != errno.EAGAIN or not tries_left:
                log.warning("the session of this process does not give way: %s", error)
                return
            time.sleep(AGAIN_AFTER_SECONDS)
        else:
            return
