"""A worker under cProfile: `python -m bench.live.profiled FILE …` takes celery's own arguments.

Profiling begins with the signal START and ends with STOP, which writes FILE (for pstats) and
FILE.txt (the functions by their own and by their cumulative time). It is the thread's processor
time, in which waiting does not count; each call costs more than without the profiler, so the shares
count, not the seconds.
"""

from __future__ import annotations

import cProfile
import pstats
import runpy
import signal
import sys
import time
from types import FrameType

START, STOP = signal.SIGRTMIN, signal.SIGRTMIN + 1  # celery uses the ordinary ones
SHOWN = 60


def main() -> None:
    path = sys.argv.pop(1)
    profile = cProfile.Profile(time.thread_time)

    def start(_signum: int, _frame: FrameType | None) -> None:
        profile.enable()

    def stop(_signum: int, _frame: FrameType | None) -> None:
        profile.disable()
        profile.dump_stats(path)
        with open(f"{path}.txt", "w") as out:
            stats = pstats.Stats(profile, stream=out)
            for order in ("tottime", "cumulative"):
                stats.sort_stats(order).print_stats(SHOWN)

    signal.signal(START, start)
    signal.signal(STOP, stop)
    runpy.run_module("celery", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
