"""Child processes: started in sessions of their own, remembered, and ended without a trace.

A process is known by its id and its birth, because ids are used again. Ours are written to a file
as they start, so that the next start can end what a killed one left running.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from launcher.console import progress

_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1
_POLL_SECONDS = 0.05


def birth(pid: int) -> str | None:
    """What tells this process from a later one with the same id; None when it is not running."""
    if sys.platform != "linux":
        return _ps("lstart=", pid) or None
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] == "Z" else f"{boot}:{fields[19]}"


def command_line(pid: int) -> str:
    """Program and arguments of a process; empty when it is not running."""
    if sys.platform != "linux":
        return _ps("args=", pid)
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return os.fsdecode(raw).replace("\0", " ")


def _ps(column: str, pid: int) -> str:
    ps = ["ps", "-o", column, "-p", str(pid)]
    return subprocess.run(ps, capture_output=True, text=True, check=False).stdout.strip()


def spawn(
    command: Sequence[str | Path],
    *,
    log: IO[bytes] | int | None,
    stop_signal: int,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    user: int | None = None,
    stdin: int = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Start a process that a Ctrl-C of the terminal does not reach.

    On Linux the kernel sends it `stop_signal` if we die without ending it. As `user` it has no
    other groups than that user's number; only root may ask for that. Without a `log` it writes
    where we write.
    """
    return subprocess.Popen(
        command,
        stdin=stdin,
        stdout=log,
        stderr=subprocess.STDOUT,
        env=env,
        cwd=cwd,
        start_new_session=True,
        preexec_fn=_ask_for_signal_at_our_death(stop_signal),  # noqa: PLW1509  # one system call
        user=user,
        group=user,
        extra_groups=None if user is None else [],
    )


def _ask_for_signal_at_our_death(signum: int) -> Callable[[], None] | None:
    if _LIBC is None:
        return None
    prctl = _LIBC.prctl
    return lambda: prctl(_PR_SET_PDEATHSIG, signum) and None


def stop(process: subprocess.Popen[bytes], signum: int, *, patience_seconds: float) -> None:
    """Ask the process to end; when patience is over, and for what it leaves behind, insist."""
    if process.poll() is None:
        process.send_signal(signum)
    finish(process, patience_seconds=patience_seconds)


def finish(process: subprocess.Popen[bytes], *, patience_seconds: float) -> None:
    """Wait for a process that was asked to end, then kill whatever is left of its group."""
    try:
        process.wait(timeout=patience_seconds)
    except subprocess.TimeoutExpired:
        progress(f"Process {process.pid} did not stop within {patience_seconds:g} s; killing it.")
    _kill_group(process.pid)
    process.wait()


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # nothing is left, which is the aim


class Register:
    """The file that remembers which processes a data directory has running."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: list[dict[str, int | str]] = []

    def add(self, name: str, pid: int, *, stop_signal: int) -> None:
        row: dict[str, int | str] = {
            "name": name,
            "pid": pid,
            "birth": birth(pid) or "",
            "stop_signal": stop_signal,
        }
        self._rows.append(row)
        partial = self._path.with_suffix(".partial")
        partial.write_text(json.dumps(self._rows, indent=1))
        partial.replace(self._path)

    def clear(self) -> None:
        self._rows = []
        self._path.unlink(missing_ok=True)

    def stop_leftovers(self, *, patience_seconds: float = 20) -> list[str]:
        """End what an earlier, killed start left running; returns the names, latest first."""
        rows = json.loads(self._path.read_text()) if self._path.exists() else []
        stopped = []
        for row in reversed(rows):
            if birth(row["pid"]) == row["birth"]:
                stop_stranger(row["pid"], row["stop_signal"], patience_seconds=patience_seconds)
                stopped.append(row["name"])
        self.clear()
        return stopped


def stop_stranger(pid: int, signum: int, *, patience_seconds: float) -> None:
    """Like `stop`, for a process that is not our child and so cannot be waited for."""
    known = birth(pid)
    if known is None:
        return
    os.kill(pid, signum)
    deadline = time.monotonic() + patience_seconds
    while birth(pid) == known and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    _kill_group(pid)
