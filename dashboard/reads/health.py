"""Everything an operator wants to see at a glance: the health page of the admin site."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta

import redis
from django.conf import settings
from django.db import connection

from common import health, presence
from common.models import Job
from common.presence import Process
from common.readers import KINDS
from marketdata import queries
from marketdata.models import MarketDay
from marketdata.queries import MarketNow
from sessions import halts
from sessions.fleet import Fleet, Owner, fleet, owners
from sessions.models import TradingHalt

PARTITIONS_SHOWN = 10

_PARTITIONS = """
SELECT c.relname, pg_total_relation_size(c.oid)
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'marketdata_tick'::regclass
ORDER BY c.relname DESC
"""


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    trouble: str  # empty: it passes


@dataclass(frozen=True, slots=True)
class Storage:
    database_bytes: int
    partitions: list[tuple[str, int]]  # of the tick log: name and bytes, newest first
    partition_count: int
    disk_free_bytes: int


@dataclass(frozen=True, slots=True)
class Health:
    at: datetime  # wall clock
    halt: TradingHalt | None
    checks: list[Check]
    processes: list[Process] | None  # None: Redis does not say
    missing: list[str]  # lines of the Procfile nobody runs
    market: MarketNow
    unsettled_days: list[MarketDay]  # closed, without a value
    fleet: Fleet
    owners: list[Owner]
    jobs: list[Job]
    storage: Storage

    @property
    def tick_age(self) -> timedelta | None:
        """Market time since the day's last tick."""
        last = self.market.last_tick_at
        return None if last is None else max(timedelta(), self.market.at - last)

    @property
    def is_well(self) -> bool:
        return not (
            self.halt
            or self.missing
            or self.unsettled_days
            or self.fleet.unowned
            or self.fleet.quarantined
            or self.fleet.late_settlements
            or any(check.trouble for check in self.checks)
            or any(job.last_error for job in self.jobs)
        )


def read_health(*, now: datetime) -> Health:
    down = health.troubles()
    running = _processes()
    seen = {process.kind for process in running or []}
    closed = MarketDay.objects.filter(status=MarketDay.Status.CLOSED, settlement_cents=None)
    return Health(
        at=now,
        halt=halts.current(),
        checks=[Check(name, down.get(name, "")) for name in health.names()],
        processes=running,
        missing=[] if running is None else [kind for kind in KINDS if kind not in seen],
        market=queries.market_now(),
        unsettled_days=list(closed.exclude(last_seq=0).order_by("trading_date")),
        fleet=fleet(),
        owners=owners(),
        jobs=list(Job.objects.order_by("name")),
        storage=_storage(),
    )


def _processes() -> list[Process] | None:
    try:
        return presence.processes()
    except redis.RedisError:
        return None


def _storage() -> Storage:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        database_bytes = cursor.fetchone()[0]
        cursor.execute(_PARTITIONS)
        partitions = cursor.fetchall()
    place = settings.DATA_DIR if settings.DATA_DIR.exists() else settings.BASE_DIR
    return Storage(
        database_bytes=database_bytes,
        partitions=partitions[:PARTITIONS_SHOWN],
        partition_count=len(partitions),
        disk_free_bytes=shutil.disk_usage(place).free,
    )
