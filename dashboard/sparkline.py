"""A day's P&L as a small drawing beside its number: points of an SVG polyline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 120
HEIGHT = 28
MARGIN = 2  # so that the line is not cut at its peaks


@dataclass(frozen=True, slots=True)
class Sparkline:
    """`points` are "x,y" pairs in a box of WIDTH by HEIGHT; `zero_y` is where no gain is."""

    points: str
    zero_y: float
    is_gain: bool


def sparkline(profit_losses_cents: Sequence[int]) -> Sparkline | None:
    """The line from left to right, zero always in sight; None for fewer than two points."""
    if len(profit_losses_cents) < 2:
        return None
    low, high = min(0, *profit_losses_cents), max(0, *profit_losses_cents)
    scale = (HEIGHT - 2 * MARGIN) / ((high - low) or 1)
    step = WIDTH / (len(profit_losses_cents) - 1)

    def y(cents: int) -> float:
        return round(MARGIN + (high - cents) * scale, 1)

    points = " ".join(
        f"{round(number * step, 1):g},{y(cents):g}"
        for number, cents in enumerate(profit_losses_cents)
    )
    return Sparkline(points, y(0), is_gain=profit_losses_cents[-1] >= 0)
