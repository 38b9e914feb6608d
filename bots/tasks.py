from __future__ import annotations

from django.utils import timezone

from bots import corrections, services
from common.jobs import job
from marketdata import queries as market_queries


@job
def schedule_day() -> str | None:
    """Create the `scheduled` sessions of the market's current day; safe twice at once."""
    market = market_queries.market_now()
    if market.day is None:
        return None
    made = services.schedule_day(day=market.day, now=market.at)
    return f"scheduled {len(made)} sessions for {market.trading_date}" if made else None


@job
def adjust_balances() -> str | None:
    """Book corrected settlement values on the balances; safe twice at once."""
    made = corrections.apply_corrections(now=timezone.now())
    return f"booked {made} adjustments" if made else None
