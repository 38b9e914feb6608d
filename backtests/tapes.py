"""The recorded days there are: the market's own, packed at their close, and imported tapes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from django.conf import settings

from marketdata.models import MarketDay
from marketdata.tape.store import packed_files

DATE_LENGTH = len("2026-05-07")


@dataclass(frozen=True, slots=True)
class RecordedDay:
    trading_date: date
    tape_path: str


def recorded_days() -> list[RecordedDay]:
    """One a date, in their order. Of several tapes of a date the one the market itself ran counts,
    else the first by name.
    """
    found: dict[date, str] = {}
    for path in packed_files(settings.TAPE_DIR):
        trading_date = _date_of(path)
        if trading_date is not None:
            found.setdefault(trading_date, str(path.resolve()))
    closed = MarketDay.objects.filter(status=MarketDay.Status.CLOSED).exclude(tape_digest="")
    found.update(closed.values_list("trading_date", "tape_path"))
    return [RecordedDay(*item) for item in sorted(found.items()) if item[1]]


def _date_of(path: Path) -> date | None:
    """Of a packed tape's name (`2026-05-07-DIGEST.parquet`); None for a name that tells none."""
    try:
        return date.fromisoformat(path.name[:DATE_LENGTH])
    except ValueError:
        return None
