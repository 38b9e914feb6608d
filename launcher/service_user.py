"""PostgreSQL refuses to run as root, so root starts it as `nobody`.

That user must be able to reach the programs and the data. A checkout or a data directory below a
closed folder (root's home is one) cannot be passed through, and we open no folder of anybody's:
the programs are then copied to /var/cache/zerohour, and the data lives in /var/lib/zerohour.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
import tempfile
from pathlib import Path

from launcher.console import Refusal

NAME = "nobody"
CACHE = Path("/var/cache/zerohour")
STATE = Path("/var/lib/zerohour")


def is_needed() -> bool:
    return os.geteuid() == 0


def number() -> int | None:
    """The user PostgreSQL runs as; None when that is ourselves.

    Raises Refusal for a user without a name, as containers have them: PostgreSQL looks it up.
    """
    if is_needed():
        return pwd.getpwnam(NAME).pw_uid
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        raise Refusal(
            f"User {os.geteuid()} has no name, and PostgreSQL wants one: add a line to "
            "/etc/passwd, run as another user, or point DATABASE_URL at a running PostgreSQL."
        ) from None
    return None


def place_for_data(data_dir: Path) -> Path:
    """The directory itself, or a stand-in for it that the service user can reach."""
    if not is_needed() or can_reach(data_dir):
        return data_dir
    place = _stand_in(data_dir)
    for folder in (STATE, place):
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        folder.chmod(0o711)
    return place


def forget_place(data_dir: Path) -> None:
    """Delete the stand-in of a data directory, if it has one."""
    if is_needed():
        shutil.rmtree(_stand_in(data_dir), ignore_errors=True)


def place_for_programs(prefix: Path, libraries: Path | None, *, version: str) -> Path:
    """The folder of the installed programs, or a copy of it that the service user can reach."""
    if not is_needed() or can_reach(prefix / "bin" / "postgres"):
        return prefix
    whole = CACHE / f"postgres-{version}"
    if not whole.exists():
        _copy_programs(prefix, libraries, whole)
    return whole / prefix.parent.name / prefix.name


def _copy_programs(prefix: Path, libraries: Path | None, whole: Path) -> None:
    """Copy under another name first: `whole` is there entirely or not at all."""
    CACHE.mkdir(mode=0o755, parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix="partial-", dir=CACHE))
    # The programs look for the libraries where the wheel puts them: beside their package.
    shutil.copytree(prefix, partial / prefix.parent.name / prefix.name, symlinks=True)
    if libraries is not None:
        shutil.copytree(libraries, partial / libraries.name, symlinks=True)
    _open_to_all(partial)
    try:
        partial.replace(whole)
    except OSError:
        shutil.rmtree(partial)
        if not whole.exists():  # else another start was faster, with the same files
            raise


def can_reach(path: Path) -> bool:
    """Whether the service user may pass every folder above the path, and the path itself."""
    uid = number()
    real = path.resolve()
    for each in (real, *real.parents):
        mode = each.stat()
        bit = stat.S_IXUSR if mode.st_uid == uid else stat.S_IXOTH
        if not mode.st_mode & bit:
            return False
    return True


def _stand_in(data_dir: Path) -> Path:
    return STATE / hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]


def _open_to_all(folder: Path) -> None:
    for each in (folder, *folder.rglob("*")):
        mode = each.lstat().st_mode
        if not stat.S_ISLNK(mode):
            each.chmod(mode | (0o555 if mode & stat.S_IXUSR else 0o444))
