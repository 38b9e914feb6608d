"""How the cost of live sessions grows: `python -m bench.scale [--quick] [--out docs/performance]`.

Runs `python -m bench.live` once for each point, in a process of its own: by sessions, by quotes, by
what a session holds, by worker processes, by the market's speed. Writes scale.json and, where
matplotlib is installed (the product does not need it), one SVG for each of them:

    python -m venv PLOTS && PLOTS/bin/pip install matplotlib
    PLOTS/bin/python -m bench.scale --plot-only

A point that is in scale.json already is not run again, so a run that was stopped can be gone on
with; --fresh forgets them. Prints the table of all points.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from launcher.signals import Stopped, stoppable

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "performance"
COLOUR, OTHER = "#2f6f9f", "#b5443a"


@dataclass(frozen=True)
class Point:
    sessions: int = 1000
    quotes: int = 400
    size: int = 1
    workers: int = 1
    speed: float = 1.0

    @property
    def key(self) -> str:
        return " ".join(f"{name}={value:g}" for name, value in asdict(self).items())

    def options(self) -> list[str]:
        return [
            word for name, value in asdict(self).items() for word in (f"--{name}", f"{value:g}")
        ]


@dataclass(frozen=True)
class Sweep:
    """What happens to the other figures as one of a point's numbers grows."""

    name: str
    title: str
    points: tuple[Point, ...]


