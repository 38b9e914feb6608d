"""A small market written by hand: 2026-05-07, strikes 5900 to 6000, spot 5950, a tick a second."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from django.utils import timezone

from common.times import to_ms
from marketdata import ticklog
from marketdata.models import MarketClock, MarketDay
from simengine.market import Tick, rows_of

DAY = date(2026, 5, 7)
OPEN_AT = datetime(2026, 5, 7, 13, 30, tzinfo=UTC)
CLOSE_AT = datetime(2026, 5, 7, 20, 0, tzinfo=UTC)
STRIKES = [590_000 + 500 * row for row in range(21)]
ROWS = rows_of(STRIKES)
SPOT_CENTS = 595_000


def tick(seq: int, *, second: int | None = None, put_up_cents: int = 0, **changes: int) -> Tick:
    """Tick `seq`, `second` seconds after the open (default: as many as its seq - 1).

    A put costs 1.00 plus a tenth of a cent a cent of moneyness and is quoted 0.10 wide, so the put
    spread 5945/5920 has a mid of 2.50 at every spot; `put_up_cents` widens it: it is added to the
    puts at or above 5945.
    """
    at_ms = to_ms(OPEN_AT) + 1000 * (seq - 1 if second is None else second)
    puts = [max(5, 300 + (strike - 594_500) // 10) for strike in STRIKES]
    puts = [
        price + (put_up_cents if strike >= 594_500 else 0)
        for strike, price in zip(STRIKES, puts, strict=True)
    ]
    calls = [max(5, 300 - (strike - 595_500) // 10) for strike in STRIKES]
    return Tick(
        seq=seq,
        at_ms=at_ms,
        received_ms=at_ms + changes.get("lag_ms", 0),
        spot_cents=changes.get("spot_cents", SPOT_CENTS),
        vix_hundredths=1620,
        expected_move_cents=2150,
        strikes_cents=STRIKES,
        call_bid_cents=calls,
        call_ask_cents=[price + 10 for price in calls],
        call_delta_e4=[max(100, 5000 - (strike - SPOT_CENTS) // 2) for strike in STRIKES],
        put_bid_cents=puts,
        put_ask_cents=[price + 10 for price in puts],
        put_delta_e4=[max(100, 5000 + (strike - SPOT_CENTS) // 2) for strike in STRIKES],
        row_of_strike=ROWS,
    )


def from_open(seconds: int) -> datetime:
    return OPEN_AT + timedelta(seconds=seconds)


def announce(day: date = DAY) -> MarketDay:
    """The market's day before its first tick, and the clock a minute before the open."""
    ticklog.drop_partition(day)  # a test with its own transactions leaves its ticks behind
    ticklog.create_partition(day)
    row = MarketDay.objects.create(
        trading_date=day,
        source="test",
        open_at=OPEN_AT + (day - DAY),
        close_at=CLOSE_AT + (day - DAY),
        announced_at=timezone.now(),
    )
    set_clock(row.open_at - timedelta(minutes=1), row)
    return row


def set_clock(at: datetime, day: MarketDay | None, *, silent_seconds: float = 0) -> None:
    MarketClock.objects.update_or_create(
        id=1,
        defaults={
            "day": day,
            "feed": "test",
            "market_at": at,
            "heartbeat_at": timezone.now() - timedelta(seconds=silent_seconds),
        },
    )


def publish(ticks: Sequence[Tick], day: date = DAY) -> MarketDay:
    """Append ticks to the log and move the clock to the last of them."""
    ticklog.append(day, ticks, timezone.now())
    row = MarketDay.objects.get(pk=day)
    assert row.last_tick_at is not None
    set_clock(row.last_tick_at, row)
    return row


def close(day: date = DAY, *, settlement_cents: int | None = SPOT_CENTS) -> MarketDay:
    """The market's day is over; without a value the settlement stays unknown."""
    MarketDay.objects.filter(pk=day).update(
        status=MarketDay.Status.CLOSED,
        settlement_cents=settlement_cents,
        settlement_source="official" if settlement_cents is not None else "",
        closed_at=timezone.now(),
    )
    row = MarketDay.objects.get(pk=day)
    set_clock(row.close_at, row)
    return row
