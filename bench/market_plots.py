"""Plots of docs/synthetic-market.md: a real afternoon and synthetic ones, side by side.

    python -m venv PLOTS && PLOTS/bin/pip install matplotlib numpy scipy pyarrow django
    PLOTS/bin/python -m bench.market_plots ../shared/data docs/synthetic-market

Needs the real SPXW chains and index minutes (README.md of their folder) and matplotlib, which the
product does not. Writes one PNG per statistic.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Sequence
from datetime import date, time
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from bench import market_statistics as stats
from marketdata.feeds.scenarios import NORMAL, SCENARIOS
from marketdata.feeds.synthetic import SyntheticFeed
from marketdata.tape import load_tape
from simengine.market import Tick

matplotlib.use("Agg")
from matplotlib import pyplot as plt

SEEDS = range(5)
REAL, MADE = "#b5443a", "#2f6f9f"
DAY, PREVIOUS_CLOSE_CENTS, PREVIOUS_VIX_HUNDREDTHS = date(2025, 5, 15), 589_258, 1_862
HALF_HOURS = [time(9, 31), *(time(hour, minute) for hour in range(10, 16) for minute in (0, 30))]


def spread_by_price(axes: Any, real: Sequence[Tick], days: Sequence[Sequence[Tick]]) -> None:
    names = ["≤0.50", "0.5–1", "1–3", "3–10", "10–30", "30–100", ">100"]
    place = np.arange(len(names))
    made = np.median([list(stats.spreads(ticks).values()) for ticks in days], axis=0) / 100
    found = np.array(list(stats.spreads(real).values())) / 100
    for values, colour, shift in ((found, REAL, -0.15), (made, MADE, 0.15)):
        axes.vlines(place + shift, values[:, 0], values[:, 2], colors=colour)
        axes.plot(place + shift, values[:, 0], "o", color=colour)
        axes.plot(place + shift, values[:, 1], "_", color=colour, markersize=12)
    axes.set(yscale="log", xticks=place, xticklabels=names, xlabel="mid, $", ylabel="spread, $")
    axes.set_title("Spread by price: median (dot), 90 % (bar), 99 % (end)")


def zero_bid_share(axes: Any, real: Sequence[Tick], days: Sequence[Sequence[Tick]]) -> None:
    names = [f"{low}–{high}" for low, high in stats.DISTANCE_BUCKETS]
    place = np.arange(len(names))
    made = np.array([list(stats.zero_bids(ticks).values()) for ticks in days]) * 100
    found = np.array(list(stats.zero_bids(real).values())) * 100
    axes.bar(place - 0.2, found, 0.38, color=REAL)
    axes.bar(place + 0.2, made.mean(axis=0), 0.38, color=MADE)
    axes.errorbar(
        place + 0.2,
        made.mean(axis=0),
        [made.mean(axis=0) - made.min(axis=0), made.max(axis=0) - made.mean(axis=0)],
        fmt="none",
        ecolor="black",
    )
    axes.set(xticks=place, xticklabels=names, xlabel="points out of the money", ylabel="%")
    axes.set_title("Bids of zero (line: from day to day)")


def straddle_decay(axes: Any, real: Sequence[Tick], days: Sequence[Sequence[Tick]]) -> None:
    def line(ticks: Sequence[Tick], **style: Any) -> None:
        known = [tick for tick in ticks if tick.expected_move_cents is not None]
        hours = [(tick.at_ms - known[0].at_ms) / 3_600_000 + 13 for tick in known]
        axes.plot(hours, [(tick.expected_move_cents or 0) / 100 for tick in known], **style)

    for ticks in days:
        line(ticks, color=MADE, alpha=0.5, linewidth=1)
    line(real, color=REAL, linewidth=2)
    axes.set(xlabel="hour, New York", ylabel="at-the-money straddle, $", ylim=(0, None))
    axes.set_title("Straddle to the close")


def moves(axes: Any, real: Sequence[Tick], days: Sequence[Sequence[Tick]]) -> None:
    for ticks in days:
        found = np.sort(stats.moves(ticks))
        axes.plot(found, np.linspace(0, 100, len(found)), color=MADE, alpha=0.5, linewidth=1)
    found = np.sort(stats.moves(real))
    axes.plot(found, np.linspace(0, 100, len(found)), color=REAL, linewidth=2)
    axes.set(xlabel="move in 70 s, 0.01 %", ylabel="% of moves up to it", xlim=(0, 12))
    axes.set_title("Moves of the index, afternoon")


def order_and_step(
    axes: Any, real: Sequence[Tick], days: Sequence[Sequence[Tick]], opening: Sequence[Tick]
) -> None:
    names = ["first hour", "13:00–15:30", "15:30–16:00"]
    spans = [
        (time(9, 31), time(10, 30)),
        (time(13), time(15, 30)),
        (time(15, 30), time(16)),
    ]
    found = [100 * stats.out_of_order(stats.between([*opening, *real], *span)) for span in spans]
    made = [
        100 * np.mean([stats.out_of_order(stats.between(ticks, *span)) for ticks in days])
        for span in spans
    ]
    place = np.arange(len(names))
    axes.bar(place - 0.2, found, 0.38, color=REAL)
    axes.bar(place + 0.2, made, 0.38, color=MADE)
    axes.set(xticks=place, xticklabels=names, ylabel="% of neighbouring mids")
    axes.set_title("Mids out of order")


def volatility_by_time(axes: Any, folder: Path) -> None:
    """Realised volatility of each half hour over that of the day: real minutes, synthetic ones."""
    real = []
    for path in sorted(folder.glob("*.csv")):
        with path.open(newline="") as stream:
            closes = [float(row["close"]) for row in csv.DictReader(stream)]
        if len(closes) == 390:
            real.append(_by_half_hour(np.array(closes)))
    made = [
        _by_half_hour(SyntheticFeed(seed, DAY)._path.cents[60::60].astype(float))
        for seed in range(25)
    ]
    place = np.arange(len(real[0]))
    axes.plot(place, np.mean(real, axis=0), color=REAL, linewidth=2)
    axes.plot(place, np.mean(made, axis=0), color=MADE, linewidth=2)
    axes.set(xticks=place, ylim=(0, None), ylabel="variance, share of the day")
    axes.set_xticklabels([f"{at:%H:%M}" for at in HALF_HOURS], fontsize=7)
    axes.set_title("Variance by time of day")


def _by_half_hour(closes: Any) -> Any:
    squares = np.diff(np.log(closes)) ** 2
    parts = np.array([part.sum() for part in np.array_split(squares, 13)])
    return parts / parts.sum()


def scenarios(axes: Any) -> None:
    for name in SCENARIOS:
        if name not in (NORMAL, "half-day", "bad-data"):
            cents = SyntheticFeed(42, DAY, 589_258, scenario=name)._path.cents
            hours = 9.5 + np.arange(len(cents)) / 3600
            axes.plot(hours, 100 * (cents / 589_258 - 1), linewidth=1, label=name)
    axes.legend(fontsize=7)
    axes.set(xlabel="hour, New York", ylabel="% from the previous close")
    axes.set_title("Scenarios, seed 42")


def main() -> None:
    data, out = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    real = stats.between(
        load_tape(data / "chain_spxw_0dte_20250515.csv.gz").ticks, time(13), time(16)
    )
    opening = list(load_tape(data / "chain_spxw_0dte_20250519_open.csv.gz").ticks)
    whole = [_sampled(seed) for seed in SEEDS]
    days = [stats.between(ticks, time(13), time(16)) for ticks in whole]
    plots: dict[str, Callable[[Any], None]] = {
        "spread": lambda axes: spread_by_price(axes, real, days),
        "zero-bids": lambda axes: zero_bid_share(axes, real, days),
        "straddle": lambda axes: straddle_decay(axes, real, days),
        "moves": lambda axes: moves(axes, real, days),
        "out-of-order": lambda axes: order_and_step(axes, real, whole, opening),
        "volatility": lambda axes: volatility_by_time(axes, data / "extra" / "spx-1m"),
        "scenarios": scenarios,
    }
    for name, draw in plots.items():
        figure, axes = plt.subplots(figsize=(5.2, 3.2), dpi=90, layout="constrained")
        draw(axes)
        axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(out / f"{name}.png")
        plt.close(figure)


def _sampled(seed: int) -> list[Tick]:
    feed = SyntheticFeed(seed, DAY, PREVIOUS_CLOSE_CENTS, PREVIOUS_VIX_HUNDREDTHS)
    return [tick for tick in feed.ticks(0) if tick.seq % 70 == 54]


if __name__ == "__main__":
    main()
