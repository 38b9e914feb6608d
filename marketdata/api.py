"""Market data for clients: status, the latest chain, recorded days (contract.md section 6)."""

from __future__ import annotations

from datetime import date
from typing import Any

import orjson
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from common.errors import InvalidInput
from common.schema import errors
from common.shapes import StrictSerializer, Text, WholeNumber
from common.views import ApiView
from marketdata import lines, queries, shapes

MAX_INTERVAL_SECONDS = 3600
SERIES_RULE = f"must be some of {', '.join(shapes.SERIES)}, with commas between"
STATUS_EXAMPLE = OpenApiExample(
    "open",
    value={
        "feed": "synthetic:42",
        "trading_date": "2026-05-07",
        "phase": "open",
        "is_open": True,
        "is_healthy": True,
        "market_time": "2026-05-07T14:30:01.400Z",
        "speed": "30",
        "open_at": "2026-05-07T13:30:00.000Z",
        "close_at": "2026-05-07T20:00:00.000Z",
        "last_tick_at": "2026-05-07T14:30:01.000Z",
        "last_tick_age_ms": 400,
        "settlement": None,
    },
    response_only=True,
)


LINE = {"datetime": "2026-05-07T13:50:33.000Z", "spx": "5951.05", "vix": "16.20"}
LINE_EXAMPLE = OpenApiExample(
    "a second", {**LINE, "expected_move": "21.50"}, response_only=True, status_codes=["200"]
)
CHAIN_EXAMPLE = OpenApiExample(
    "one strike of it",
    value={
        "trading_date": "2026-05-07",
        "datetime": "2026-05-07T13:50:33.000Z",
        "seq": 1234,
        "spot": "5951.05",
        "vix": "16.20",
        "expected_move": "21.50",
        "chain": [
            {
                "strike": "5950",
                "call": {"bid": "9.80", "ask": "10", "delta": "0.5120"},
                "put": {"bid": "8.70", "ask": "8.90", "delta": "0.4880"},
            }
        ],
    },
    response_only=True,
    status_codes=["200"],
)


class MarketStatus(ApiView):
    @extend_schema(
        summary="Feed, market clock and trading day",
        description="Times are market time; a replay or a fast clock has its own.",
        tags=["market data"],
        responses={200: shapes.StatusShape},
        examples=[STATUS_EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        return Response(shapes.status_object(queries.market_now()))


class MarketChain(ApiView):
    @extend_schema(
        summary="The latest chain",
        description="Before the first tick of a day, the last chain of the day before.",
        tags=["market data"],
        responses={200: shapes.ChainShape, **errors(404)},
        examples=[CHAIN_EXAMPLE],
    )
    def get(self, request: Request) -> HttpResponse:
        trading_date, tick = queries.latest_tick()
        return _json(shapes.chain_object(trading_date.isoformat(), tick))


class MarketHistory(ApiView):
    query = {"GET": ("series", "interval")}

    class Query(StrictSerializer):
        series = Text(rule=SERIES_RULE, default=",".join(shapes.SERIES))
        interval = WholeNumber(default=1, min_value=1, max_value=MAX_INTERVAL_SECONDS)

        def validate_series(self, value: str) -> tuple[str, ...]:
            wanted = tuple(dict.fromkeys(value.split(",")))
            if not set(wanted) <= set(shapes.SERIES):
                raise serializers.ValidationError(SERIES_RULE)
            return wanted

    @extend_schema(
        summary="A recorded day",
        description=(
            "One row an interval, the last tick in it; the day that is running up to now. "
            "A whole day by the second (23,401 rows) comes in one answer."
        ),
        tags=["market data"],
        parameters=[
            OpenApiParameter("trading_date", str, OpenApiParameter.PATH, description="YYYY-MM-DD"),
            OpenApiParameter("series", str, description="Comma-separated: spx, vix, expected_move"),
            OpenApiParameter(
                "interval",
                {"type": "integer", "minimum": 1, "maximum": MAX_INTERVAL_SECONDS, "default": 1},
                description="Seconds",
            ),
        ],
        responses={200: shapes.LineShape(many=True), **errors(400, 404)},
        examples=[LINE_EXAMPLE],
    )
    def get(self, request: Request, trading_date: str) -> HttpResponse:
        query = self.Query(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        day = queries.recorded_day(_date_of(trading_date))
        series = query.validated_data["series"]
        rows = lines.line_of(day, query.validated_data["interval"])
        return _json([shapes.line_object(row, series) for row in rows])


def _date_of(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        reason = "must be a trading day such as 2026-05-07"
        raise InvalidInput(f"trading_date {reason}.", fields={"trading_date": [reason]}) from None


def _json(body: Any) -> HttpResponse:
    """Straight from orjson: thousands of rows are too many for the renderer."""
    return HttpResponse(orjson.dumps(body), content_type="application/json")
