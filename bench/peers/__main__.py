"""Our `simulate` beside NautilusTrader and backtrader: the same tape, the same put credit spread.

`python -m bench.peers [--seconds 900] [--runs 5]`. Each peer comes from the package index into an
environment of its own below the user's cache directory, made on the first run. Every run is a
process of its own, the contestants take turns, and medians are printed. Nothing is written to the
project.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import django

from bench.engine import processor
from bench.peers.day import project
from bench.tape import pack_day

DAY = date(2026, 11, 23)
PEERS = {
    "zerohour": [],
    "nautilus": ["nautilus_trader==1.221.0", "numpy", "pyarrow"],
    "backtrader": ["backtrader==1.9.78.123", "numpy", "pyarrow"],
}


def write_tape(path: Path, seconds: int) -> None:
    """The first `seconds` of a synthetic day, packed."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")
    django.setup()
    pack_day(path, DAY, seconds=seconds)


def python_of(name: str) -> str:
    """The interpreter that has this contestant; its environment is made where it is missing."""
    wanted = PEERS[name]
    if not wanted:
        return sys.executable
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "zerohour-peers" / name
    python, stamp = folder / "bin" / "python", folder / "installed.json"
    if not stamp.exists() or json.loads(stamp.read_text()) != wanted:
        print(f"installing {wanted[0]} into {folder}", file=sys.stderr)
        uv = Path(sys.executable).with_name("uv")  # bin/manage put it there
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
        subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *wanted], check=True)
        stamp.write_text(json.dumps(wanted))
    return str(python)


def run_once(name: str, python: str, tape: Path) -> dict[str, Any]:
    command = [python, "-m", f"bench.peers.with_{name}", str(tape)]
    done = subprocess.run(
        command, cwd=project(), stdout=subprocess.PIPE, text=True, check=True, timeout=1800
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def print_table(runs: dict[str, list[dict[str, Any]]]) -> None:
    def median(name: str, key: str) -> float:
        return statistics.median(run[key] for run in runs[name])

    ours = median("zerohour", "seconds")
    heads = f"{'start-up':>9}{'seconds':>9}{'loading':>9}{'quotes/s':>12}{'peak MB':>9}{'ratio':>7}"
    print(f"{'':<12}{heads}  trade")
    for name in runs:
        seconds, quotes = median(name, "seconds"), runs[name][0]["quotes"]
        print(
            f"{name:<12}{median(name, 'starting_seconds'):>9.2f}"
            f"{seconds:>9.2f}{median(name, 'loading_seconds'):>9.2f}"
            f"{quotes / seconds:>12,.0f}{median(name, 'peak_mb'):>9.0f}{seconds / ours:>7.1f}"
            f"  {runs[name][0]['fills']} fills, {runs[name][0]['trade']}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=900, help="of market, from the open")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    pythons = {name: python_of(name) for name in PEERS}
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in PEERS}
    with tempfile.TemporaryDirectory() as folder:
        tape = Path(folder) / "day.parquet"
        write_tape(tape, options.seconds)
        for _ in range(options.runs):
            for name, python in pythons.items():
                runs[name].append(run_once(name, python, tape))
                print(f"{name}: {runs[name][-1]['seconds']:.2f} s", file=sys.stderr)
    print(f"{processor()}, Python {platform.python_version()}, medians of {options.runs}")
    print(f"{options.seconds} ticks, {runs['zerohour'][0]['quotes']:,} quotes\n")
    print_table(runs)


if __name__ == "__main__":
    main()
