from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from accounts.models import User
from backtests import services
from backtests.models import Backtest
from marketdata.tape import load_tape
from marketdata.tape.store import keep
from strategies.models import StrategyLink
from strategies.services import save_strategy
from tests.sessions.test_simulate import SPREAD, write_tape

DAYS = ("2026-05-05", "2026-05-06", "2026-05-07")
NEVER = bool  # "is a stop asked for?": False


@pytest.fixture
def tape_dir(tmp_path, settings) -> Path:
    """The folder of packed tapes, empty."""
    settings.TAPE_DIR = tmp_path / "tapes"
    settings.TAPE_DIR.mkdir()
    return settings.TAPE_DIR


@cache
def packed(day: str, settlement: str) -> tuple[str, bytes]:
    """Name and content of the tape of a minute of the hand-written market: made once a run."""
    with TemporaryDirectory() as folder:
        file = write_tape(Path(folder) / "day.csv", day=day, settlement=settlement)
        path, _ = keep(load_tape(file), Path(folder))
        return path.name, path.read_bytes()


@pytest.fixture
def record(tape_dir) -> Callable[..., Path]:
    """Puts a day into the folder as a finished market day is."""

    def make(day: str, settlement: str = "5940.00") -> Path:
        name, content = packed(day, settlement)
        path = tape_dir / name
        path.write_bytes(content)
        return path

    return make


@pytest.fixture
def recorded(record) -> list[Path]:
    """Three days; the middle one settles deep in the money of the sold put."""
    return [record(day, "5900.00" if day == DAYS[1] else "5960.00") for day in DAYS]


@pytest.fixture
def link(alice: User) -> StrategyLink:
    """A put spread sold five seconds after the open, held to the close."""
    return save_strategy(owner=alice, name="Spread", config=SPREAD)


@pytest.fixture
def start(alice: User, link: StrategyLink) -> Callable[..., Backtest]:
    """Alice's backtest over everything that is recorded."""

    def make(**changes: object) -> Backtest:
        wishes = {
            "owner": alice,
            "link": link,
            "first": date(2026, 1, 1),
            "last": date(2026, 12, 31),
            "capital_cents": 2_500_000,
        }
        return services.start(**{**wishes, **changes})

    return make
