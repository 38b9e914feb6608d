"""Market data as the API writes it: decimal strings, RFC 3339 (contract.md sections 1 and 6)."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from common.money import hundredths, usd, usd_or_none
from common.shapes import Instant
from common.times import from_ms, rfc3339, rfc3339_or_none
from marketdata.lines import IndexRow
from marketdata.queries import MarketNow
from simengine.market import MISSING, Quote, Tick

SERIES = ("spx", "vix", "expected_move")


class SettlementShape(serializers.Serializer):
    value = serializers.CharField()
    source = serializers.ChoiceField(  # type: ignore[assignment]  # shadows Field.source
        ["official", "last_spot", "operator"]
    )


class StatusShape(serializers.Serializer):
    """The market as it is now. Times are market time."""

    feed = serializers.CharField(
        allow_null=True, help_text='"synthetic:42", "tape:ed18bc4ec55d", "live:tastytrade"'
    )
    trading_date = serializers.DateField(allow_null=True)
    phase = serializers.ChoiceField(["pre_open", "open", "closed"])
    is_open = serializers.BooleanField()
    is_healthy = serializers.BooleanField(help_text="The feed gave a sign of life within 5 s.")
    market_time = Instant()
    speed = serializers.CharField(help_text="Market seconds per second.")
    open_at = Instant(allow_null=True)
    close_at = Instant(allow_null=True)
    last_tick_at = Instant(allow_null=True)
    last_tick_age_ms = serializers.IntegerField(
        allow_null=True, help_text="Market time since the last tick."
    )
    settlement = SettlementShape(allow_null=True)


class QuoteShape(serializers.Serializer):
    bid = serializers.CharField(allow_null=True)
    ask = serializers.CharField(allow_null=True)
    delta = serializers.CharField(allow_null=True, help_text="Unsigned, 0 to 1.")


class StrikeShape(serializers.Serializer):
    strike = serializers.CharField()
    call = QuoteShape()
    put = QuoteShape()


class ChainShape(serializers.Serializer):
    trading_date = serializers.DateField()
    datetime = Instant()
    seq = serializers.IntegerField(help_text="The tick's place in its day.")
    spot = serializers.CharField()
    vix = serializers.CharField(allow_null=True)
    expected_move = serializers.CharField(allow_null=True)
    chain = StrikeShape(many=True)


class LineShape(serializers.Serializer):
    datetime = Instant()
    spx = serializers.CharField(required=False)
    vix = serializers.CharField(required=False, allow_null=True)
    expected_move = serializers.CharField(required=False, allow_null=True)


def status_object(now: MarketNow) -> dict[str, Any]:
    day = now.day
    age = None if now.last_tick_at is None else now.at - now.last_tick_at
    settled = day is not None and day.settlement_cents is not None
    return {
        "feed": now.feed or None,
        "trading_date": None if day is None else day.trading_date.isoformat(),
        "phase": now.phase,
        "is_open": now.is_open,
        "is_healthy": now.is_healthy,
        "market_time": rfc3339(now.at),
        "speed": f"{now.speed:g}",
        "open_at": None if day is None else rfc3339(day.open_at),
        "close_at": None if day is None else rfc3339(day.close_at),
        "last_tick_at": rfc3339_or_none(now.last_tick_at),
        "last_tick_age_ms": None if age is None else round(age.total_seconds() * 1000),
        "settlement": (
            {"value": usd(day.settlement_cents), "source": day.settlement_source}
            if settled and day is not None and day.settlement_cents is not None
            else None
        ),
    }


def chain_object(trading_date: str, tick: Tick) -> dict[str, Any]:
    calls = zip(tick.call_bid_cents, tick.call_ask_cents, tick.call_delta_e4, strict=True)
    puts = zip(tick.put_bid_cents, tick.put_ask_cents, tick.put_delta_e4, strict=True)
    return {
        "trading_date": trading_date,
        "datetime": rfc3339(from_ms(tick.at_ms)),
        "seq": tick.seq,
        "spot": usd(tick.spot_cents),
        "vix": _hundredths_or_none(tick.vix_hundredths),
        "expected_move": usd_or_none(tick.expected_move_cents),
        "chain": [
            {
                "strike": usd(strike),
                "call": _quote_object(Quote(*call)),
                "put": _quote_object(Quote(*put)),
            }
            for strike, call, put in zip(tick.strikes_cents, calls, puts, strict=True)
        ],
    }


def line_object(row: IndexRow, series: tuple[str, ...] = SERIES) -> dict[str, Any]:
    values = {
        "spx": usd(row.spot_cents),
        "vix": _hundredths_or_none(row.vix_hundredths),
        "expected_move": usd_or_none(row.expected_move_cents),
    }
    return {"datetime": rfc3339(from_ms(row.at_ms)), **{name: values[name] for name in series}}


def _quote_object(quote: Quote) -> dict[str, str | None]:
    delta = quote.delta_e4
    return {
        "bid": None if quote.bid_cents == MISSING else usd(quote.bid_cents),
        "ask": None if quote.ask_cents == MISSING else usd(quote.ask_cents),
        "delta": None if delta == MISSING else f"{delta // 10_000}.{delta % 10_000:04d}",
    }


def _hundredths_or_none(value: int | None) -> str | None:
    return None if value is None else hundredths(value)
