"""The market's numbers for Prometheus, read on a scrape."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection
from prometheus_client.core import Metric

from common.metrics import gauge, gauges
from marketdata import queries

PHASES = ("pre_open", "open", "closed")

_CLOCK = """
SELECT EXTRACT(EPOCH FROM clock_timestamp() - c.heartbeat_at),
       EXTRACT(EPOCH FROM c.market_at - COALESCE(d.last_tick_at, d.open_at)),
       COALESCE(d.last_seq, 0),
       (SELECT count(*) FROM marketdata_marketday
        WHERE status = 'closed' AND settlement_cents IS NULL AND last_seq > 0)
FROM marketdata_marketclock c LEFT JOIN marketdata_marketday d ON d.trading_date = c.day_id
"""


def read() -> Iterator[Metric]:
    """Nothing but the phase where no market ever ran."""
    now = queries.market_now()
    yield gauges(
        "zerohour_market_phase",
        "1 for the phase the market is in.",
        "phase",
        [(phase, float(phase == now.phase)) for phase in PHASES],
    )
    with connection.cursor() as cursor:
        cursor.execute(_CLOCK)
        row = cursor.fetchone()
    if row is None:
        return
    heartbeat_age, tick_age, last_seq, unsettled_days = row
    yield gauge("zerohour_feed_age_seconds", "Since the market's last sign of life.", heartbeat_age)
    yield gauge(
        "zerohour_tick_age_market_seconds",
        "Market time since the day's last tick (0 outside its hours).",
        tick_age if now.is_open and tick_age is not None else 0,
    )
    yield gauge("zerohour_market_last_tick", "Sequence of the day's last tick.", last_seq)
    yield gauge("zerohour_market_speed", "Market seconds per second; 0 while paused.", now.speed)
    yield gauge(
        "zerohour_market_days_without_settlement",
        "Closed days whose settlement value is not known.",
        unsettled_days,
    )
