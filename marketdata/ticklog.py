"""The tick log: append in one transaction, read by sequence.

(trading date, seq) is unique and seq has no gap: `append` moves `MarketDay.last_seq` in the same
commit as the ticks, from exactly the tick before the first. One table a day, so a day is dropped as
a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import connection, transaction
from django.db.models import Value
from django.db.models.functions import Coalesce

from common.times import from_ms
from marketdata import codec, wakeups
from marketdata.models import MarketDay
from simengine.market import Tick

_COPY = (
    "COPY marketdata_tick (trading_date, seq, at, received_at, spot_cents, vix_hundredths,"
    " expected_move_cents, payload) FROM STDIN"
)

_MAKING_ROOM = 0x5A48_524F_4F4D  # "ZHROOM"


class LogConflict(Exception):
    """These ticks do not follow the last one of the log: another writer, or a gap."""


def append(trading_date: date, ticks: Sequence[Tick], now: datetime) -> None:
    """Append consecutive ticks and wake the readers once committed.

    `now` is wall time, kept as the day's opening with its first tick. Raises LogConflict, and then
    nothing is written, where `ticks` do not start right after the day's `last_seq`.
    """
    if not ticks:
        return
    first, last = ticks[0], ticks[-1]
    if [tick.seq for tick in ticks] != list(range(first.seq, first.seq + len(ticks))):
        raise LogConflict(f"{trading_date}: ticks {first.seq}..{last.seq} are not consecutive")
    with transaction.atomic():
        moved = MarketDay.objects.filter(pk=trading_date, last_seq=first.seq - 1).update(
            last_seq=last.seq,
            last_tick_at=from_ms(last.at_ms),
            status=MarketDay.Status.OPEN,
            opened_at=Coalesce("opened_at", Value(now)),
        )
        if moved != 1:
            raise LogConflict(f"{trading_date}: tick {first.seq} does not follow the log")
        _copy(trading_date, ticks)
        transaction.on_commit(lambda: wakeups.ticks_appended(trading_date, last.seq))


def _copy(trading_date: date, ticks: Sequence[Tick]) -> None:
    wrapped = connection.wrap_database_errors  # leaving the copy raises outside the cursor's own
    with wrapped, connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for tick in ticks:
            copy.write_row(
                (
                    trading_date,
                    tick.seq,
                    from_ms(tick.at_ms),
                    from_ms(tick.received_ms),
                    tick.spot_cents,
                    tick.vix_hundredths,
                    tick.expected_move_cents,
                    codec.encode(tick),
                )
            )


def read(trading_date: date, after_seq: int, limit: int) -> list[Tick]:
    """At most `limit` ticks after `after_seq`, in order. Empty where there is nothing newer."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq, payload FROM marketdata_tick WHERE trading_date = %s AND seq > %s"
            " ORDER BY seq LIMIT %s",
            [trading_date, after_seq, limit],
        )
        return [codec.decode(payload, seq=seq) for seq, payload in cursor.fetchall()]


def last_tick(trading_date: date) -> Tick | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq, payload FROM marketdata_tick WHERE trading_date = %s"
            " ORDER BY seq DESC LIMIT 1",
            [trading_date],
        )
        row = cursor.fetchone()
    return None if row is None else codec.decode(row[1], seq=row[0])


def partition_name(trading_date: date) -> str:
    return f"marketdata_tick_{trading_date:%Y%m%d}"


def create_partition(trading_date: date) -> None:
    """The day's table, made beside the log and then attached, which never blocks a reader.
    Idempotent.
    """
    name = partition_name(trading_date)
    with transaction.atomic(), connection.cursor() as cursor:
        # CREATE IF NOT EXISTS fails where two do it at once: the market process and the job may.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_MAKING_ROOM])
        if _is_attached(name):
            return
        cursor.execute(
            f"CREATE TABLE IF NOT EXISTS {name} (LIKE marketdata_tick INCLUDING CONSTRAINTS)"
        )
        cursor.execute(
            f"ALTER TABLE marketdata_tick ATTACH PARTITION {name}"
            f" FOR VALUES FROM ('{trading_date}') TO ('{trading_date + timedelta(days=1)}')"
        )


def drop_partition(trading_date: date) -> None:
    """Drop the day's ticks. Idempotent; waits for readers of the log as long as lock_timeout
    allows.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {partition_name(trading_date)}")


def has_partition(trading_date: date) -> bool:
    return _is_attached(partition_name(trading_date))


def _is_attached(name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_inherits WHERE inhrelid = to_regclass(%s)"
            " AND inhparent = 'marketdata_tick'::regclass",
            [name],
        )
        return cursor.fetchone() is not None
