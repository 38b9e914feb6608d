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


def give_way(niceness: int, *, as_part_of_parent: bool = False) -> None:
    """Lower the priority of this process, as `nice -n` does (0 to 19; 0 changes nothing).

    Linux may share a processor between sessions of processes first and look at priorities only
    within one (autogroups, sched(7)). So it is the session that gives way, where it is this
    process's own, or its parent's and the two are one service. One that is shared with others, a
    terminal's, is left as it is. Where that is not allowed, a warning says so: nothing depends on
    it.

    Call it before there are threads: those that are there keep what they have.
    """
    if niceness == 0:
        return
    os.nice(niceness)
    group = Path("/proc/self/autogroup")
    leaders = {os.getpid(), os.getppid()} if as_part_of_parent else {os.getpid()}
    if group.exists() and os.getsid(0) in leaders:
        _lower(group, niceness)
        _rank_as_idle()


def _rank_as_idle() -> None:
    """Whoever else wakes up takes the processor at once. In a session of its own it has its share
    all the same; among others an idle process would have none.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    except OSError as error:
        log.warning("this process does not rank as idle: %s", error)


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
