from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from launcher import service_user
from launcher.data_dir import DataDir


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where a module keeps its tapes and, over several starts, its data directory `data`."""
    path = tmp_path_factory.mktemp("flow")
    yield path
    data = path / "data"
    DataDir(data).register.stop_leftovers()
    service_user.forget_place(data)
    shutil.rmtree(path)
