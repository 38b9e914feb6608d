"""One row a day over all its sessions, once the day is over and every session is settled."""

from __future__ import annotations

from datetime import date, datetime

from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce

from marketdata.models import MarketDay
from sessions.lifecycle import Status
from sessions.models import BotSession, DayRollUp

_SUMS = {
    "session_count": Count("pk"),
    "completed_count": Count("pk", filter=Q(status=Status.COMPLETED)),
    "halted_count": Count("pk", filter=Q(status=Status.HALTED)),
    "killed_count": Count("pk", filter=Q(status=Status.KILLED)),
    "failed_count": Count("pk", filter=Q(status=Status.FAILED)),
    "win_count": Count("pk", filter=Q(total_pl_cents__gt=0)),
    "loss_count": Count("pk", filter=Q(total_pl_cents__lt=0)),
    "total_pl_cents": Coalesce(Sum("total_pl_cents"), 0),
    "total_fees_cents": Coalesce(Sum("total_fees_cents"), 0),
    "order_count": Coalesce(Sum("order_count"), 0),
    "fill_count": Coalesce(Sum("fill_count"), 0),
    "error_count": Coalesce(Sum("error_count"), 0),
    "takeover_count": Coalesce(Sum("takeovers"), 0),
}


def roll_up_days(*, now: datetime) -> list[date]:
    """Roll up the days that are over and not rolled up yet; which days that were.

    Twice at once writes the same row twice. A settled session never changes, so neither does it.
    """
    over = MarketDay.objects.filter(status=MarketDay.Status.CLOSED, settlement_cents__isnull=False)
    missing = over.exclude(trading_date__in=DayRollUp.objects.values("trading_date"))
    unfinished = BotSession.objects.unfinished().values("trading_date")
    days = list(missing.exclude(trading_date__in=unfinished).order_by("trading_date"))
    for day in days:
        sums = BotSession.objects.filter(trading_date=day.trading_date).aggregate(**_SUMS)
        DayRollUp.objects.update_or_create(
            trading_date=day.trading_date, defaults={**sums, "made_at": now}
        )
    return [day.trading_date for day in days]
