"""A packed day of the synthetic market, for the commands that need a tape."""

from __future__ import annotations

from datetime import date
from itertools import islice
from pathlib import Path

SEED = 42


def pack_day(path: Path, trading_date: date, *, seconds: int | None = None) -> None:
    """The whole day, or its first `seconds`. Django must be set up."""
    from marketdata.feeds.synthetic import SyntheticFeed  # noqa: PLC0415  after setup
    from marketdata.tape.parquet import TapeWriter  # noqa: PLC0415

    feed = SyntheticFeed(SEED, trading_date)
    settlement_cents, source = feed.settlement()
    writer = TapeWriter(
        path, trading_date=trading_date, settlement_cents=settlement_cents, held_seconds=0
    )
    writer.write(islice(feed.ticks(0), seconds))
    writer.finish(
        open_at=feed.open_at, close_at=feed.close_at, settlement_source=source, source=feed.source
    )
