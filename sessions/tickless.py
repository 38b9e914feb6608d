"""What happens to a session although no tick comes: the feed is silent or the market closed."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from django.db.models import Max

from marketdata.models import MarketDay
from sessions.hosted import FAILURE_INDEX, REQUEST_INDEX, HostedSession
from sessions.models import SessionEvent, SessionRequest

LAST_REQUEST_INDEX = FAILURE_INDEX - 500  # cancelling all orders there may be takes less


def has_work(
    hosted: HostedSession, day: MarketDay, requests: Mapping[uuid.UUID, Sequence[SessionRequest]]
) -> bool:
    """Whether there may be something to do for it now."""
    return (
        hosted.uncommitted.has_events
        or day.status == MarketDay.Status.CLOSED
        or hosted.is_final  # since it was loaded: its program does not load
        or (bool(requests) and hosted.row.pk in requests)
    )


def end_of_day(hosted: HostedSession, day: MarketDay) -> bool:
    """Close and settle as far as the day and its settlement value allow. Says whether it moved."""
    if day.status != MarketDay.Status.CLOSED or hosted.state.last_seq < day.last_seq:
        return False
    moved = False
    if not hosted.awaits_settlement and not hosted.is_final:
        hosted.close_market(close_at=day.close_at)
        moved = True
    if hosted.awaits_settlement and day.settlement_cents is not None:
        hosted.settle(day.settlement_cents, close_at=day.close_at)
        moved = True
    return moved


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