def sweeps(*, is_quick: bool) -> list[Sweep]:
    """With `is_quick` few and small points, to see that everything works."""
    if is_quick:
        return [
            Sweep("sessions", "sessions", (Point(30), Point(60))),
            Sweep("workers", "worker processes", (Point(60), Point(60, workers=2))),
        ]
    counts, quotes, sizes = (100, 300, 1000, 3000), (40, 400, 800), (1, 2, 4, 8)
    most = Point(10_000, workers=2)
    return [
        Sweep("sessions", "sessions", (*map(Point, counts), most)),
        Sweep("quotes", "quotes a tick", tuple(Point(quotes=each) for each in quotes)),
        Sweep("size", "packages a session", tuple(Point(size=each) for each in sizes)),
        Sweep("workers", "worker processes", tuple(Point(3000, workers=n) for n in (1, 2, 4))),
        Sweep(
            "speed",
            "market seconds a second, 3000 session-ticks a second",
            tuple(Point(3000 // speed, speed=speed) for speed in (1, 10, 30)),
        ),
    ]


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.scale",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    names = [each.name for each in sweeps(is_quick=False)]
    add("--only", nargs="+", choices=names, default=names, help="of the sweeps (all)")
    add("--seconds", type=float, default=40, metavar="S", help="measured at each point (40)")
    add("--most", type=int, default=10_000, metavar="N", help="leave out points with more sessions")
    add("--out", type=Path, default=OUT, metavar="DIR", help="for scale.json and the plots")
    add("--quick", action="store_true", help="a few small points for a few seconds each")
    add("--fresh", action="store_true", help="forget the points measured before")
    add("--plot-only", action="store_true", help="measure nothing, draw what there is")
    return parser.parse_args()


def measured(point: Point, seconds: float) -> dict[str, Any] | None:
    """None where the run failed; it has said why."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        command = [sys.executable, "-m", "bench.live", *point.options()]
        command += ["--seconds", f"{seconds:g}", "--json", file.name]
        if _status(command) != 0:
            return None
        found: dict[str, Any] = json.loads(Path(file.name).read_text())
    del found["per_second"]  # of a single run; python -m bench.live shows them
    return found


def _status(command: Sequence[str]) -> int:
    """Of a command that cleans up after itself when we are stopped."""
    running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        return running.wait()
    except BaseException:
        running.terminate()
        running.wait()
        raise


def run(chosen: Sequence[Sweep], path: Path, options: argparse.Namespace) -> dict[str, Any]:
    """All points by their keys; written down after each."""
    known = json.loads(path.read_text()) if path.exists() and not options.fresh else {}
    wanted = {point.key: point for sweep in chosen for point in sweep.points}
    for key, point in wanted.items():
        if key in known or point.sessions > options.most or options.plot_only:
            continue
        print(f"{key} …", file=sys.stderr, flush=True)
        found = measured(point, options.seconds)
        if found is not None:
            known[key] = found
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(known, indent=1) + "\n")
    return known


# Showing ------------------------------------------------------------------------------------


def row(found: dict[str, Any]) -> dict[str, float | None]:
    """What is compared between points."""
    costs, ticks = found["us_per_session_tick"], found["tick_to_committed_ms"]
    workers = [size for name, size in found["memory_mb"].items() if name.startswith("worker-s")]
    return {
        "us worker": costs["workers"],
        "us postgres": costs["postgres"],
        "us all": costs["all"],
        "% of a core": _cores(found),
        "p50 ms": ticks.get("p50"),
        "p99 ms": ticks.get("p99"),
        "behind": found["behind"]["at_the_end"],
        "worker MB": round(sum(size["private"] for size in workers), 1),
        "WAL kB/day": found["wal"]["kb_per_session_day"],
    }


def _cores(found: dict[str, Any]) -> float:
    cpu = found["cpu_pct"]
    ours = [value for name, value in cpu.items() if not name.startswith(("postgres: ", "bench"))]
    return round(sum(ours), 1)


def table(chosen: Sequence[Sweep], known: dict[str, Any]) -> Iterator[str]:
    for sweep in chosen:
        shown = [(point, known[point.key]) for point in sweep.points if point.key in known]
        if not shown:
            continue
        titles = list(row(shown[0][1]))
        yield f"\nby {sweep.title}"
        yield f"{'':<52}" + "".join(f"{title:>13}" for title in titles)
        for point, found in shown:
            yield f"{point.key:<52}" + "".join(f"{value or 0:>13}" for value in row(found).values())


def plot(chosen: Sequence[Sweep], known: dict[str, Any], folder: Path) -> None:
    """One file a sweep: processor time a session-tick, and the latency, over what grows."""
    import matplotlib as mpl  # noqa: PLC0415  an environment of its own may have it

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    for sweep in chosen:
        points = [point for point in sweep.points if point.key in known]
        if len(points) < 2:
            continue
        places = [getattr(point, sweep.name) for point in points]
        rows = [row(known[point.key]) for point in points]
        figure, (costs, ticks) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
        for axes, title, names in (
            (costs, "processor time a session-tick, µs", ("us worker", "us postgres", "us all")),
            (ticks, "tick to committed, ms", ("p50 ms", "p99 ms")),
        ):
            for name, colour in zip(names, (COLOUR, OTHER, "black"), strict=False):
                axes.plot(places, [each[name] for each in rows], "o-", color=colour, label=name)
            axes.set(title=title, xlabel=sweep.title, ylim=(0, None))
            axes.set_xscale("log")
            axes.set_xticks(places, [f"{place:g}" for place in places])
            axes.minorticks_off()
            axes.legend(fontsize=7)
            axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(folder / f"{sweep.name}.svg", metadata={"Date": None})
        plt.close(figure)


def main() -> int:
    options = parse()
    if options.quick:
        options.seconds = min(options.seconds, 5)
    chosen = [each for each in sweeps(is_quick=options.quick) if each.name in options.only]
    path = options.out / "scale.json"
    try:
        with stoppable():
            known = run(chosen, path, options)
    except Stopped as stopped:
        print(f"Stopped ({stopped}); the points measured so far are in {path}.", file=sys.stderr)
        return 128 + stopped.signum
    print("\n".join(table(chosen, known)))
    if importlib.util.find_spec("matplotlib") is None:
        print("\nmatplotlib is not installed here: no plots.", file=sys.stderr)
    elif known:
        plot(chosen, known, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
