"""From the events of sessions to deliveries: each event of interest once for each channel.

Read from the committed events, so nothing that was rolled back is told and nothing that was
committed is missed; the unique (channel, event) makes a second relay at the same time harmless.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from alerts.models import Channel, Delivery, Kind
from bots.models import Bot
from common.money import hundredths
from common.times import rfc3339
from marketdata import queries as market
from sessions.lifecycle import Status
from sessions.models import BotSession, SessionEvent

EVENTS_AT_ONCE = 500
DAYS_LOOKED_AT = 7  # a day that settles late, over a long weekend
TOLD_STATUSES = (Status.RUNNING.value, Status.HALTED.value, Status.FAILED.value)


def relay(*, now: datetime) -> int:
    """Writes a delivery for every event not told yet; how many. `now` is wall-clock time."""
    day = market.market_now().trading_date
    if day is None:
        return 0
    first_day = day - timedelta(days=DAYS_LOOKED_AT)
    return sum(
        _relay_to(channel, first_day, now) for channel in Channel.objects.select_related("owner")
    )


def _relay_to(channel: Channel, first_day: Any, now: datetime) -> int:
    told = Delivery.objects.filter(channel=channel, event_id=OuterRef("pk"))
    events = (
        _events_of(channel, first_day)
        .exclude(Exists(told))
        .select_related("session")
        .defer("session__state")
        .order_by("at", "tick_seq", "index")[:EVENTS_AT_ONCE]
    )
    bots = {bot.pk: bot for bot in Bot.objects.owned_by(channel.owner)}
    wanted = [(event, kind_of(event)) for event in events]
    deliveries = [
        Delivery(
            channel=channel,
            event_id=event.pk,
            kind=kind.value,
            body=body_of(event, kind, bots[event.session.bot_id]),
            due_at=now,
        )
        for event, kind in wanted
        if kind.value in channel.kinds
    ]
    made = Delivery.objects.bulk_create(deliveries, ignore_conflicts=True)
    return len(made)


def _events_of(channel: Channel, first_day: Any) -> QuerySet[SessionEvent]:
    owned = BotSession.objects.owned_by(channel.owner).filter(trading_date__gte=first_day)
    events = SessionEvent.objects.filter(session__in=owned.values("pk"), at__gte=channel.since)
    changes = events.filter(kind="status", data__status__in=TOLD_STATUSES)
    return changes | events.filter(kind="filled")


def kind_of(event: SessionEvent) -> Kind:
    if event.kind == "filled":
        return Kind.FILLED
    if event.data["status"] == Status.RUNNING.value:
        return Kind.STARTED
    if event.data["status"] == Status.HALTED.value:
        return Kind.HALTED
    return Kind.FAILED if event.session.started_at else Kind.NOT_STARTED


def body_of(event: SessionEvent, kind: Kind, bot: Bot) -> dict[str, Any]:
    """What a webhook is sent, and what the e-mail is written from."""
    return {
        "kind": kind.value,
        "text": f"{bot.name}: {_words(event, kind)}",
        "at": rfc3339(event.at),
        "bot": {"id": str(bot.pk), "name": bot.name},
        "session": {
            "id": str(event.session_id),
            "date": event.session.trading_date.isoformat(),
        },
        "data": event.data,
    }


def _words(event: SessionEvent, kind: Kind) -> str:
    data = event.data
    reason = f" ({data['reason']})" if data.get("reason") else ""
    if kind is Kind.FILLED:
        cents = data["price_cents"]
        side = "credit" if cents < 0 else "debit"
        price = f"a {side} of ${hundredths(abs(cents))}"
        return f"{data['order_kind']} order {data['order']} filled, {data['units']} at {price}"
    return {
        Kind.STARTED: "the session runs",
        Kind.HALTED: f"the session halted{reason}",
        Kind.FAILED: f"the session failed{reason}",
        Kind.NOT_STARTED: f"the session did not start{reason}",
    }[kind]
