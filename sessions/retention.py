"""What is let go of, and what never is: the ledger stays, old ticks and details may go."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction

from common.times import NEW_YORK
from marketdata import recorder
from sessions.models import BotSession, FinancialChunk, SessionEvent

log = logging.getLogger(__name__)

SESSIONS_AT_ONCE = 200
# What a later correction or recount still asks for.
KEPT_EVENTS = ("status", "settled", "finalized", "ended")


def keep_tick_log(*, keep_days: int) -> str | None:
    """A place in the log for the market's day and the next trading day; old days dropped.

    Never a day with an unsettled session: its runner still reads from it.
    """
    made = recorder.make_room()
    unsettled = set(BotSession.objects.unfinished().values_list("trading_date", flat=True))
    dropped = recorder.drop_old_days(keep_days, besides=unsettled)
    words = [f"made room for {day}" for day in made] + [f"dropped {day}" for day in dropped]
    return ", ".join(words) or None


def trim(*, detail_days: int, now: datetime) -> int:
    """Delete the per-second lines and the events of sessions settled long ago; of how many.

    `detail_days` 0 keeps them for ever. In small transactions; two at once share the work.
    """
    if not detail_days:
        return 0
    before = now.astimezone(NEW_YORK).date() - timedelta(days=detail_days)
    old = BotSession.objects.settled().filter(trading_date__lt=before, trimmed_at=None)
    trimmed = 0
    while True:
        with transaction.atomic():
            locked = old.select_for_update(skip_locked=True).order_by("trading_date")
            ids = list(locked.values_list("pk", flat=True)[:SESSIONS_AT_ONCE])
            if not ids:
                return trimmed
            FinancialChunk.objects.filter(session__in=ids).delete()
            SessionEvent.objects.filter(session__in=ids).exclude(kind__in=KEPT_EVENTS).delete()
            BotSession.objects.filter(pk__in=ids).update(trimmed_at=now)
        trimmed += len(ids)
