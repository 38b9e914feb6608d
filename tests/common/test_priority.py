"""Who gives way does so before others, and takes nobody else along."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from launcher.paths import ROOT
from launcher.supervisor import read_procfile

TOLD = "print(os.nice(0), Path('/proc/self/autogroup').read_text().split()[-1])"
CODE = f"""
import os
from pathlib import Path
from common.priority import give_way
{{before}}
give_way({{niceness}}, **{{options}})
{TOLD}
"""
CHILD = "if os.fork(): os.wait(); raise SystemExit\n"

needs_groups = pytest.mark.skipif(
    not Path("/proc/self/autogroup").exists(),
    reason="this kernel does not group processes by session",
)


def may_rank_as_idle() -> bool:
    trial = "import os; os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))"
    return subprocess.run([sys.executable, "-c", trial], check=False).returncode == 0


def told(niceness: int, *, before: str = "", **options: bool) -> list[int]:
    """Priority of a process that gives way, and of the new session it is started in."""
    return output_of(CODE.format(niceness=niceness, before=before, options=options))


def output_of(code: str) -> list[int]:
    """The numbers that a process with a session of its own prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        start_new_session=True,
    )
    return [int(word) for word in done.stdout.split()]


@needs_groups
def test_with_a_session_of_its_own_the_session_gives_way():
    ours = os.nice(0)

    assert told(5) == [min(ours + 5, 19), 5]
    assert told(0) == [ours, 0]


@needs_groups
@pytest.mark.parametrize(
    ("generations", "as_part_of_parent", "of_the_session"),
    [(0, True, 5), (1, False, 0), (1, True, 5), (2, True, 0)],
)
def test_a_session_shared_with_others_is_left_as_it_is(
    generations, as_part_of_parent, of_the_session
):
    found = told(5, before=CHILD * generations, as_part_of_parent=as_part_of_parent)

    assert found == [min(os.nice(0) + 5, 19), of_the_session]


@needs_groups
def test_a_wish_that_comes_too_soon_after_others_is_repeated():
    before = """
import errno
from common import priority
left, write_text = [2], Path.write_text
def busy(path, text):
    if left[0]:
        left[0] -= 1
        raise OSError(errno.EAGAIN, "too soon")
    return write_text(path, text)
Path.write_text = busy
"""
    assert told(5, before=before)[1] == 5


@needs_groups
def test_where_it_is_not_allowed_the_process_starts_all_the_same():
    before = """
import errno
def refused(path, text):
    raise OSError(errno.EROFS, "read-only")
Path.write_text = refused
"""
    assert told(5, before=before)[1] == 0


@needs_groups
@pytest.mark.skipif(not may_rank_as_idle(), reason="no process may rank as idle here")
@pytest.mark.parametrize(
    ("niceness", "generations", "ranks_as_idle"), [(0, 0, 0), (10, 0, 1), (10, 1, 0)]
)
def test_with_a_session_of_its_own_it_ranks_as_idle_with_the_threads_to_come(
    niceness, generations, ranks_as_idle
):
    code = f"""
import os, threading
from common.priority import give_way
{CHILD * generations}
give_way({niceness})
def tell(): print(int(os.sched_getscheduler(0) == os.SCHED_IDLE))
tell()
thread = threading.Thread(target=tell)
thread.start()
thread.join()
"""
    assert output_of(code) == [ranks_as_idle, ranks_as_idle]


@needs_groups
def test_who_may_not_rank_as_idle_starts_all_the_same():
    before = """
def refused(*_): raise PermissionError("not here")
os.sched_setscheduler = refused
"""
    assert told(5, before=before)[1] == 5


@pytest.mark.parametrize(("line", "knob"), [("web", "WEB"), ("worker", "JOBS"), ("beat", "JOBS")])
def test_what_no_tick_waits_for_gives_way_unless_told_otherwise(line, knob):
    assert f" NICENESS=${{{knob}_NICENESS:-10}} " in f" {read_procfile()[line]}"


@pytest.mark.parametrize("line", ["market", "worker-sessions"])
def test_ticks_give_way_to_nobody(line):
    assert "NICENESS" not in read_procfile()[line]
