"""What all contestants share: the packed day, the trade's numbers, and how a run is reported.

Reads the packed tape by itself, for the peers run in environments without this project.

The trade: at 9:31 the put nearest 10 points below spot is sold and the one 25 points below that is
bought, at a resting limit; it is closed at 25 % of the credit, at a loss of the whole of it, or at
9:44.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

ENTRY = "09:31"
EXIT = "09:44"
OPEN_TO_ENTRY_MS = 60_000
OPEN_TO_EXIT_MS = 14 * 60_000
POINTS_OTM = 10
WIDTH_POINTS = 25
TARGET_PCT = 25
STOP_PCT = 100
CAPITAL_USD = 25_000
OPEN_FEE_USD = 1.72


@dataclass(frozen=True)
class Day:
    """Columns of a tape with one set of strikes all day; -1 is a missing side. Prices in cents."""

    at_ms: np.ndarray
    spot_cents: np.ndarray
    strikes_cents: list[int]
    sides: dict[str, np.ndarray]  # call_bid_cents and its siblings: tick × strike

    @property
    def quotes(self) -> int:
        return 2 * len(self.at_ms) * len(self.strikes_cents)


@dataclass(frozen=True)
class Report:
    starting_seconds: float  # of processor time, before: Python and everything that is imported
    seconds: float  # of processor time, from opening the file to the end of the day
    loading_seconds: float  # of these, until the first tick could be run
    quotes: int
    fills: int  # of legs
    peak_mb: float
    trade: str


def read_day(path: str) -> Day:
    table = pq.read_table(path)
    names = [f"{right}_{side}_cents" for right in ("call", "put") for side in ("bid", "ask")]
    strikes = table["strikes_cents"][0].as_py()
    shape = (table.num_rows, len(strikes))
    if table["strikes_cents"].combine_chunks().flatten().to_numpy().size != shape[0] * shape[1]:
        raise SystemExit("the strikes change during this day: take a shorter one")
    return Day(
        at_ms=table["at_ms"].to_numpy(),
        spot_cents=table["spot_cents"].to_numpy(),
        strikes_cents=strikes,
        sides={
            name: table[name].combine_chunks().flatten().to_numpy().reshape(shape) for name in names
        },
    )


def legs_at(spot_cents: int, strikes_cents: list[int]) -> tuple[int, int]:
    """The strikes in cents of the sold and the bought put."""
    wanted_cents = spot_cents - 100 * POINTS_OTM
    sold = min(strikes_cents, key=lambda strike: (abs(strike - wanted_cents), strike))
    return sold, sold - 100 * WIDTH_POINTS


def in_words(fills: list[tuple[str, float]]) -> str:
    """Both packages as signed prices: what was received for the spread, what was paid to close."""
    (sold, got), (bought, paid), (_, out), (_, back) = fills
    return f"{sold[:5]}/{bought[:5]} at {paid - got:.2f}, {out - back:.2f}"


def clock() -> float:
    """Processor seconds of this process and of the children it has waited for: other programs on
    the machine disturb it less than they disturb a wall clock.
    """
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def peak_bytes() -> int:
    """Of this program; getrusage() counts what the one that started us had before."""
    status = Path("/proc/self/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return 1024 * int(line.split()[1])


def report(run: Callable[[str], tuple[float, int, int, str]]) -> None:
    """Run a contestant on the tape of the command line and print its Report as JSON.

    `run` gives: the clock when it had loaded, quotes, fills of legs, the trade in words.
    """
    started = clock()
    loaded_at, quotes, fills, trade = run(sys.argv[1])
    seconds = clock() - started
    peak_mb = peak_bytes() / 1e6
    print(
        json.dumps(
            asdict(Report(started, seconds, loaded_at - started, quotes, fills, peak_mb, trade))
        )
    )


def project() -> Path:
    return Path(__file__).parents[2]
