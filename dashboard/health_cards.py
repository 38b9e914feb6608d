"""The health page's tables: each a title, headings and rows of words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from common.times import rfc3339
from dashboard.reads.health import Health

Card = dict[str, Any]
WELL, ILL, PLAIN = "success", "danger", "info"


def cards(health: Health) -> list[Card]:
    return [
        _checks(health),
        _market(health),
        _sessions(health),
        _processes(health),
        _owners(health),
        _storage(health),
        _jobs(health),
    ]


def _card(title: str, headers: Sequence[str], rows: Sequence[Sequence[Any]]) -> Card:
    return {"title": title, "table": {"headers": list(headers), "rows": [list(r) for r in rows]}}


def _label(kind: str, text: object) -> SafeString:
    return render_to_string("unfold/helpers/label.html", {"type": kind, "text": text})


def _judged(value: int) -> SafeString:
    """A count that ought to be 0."""
    return _label(ILL if value else WELL, value)


def _checks(health: Health) -> Card:
    rows = [
        (check.name, _label(ILL if check.trouble else WELL, check.trouble or "works"))
        for check in health.checks
    ]
    return _card("Checks", ("check", "says"), rows)


def _market(health: Health) -> Card:
    now = health.market
    day = now.day
    age = "" if health.tick_age is None else f", {_seconds(health.tick_age)} of market time ago"
    days = ", ".join(str(day.trading_date) for day in health.unsettled_days)
    rows = [
        ("feed", now.feed or "none yet"),
        ("sign of life", _label(*((WELL, "fresh") if now.is_healthy else (ILL, "none")))),
        ("market time", f"{rfc3339(now.at)}, {now.phase}"),
        ("speed", f"{now.speed:g} market seconds a second"),
        ("last tick", f"{day.last_seq}{age}" if day else "none"),
        ("closed without a value", _label(ILL, days) if days else _label(WELL, "no day")),
    ]
    return _card("Market", ("what", "is"), rows)


def _sessions(health: Health) -> Card:
    fleet = health.fleet
    rows: list[tuple[Any, Any]] = [
        (status, count) for status, count in fleet.counts.items() if count
    ] or [("no session today", "")]
    rows += [
        ("without a runner", _judged(fleet.unowned)),
        ("kept apart", _judged(fleet.quarantined)),
        ("settling late", _judged(fleet.late_settlements)),
        ("ticks behind, at most", fleet.ticks_behind),
        ("oldest lease", f"{fleet.oldest_lease_seconds:.1f} s"),
        ("takeovers", fleet.takeovers),
    ]
    return _card("Sessions", ("which", "how many"), rows)


def _processes(health: Health) -> Card:
    if health.processes is None:
        return _card("Processes", ("kind",), [("Redis does not say which there are",)])
    rows: list[Sequence[Any]] = [
        (
            process.kind,
            f"{process.host}:{process.pid}",
            _since(process.started_at, health.at),
            _since(process.seen_at, health.at),
        )
        for process in health.processes
    ]
    rows += [(kind, _label(ILL, "nobody"), "", "") for kind in health.missing]
    return _card("Processes", ("kind", "host and id", "runs since", "seen"), rows)


def _owners(health: Health) -> Card:
    rows = [
        (
            str(owner.owner)[:8],
            owner.session_count,
            f"{(owner.lease_until - health.at).total_seconds():.1f} s",
            owner.ticks_behind,
        )
        for owner in health.owners
    ]
    return _card("Leases", ("owner", "sessions", "runs out in", "ticks behind"), rows)


def _storage(health: Health) -> Card:
    storage = health.storage
    rows = [
        ("database", filesizeformat(storage.database_bytes)),
        ("free on the disk of tapes and logs", filesizeformat(storage.disk_free_bytes)),
        ("days in the tick log", storage.partition_count),
        *((name, filesizeformat(size)) for name, size in storage.partitions),
    ]
    return _card("Storage", ("what", "size"), rows)


def _jobs(health: Health) -> Card:
    rows = [
        (
            job.name,
            _label(ILL if job.last_error else WELL, "failed" if job.last_error else "well"),
            _since(job.last_success_at, health.at),
            "" if job.last_took_ms is None else f"{job.last_took_ms} ms",
            f"{job.failure_count} of {job.run_count}",
        )
        for job in health.jobs
    ]
    return _card("Jobs", ("job", "last run", "last success", "took", "failures"), rows)


def _since(at: datetime | None, now: datetime) -> str:
    return "never" if at is None else f"{_seconds(now - at)} ago"


def _seconds(span: timedelta) -> str:
    seconds = max(0, round(span.total_seconds()))
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"
