"""A day's feed again, from what its row in the database remembers."""

from __future__ import annotations

from pathlib import Path

from marketdata.feeds.base import DayFeed
from marketdata.feeds.replay import RedatedFeed, ReplayFeed
from marketdata.feeds.scenarios import NORMAL
from marketdata.feeds.synthetic import SyntheticFeed
from marketdata.models import MarketDay
from marketdata.tape.model import Tape, TapeError
from marketdata.tape.parquet import read_tape


class CannotRebuild(Exception):
    """What the day was made from is not there any more."""


def feed_of(day: MarketDay) -> DayFeed:
    """Raises CannotRebuild where the tape's file is gone, changed, or the options are not ours."""
    options = day.source_options
    match options.get("kind"):
        case "synthetic":
            return SyntheticFeed(
                seed=options["seed"],
                trading_date=day.trading_date,
                previous_close_cents=options["previous_close_cents"],
                previous_vix_hundredths=options["previous_vix_hundredths"],
                scenario=options.get("scenario", NORMAL),
            )
        case "tape":
            path = Path(options["path"])
            return ReplayFeed(_tape(path, options["digest"]), path)
        case "tape_again":
            path = Path(options["of_path"])
            return RedatedFeed(_tape(path, options["of_digest"]), path, day.trading_date)
        case kind:
            raise CannotRebuild(f"{day.trading_date}: no feed of kind {kind!r}")


def _tape(path: Path, digest: str) -> Tape:
    try:
        tape = read_tape(path)
    except TapeError as exc:
        raise CannotRebuild(str(exc)) from exc
    if tape.digest != digest:
        raise CannotRebuild(f"{path}: expected the tape {digest[:12]}")
    return tape
