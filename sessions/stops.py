"""Stopping sessions from outside: some of them, all of a user, or everything under a halt.

A stop is a request like a client's, obeyed by the owner between two ticks.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sessions import halts, services
from sessions.lifecycle import Status
from sessions.models import BotSession


def enforce(*, market_at: datetime) -> int:
    """Stop what still runs under a halt; how many that were. Safe twice at once."""
    halt = halts.current()
    if halt is None:
        return 0
    running = BotSession.objects.live().exclude(status=Status.KILLING)
    return stop(
        running.values_list("pk", flat=True),
        by=halt.ordered_by,
        flatten=halt.is_flattening,
        market_at=market_at,
    )


def stop(session_ids: Iterable[UUID], *, by: Any, flatten: bool, market_at: datetime) -> int:
    """Ask each session to stop; how many could still be asked."""
    asked = 0
    for session_id in list(session_ids):
        try:  # the row itself is read under its lock
            services.request_stop(
                user=by, session=BotSession(pk=session_id), flatten=flatten, now=market_at
            )
        except (services.SessionTerminal, BotSession.DoesNotExist):
            continue  # it ended, or was deleted, meanwhile
        asked += 1
    return asked


def sessions_of_users(users: Iterable[Any]) -> list[UUID]:
    """The live sessions of these users."""
    rows = BotSession.objects.live().filter(bot__owner__in=users)
    return list(rows.values_list("pk", flat=True))
