"""Room on the disk, asked for before something is written that would be left half done."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from launcher.console import Refusal


def require_space(folder: Path, *, needed_bytes: int) -> None:
    """Raises Refusal when the folder's disk has less left than that."""
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes:
        raise Refusal(
            f"The disk of {folder} has only {free_bytes / 1e9:.1f} GB left: "
            f"free {needed_bytes / 1e9:.1f} GB and start again."
        )


def is_full(error: OSError) -> bool:
    return error.errno in {errno.ENOSPC, errno.EDQUOT}
