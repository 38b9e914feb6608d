"""One market process per database: a PostgreSQL advisory lock held by its connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from marketdata.pacing import Wall

KEY = 0x5A45524F4D4B54  # "ZEROMKT"


class AnotherMarket(Exception):
    """Another process runs the market of this database."""


@contextmanager
def market_lock(wall: Wall, patience_seconds: float = 3.0) -> Iterator[None]:
    """Raises AnotherMarket. Waits a little, for the connection of one that was just killed."""
    waited = 0.0
    while not _try_lock():
        if waited >= patience_seconds or wall.is_stopping:
            raise AnotherMarket("another market process runs on this database")
        wall.wait(0.25)
        waited += 0.25
    try:
        yield
    finally:
        if connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [KEY])


def _try_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [KEY])
        row = cursor.fetchone()
    return bool(row and row[0])
