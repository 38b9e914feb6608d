"""A year of packed days through `simulate`: `python -m bench.year [--days 252] [--processes N]`.

Makes the synthetic days that the folder does not hold yet, one process a core (about 6 s of
processor a day), then runs `manage.py simulate --side-by-side` over all of them with the put credit
spread of the documentation, and prints its table and what it took. A run that changes no code can
be repeated with --folder, which keeps the days.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import django
from rich.progress import track

from bench.machine import machine
from bench.simulate import FORM
from bench.tape import pack_day

LAST_DAY = date(2026, 11, 20)


def trading_days(count: int) -> list[date]:
    """The last `count` ones up to LAST_DAY."""
    from marketdata.calendar import is_trading_day  # noqa: PLC0415  after setup

    found: list[date] = []
    day = LAST_DAY
    while len(found) < count:
        if is_trading_day(day):
            found.append(day)
        day -= timedelta(days=1)
    return sorted(found)


def make_day(folder: Path, day: date) -> None:
    pack_day(folder / f"{day}.parquet", day)


def make_days(folder: Path, days: list[date], processes: int) -> float:
    """Those that are missing. Returns how many seconds it took."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [day for day in days if not (folder / f"{day}.parquet").exists()]
    started = time.perf_counter()
    context = multiprocessing.get_context("fork")  # the apps are loaded
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        made = pool.map(partial(make_day, folder), missing)
        for _ in track(made, "making days", total=len(missing), disable=not missing):
            pass
    return time.perf_counter() - started


def children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(folder: Path, days: list[date], processes: int) -> tuple[float, float]:
    """Wall and processor seconds of the command, start-up and all."""
    with tempfile.TemporaryDirectory() as place:
        form = Path(place) / "spread.json"
        form.write_text(json.dumps(FORM))
        command = [sys.executable, "manage.py", "simulate", "--strategy", str(form)]
        command += ["--side-by-side", "--processes", str(processes)]
        for day in days:
            command += ["--tape", str(folder / f"{day}.parquet")]
        started, used = time.perf_counter(), children_cpu()
        subprocess.run(command, cwd=Path(__file__).parents[1], check=True)
        return time.perf_counter() - started, children_cpu() - used


def main() -> None:
    cores = len(os.sched_getaffinity(0))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=252)
    parser.add_argument("--processes", type=int, default=cores, help="default one a core")
    parser.add_argument("--folder", type=Path, help="of the days; default one that goes again")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")
    django.setup()
    days = trading_days(options.days)
    with tempfile.TemporaryDirectory() as passing:
        folder = (options.folder or Path(passing)).absolute()
        making = make_days(folder, days, options.processes)
        wall, cpu = run(folder, days, options.processes)
        size_mb = sum((folder / f"{day}.parquet").stat().st_size for day in days) / 1e6
    print(f"\n{json.dumps(machine())}")
    print(f"{len(days)} days, {size_mb:,.0f} MB packed; made in {making:,.0f} s")
    print(
        f"{options.processes} processes: {wall:,.1f} s by the clock, {cpu:,.1f} s of processor,"
        f" {cpu / len(days):.2f} s a day"
    )


if __name__ == "__main__":
    main()
