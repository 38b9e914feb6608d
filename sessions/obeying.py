"""Requests that are obeyed although no tick comes: the feed is silent, or the market has closed."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Max

from sessions.hosted import FAILURE_INDEX, REQUEST_INDEX, HostedSession
from sessions.models import SessionEvent, SessionRequest

LAST_REQUEST_INDEX = FAILURE_INDEX - 500  # cancelling all orders there may be takes less


def obey_without_tick(hosted: HostedSession, requests: Sequence[SessionRequest]) -> bool:
    """False where the events of this tick have no room left; then the requests wait for a tick."""
    last_index = SessionEvent.objects.filter(
        session=hosted.row.pk,
        tick_seq=hosted.state.last_seq,
        index__range=(REQUEST_INDEX, FAILURE_INDEX - 1),
    ).aggregate(last=Max("index"))["last"]
    first_index = REQUEST_INDEX if last_index is None else last_index + 1
    if first_index >= LAST_REQUEST_INDEX:
        return False
    hosted.obey_without_tick(requests, first_index=first_index)
    return True
