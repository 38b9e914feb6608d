"""What sessions say to Prometheus: what a runner counts, and what a scrape reads from the rows."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from prometheus_client import Counter, Histogram
from prometheus_client.core import Metric

from common.metrics import gauge, gauges
from sessions import fleet, halts
from sessions.models import SessionEvent

if TYPE_CHECKING:
    from sessions.hosted import HostedSession

COMMIT_SECONDS = Histogram(
    "zerohour_commit_seconds",
    "Time of one commit of a runner, for all sessions it moved.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
SESSION_TICKS = Counter("zerohour_session_ticks_total", "Ticks committed, summed over sessions.")
LOST_SESSIONS = Counter(
    "zerohour_lost_sessions_total", "Sessions a commit found in the hands of another owner."
)
EVENTS = Counter("zerohour_session_events_total", "Committed events of sessions.", ["kind"])
WATCHED = (
    "order_placed",
    "repriced",
    "filled",
    "rejected",
    "stale_started",
    "error_counted",
    "daily_loss_reached",
)
for kind in WATCHED:  # each reads 0 before its first
    EVENTS.labels(kind)


def note_commit(kept: Sequence[HostedSession], *, lost: int, took_seconds: float) -> None:
    """Count what a commit wrote; call it before the sessions forget what that was."""
    COMMIT_SECONDS.observe(took_seconds)
    LOST_SESSIONS.inc(lost)
    SESSION_TICKS.inc(
        sum(session.state.last_seq - session.uncommitted.from_seq for session in kept)
    )
    kinds: Tally[str] = Tally()
    for session in kept:
        if session.uncommitted.has_events:
            rows = session.uncommitted.rows.new.values()
            kinds.update(row.kind for row in rows if isinstance(row, SessionEvent))
    for kind in WATCHED:
        if kinds[kind]:
            EVENTS.labels(kind).inc(kinds[kind])


def read() -> Iterator[Metric]:
    """The fleet, by one query on its indexes."""
    now = fleet.fleet()
    yield gauges(
        "zerohour_sessions",
        "Sessions that are not settled or of the market's day, by status.",
        "status",
        now.counts.items(),
    )
    for name, says, value in (
        ("session_takeovers", "Takeovers of these sessions.", now.takeovers),
        ("unowned_sessions", "Due sessions that no runner holds.", now.unowned),
        (
            "oldest_lease_seconds",
            "Since a lease was renewed, for the unsettled session that waited longest.",
            now.oldest_lease_seconds,
        ),
        (
            "ticks_behind",
            "Ticks between the market and the slowest unsettled session.",
            now.ticks_behind,
        ),
        (
            "late_settlements",
            "Sessions unsettled 60 s after their day closed with its value.",
            now.late_settlements,
        ),
        ("quarantined_sessions", "Sessions kept apart for the operators.", now.quarantined),
        ("trading_halted", "1 while the kill switch is on.", float(halts.current() is not None)),
    ):
        yield gauge(f"zerohour_{name}", says, value)
