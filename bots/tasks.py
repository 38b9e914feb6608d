from __future__ import annotations

from celery import shared_task

from bots import services
from marketdata import queries as market_queries


@shared_task
def schedule_day(**_newer_arguments: object) -> None:
    """Create the `scheduled` sessions of the market's current day; safe twice at once."""
    market = market_queries.market_now()
    if market.day is not None:
        services.schedule_day(day=market.day, now=market.at)
