"""Lines of sessions as the engine makes them: three simulated days, shared out to many sessions.

A third of the sessions hold an iron condor from the first minute, a third enter and leave put
spreads all day, a third do nothing. Sessions of one kind begin at different places of their day.
"""

from __future__ import annotations

import os
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import django
import numpy as np
import numpy.typing as npt

from bench.tape import pack_day

Matrix = npt.NDArray[np.int64]

DAY = date(2026, 11, 23)
TICKS_PER_DAY = 23_400
POINT_COLUMNS = 10
MAX_SHIFT = 3_000  # ticks


def _leg(direction: str, kind: str, method: str, value: float, *, of: int | None = None) -> Any:
    strike = {"method": method, "value": value} | ({} if of is None else {"from": of})
    return {"direction": direction, "type": kind, "qty": 1, "strike": strike}


CONDOR = {
    "legs": [
        _leg("sell", "put", "delta", 0.3),
        _leg("buy", "put", "offset", -10, of=0),
        _leg("sell", "call", "delta", 0.3),
        _leg("buy", "call", "offset", 10, of=2),
    ],
    "entry": {"times": ["09:31"]},
    "exit": {"time": "15:58"},
}
SPREADS = {
    "legs": [_leg("sell", "put", "delta", 0.3), _leg("buy", "put", "offset", -10, of=0)],
    "entry": {"times": [f"{hour}:{minute:02}" for hour in range(10, 16) for minute in (0, 20, 40)]},
    "exit": {"profit_target_pct": 10, "stop_loss_pct": 30, "time": "15:55"},
}
IDLE = "def on_tick(ctx):\n    pass\n"


def simulated_days() -> list[Matrix]:
    """The line of a condor, of spreads and of an idle session over one synthetic day."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")
    django.setup()
    # After setup: these import models.
    from marketdata.tape.parquet import read_tape  # noqa: PLC0415
    from sessions.simulate import Setup, simulate  # noqa: PLC0415
    from simengine.policy import Policy  # noqa: PLC0415
    from strategies.compiler import compile_form  # noqa: PLC0415
    from strategies.form import normalise  # noqa: PLC0415
    from strategies.runtime.sandbox import Sandbox  # noqa: PLC0415

    programs = [compile_form(normalise(CONDOR)), compile_form(normalise(SPREADS)), IDLE]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "day.parquet"
        pack_day(path, DAY)
        lines = []
        for program in programs:
            with Sandbox() as sandbox:
                strategy = sandbox.strategy(program)
                setup = Setup(strategy.source_hash, "bench", strategy, Policy(), 2_500_000)
                lines.append(simulate(read_tape(path), setup).points[:TICKS_PER_DAY])
    return lines


def shared_out(days: list[Matrix], sessions: int, ticks: int) -> Matrix:
    """ticks x sessions x columns, from different places of the days."""
    found = np.empty((ticks, sessions, POINT_COLUMNS), dtype="<i8")
    for number in range(sessions):
        day = days[number % len(days)]
        first = 120 + (number * 37) % MAX_SHIFT
        found[:, number, :] = day[first : first + ticks]
        found[:, number, :2] = day[:ticks, :2]
    return found
