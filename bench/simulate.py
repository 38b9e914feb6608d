"""How long a whole recorded day takes: `python -m bench.simulate`.

A packed synthetic day (23,401 ticks, one a second) with the put credit spread of the documentation,
from opening the file to the settled session; beside it the floor, an empty loop over the decoded
ticks. Medians of `RUNS`; compare the ratios, not the seconds of different machines.
"""

from __future__ import annotations

import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import django

from bench.tape import pack_day

RUNS = 5
DAY = date(2026, 11, 23)
FORM = {
    "legs": [
        {
            "direction": "sell",
            "type": "put",
            "qty": 1,
            "strike": {"method": "delta", "value": 0.30},
        },
        {
            "direction": "buy",
            "type": "put",
            "qty": 1,
            "strike": {"method": "offset", "value": -25, "from": 0},
        },
    ],
    "entry": {"times": ["10:00", "12:30"]},
    "exit": {"profit_target_pct": 50, "stop_loss_pct": 200, "time": "15:55"},
}


def median_seconds(work: Callable[[], object]) -> float:
    seconds = []
    for _ in range(RUNS + 1):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[1:])  # the first one warms up


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")
    django.setup()
    # After setup: these import models.
    from marketdata.tape.parquet import read_tape  # noqa: PLC0415
    from sessions.simulate import Setup, simulate  # noqa: PLC0415
    from simengine.policy import Policy  # noqa: PLC0415
    from strategies.compiler import compile_form  # noqa: PLC0415
    from strategies.form import normalise  # noqa: PLC0415
    from strategies.runtime.sandbox import Sandbox  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder, Sandbox() as sandbox:
        path = Path(folder) / "day.parquet"
        pack_day(path, DAY)
        strategy = sandbox.strategy(compile_form(normalise(FORM)))
        setup = Setup(strategy.source_hash, "bench", strategy, Policy(), 2_500_000)
        ticks = len(read_tape(path).ticks)
        quotes = 2 * len(read_tape(path).ticks[0].strikes_cents)
        floor = median_seconds(lambda: sum(1 for _ in read_tape(path).ticks))
        whole = median_seconds(lambda: simulate(read_tape(path), setup))
        size_mb = path.stat().st_size / 1e6
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}")
    print(f"{ticks} ticks of {quotes} quotes, {size_mb:.1f} MB packed, medians of {RUNS}")
    print(f"load and loop (the floor)  {floor:.2f} s")
    print(f"load and simulate          {whole:.2f} s, {ticks / whole:,.0f} ticks/s")
    print(f"ratio                      {whole / floor:.2f}")


if __name__ == "__main__":
    main()
