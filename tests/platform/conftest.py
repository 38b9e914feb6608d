from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from launcher import service_user
from launcher.data_dir import DataDir
from launcher.paths import ROOT, VENV_PYTHON

OURS = {"DATABASE_URL", "REDIS_URL", "ZEROHOUR_DATA", "SECRET_KEY"}


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[DataDir]:
    directory = DataDir(tmp_path / "data")
    directory.open()
    yield directory
    directory.register.stop_leftovers()
    service_user.forget_place(directory.path)


@pytest.fixture
def launch(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `bin/NAME arguments` to its end, in an environment without services of its own."""

    def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        inherited = {name: value for name, value in os.environ.items() if name not in OURS}
        return subprocess.run(
            [VENV_PYTHON, ROOT / "launcher", *words],
            env={**inherited, "ZEROHOUR_DATA": str(tmp_path / "data"), **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run
