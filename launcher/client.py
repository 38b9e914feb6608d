"""bin/zerohour: the command line of clients/python, run from the checkout."""

from __future__ import annotations

import os
from collections.abc import Sequence

from launcher.paths import ROOT, VENV_PYTHON

SOURCE = ROOT / "clients" / "python" / "src"


def run(arguments: Sequence[str]) -> int:
    """Becomes the command: it needs no services, and has the caller's folder and terminal."""
    command = [str(VENV_PYTHON), "-m", "zerohour_client.cli", *arguments]
    os.execve(VENV_PYTHON, command, {**os.environ, "PYTHONPATH": str(SOURCE)})
