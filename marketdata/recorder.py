"""Packing a finished day into a tape file, and letting go of old days of the log."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection
from datetime import date
from pathlib import Path

from django.db import OperationalError, connection, transaction

from marketdata import calendar, queries, ticklog
from marketdata.models import MarketDay
from marketdata.tape.model import LAST_SPOT, OFFICIAL
from marketdata.tape.parquet import TICKS_PER_GROUP, TapeWriter
from marketdata.tape.store import packed_name

log = logging.getLogger(__name__)


def unpacked_days() -> list[MarketDay]:
    """Settled days with ticks that have no tape yet: packing was interrupted, or they were settled
    late.
    """
    closed = MarketDay.objects.filter(
        status=MarketDay.Status.CLOSED, settlement_cents__isnull=False, tape_digest=""
    )
    return list(closed.exclude(last_seq=0).order_by("trading_date"))


def pack(day: MarketDay, tape_dir: Path, keep_going: Callable[[], bool]) -> bool:
    """Write the day's ticks to a tape and remember it on the day.

    `keep_going` is asked between row groups (and may give a sign of life); at its first no, nothing
    is left behind and the answer is False.
    """
    growing = tape_dir / f".{os.getpid()}-{day.trading_date}.parquet"
    official = day.settlement_source != LAST_SPOT  # entered by an operator, it is that too
    writer = TapeWriter(
        growing,
        trading_date=day.trading_date,
        settlement_cents=day.settlement_cents if official else None,
        held_seconds=0,
    )
    try:
        seq = 0
        while ticks := ticklog.read(day.trading_date, seq, TICKS_PER_GROUP):
            if not keep_going():
                writer.abandon()
                return False
            writer.write(ticks)
            seq = ticks[-1].seq
        digest = writer.finish(
            open_at=day.open_at,
            close_at=day.close_at,
            settlement_source=OFFICIAL if official else "",
            source=day.source,
        )
    except BaseException:
        writer.abandon()
        raise
    path = tape_dir / packed_name(day.trading_date, digest)
    growing.replace(path)
    MarketDay.objects.filter(pk=day.pk).update(tape_digest=digest, tape_path=str(path.resolve()))
    return True


def make_room() -> list[date]:
    """The log's tables of the market's day and of the trading day after it; which were missing.

    The market process makes its own as well: so an open never waits for this, nor fails without it.
    """
    today = queries.market_now().trading_date
    if today is None:
        return []
    days = [today, calendar.next_trading_day(today)]
    missing = [day for day in days if not ticklog.has_partition(day)]
    for trading_date in missing:
        ticklog.create_partition(trading_date)
    return missing


def drop_old_days(keep_days: int, *, besides: Collection[date] = ()) -> list[date]:
    """Drop the ticks of all but the newest `keep_days` days; only of closed ones that have a tape.

    Their tapes and rows stay. A day of `besides`, or one somebody is reading right now, is left for
    the next time. Which days went.
    """
    newest = MarketDay.objects.order_by("-trading_date").values_list("pk", flat=True)[:keep_days]
    old = MarketDay.objects.filter(status=MarketDay.Status.CLOSED).exclude(tape_digest="")
    dropped = []
    for trading_date in old.exclude(pk__in=list(newest)).values_list("pk", flat=True):
        if trading_date in besides or not ticklog.has_partition(trading_date):
            continue
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '500ms'")
                ticklog.drop_partition(trading_date)
        except OperationalError as exc:
            log.info("the ticks of %s stay for now: %s", trading_date, exc)
            continue
        dropped.append(trading_date)
    return dropped
