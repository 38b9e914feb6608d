"""Examples for the OpenAPI document. A test reads the requests and checks the answers."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample

from simengine.policy import Policy, merged

BOT_ID = "9f0c6a52-3d5e-4a1b-9d5b-0f6a2f1c7e11"
STRATEGY_ID = "a1b2c3d4-5e6f-4a7b-8c9d-0e1f2a3b4c5d"
SOURCE_HASH = "3f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea"

CREATE_BOT_BODY: dict[str, Any] = {
    "strategy_id": STRATEGY_ID,
    "name": "Delta-30 put spread",
    "starting_capital": "25000",
    "description": "Runs my 30-delta credit spread live",
    "max_daily_loss_pct": "0.0200",
    "max_open_positions": 4,
    "reprice": {"opening": {"max_concession": "0.10"}},
}
UPDATE_BOT_BODY: dict[str, Any] = {
    "name": "Delta-30 — v2",
    "max_daily_loss_pct": "0.0150",
    "schedule": {"auto_start": True, "weekdays": ["mon", "wed", "fri"]},
}
BOT_ANSWER: dict[str, Any] = {
    "id": BOT_ID,
    "name": "Delta-30 put spread",
    "description": "Runs my 30-delta credit spread live",
    "type": "bot",
    "engine": "live_sim",
    "strategy_id": STRATEGY_ID,
    "strategy": {"source_hash": SOURCE_HASH, "kind": "form", "name": "Delta-30 put spread"},
    "status": "idle",
    "runtime_status": "idle",
    "starting_capital": "25000",
    "cash_balance": "25312.40",
    **merged(
        Policy().as_json(),
        {
            name: CREATE_BOT_BODY[name]
            for name in ("max_daily_loss_pct", "max_open_positions", "reprice")
        },
    ),
    "schedule": {"auto_start": False, "weekdays": ["mon", "tue", "wed", "thu", "fri"]},
    "active_session": None,
    "last_session": None,
    "created_at": "2026-05-06T20:11:09.412Z",
    "updated_at": "2026-05-06T20:11:09.412Z",
}
SUMMARY_ANSWER: dict[str, Any] = {
    "total_sessions": 3,
    "win_count": 2,
    "loss_count": 1,
    "win_rate_pct": "66.67",
    "total_pl": "312.40",
    "best_day": {"date": "2026-05-05", "total_pl": "240.20"},
    "worst_day": {"date": "2026-05-06", "total_pl": "-80"},
    "average_day_pl": "104.13",
    "sparkline": [
        {
            "date": "2026-05-05",
            "total_pl": "240.20",
            "cumulative_pl": "240.20",
            "closing_balance": "25240.20",
        },
        {
            "date": "2026-05-06",
            "total_pl": "-80",
            "cumulative_pl": "160.20",
            "closing_balance": "25160.20",
        },
        {
            "date": "2026-05-07",
            "total_pl": "152.20",
            "cumulative_pl": "312.40",
            "closing_balance": "25312.40",
        },
    ],
}

ADJUSTMENT_ANSWER = {
    "id": 1,
    "datetime": "2026-05-08T12:30:00.000Z",
    "session_id": "0b6c2f0e-4a55-4c3e-9a68-0f6b2f9f8a11",
    "carried_after_session_id": "0b6c2f0e-4a55-4c3e-9a68-0f6b2f9f8a11",
    "amount": "-505",
    "balance_before": "25312.40",
    "balance_after": "24807.40",
    "old_settlement": "5950",
    "new_settlement": "5940",
    "reason": "The exchange republished the settlement value.",
}

CREATE_BOT = OpenApiExample("A bot with a tighter entry cap", CREATE_BOT_BODY, request_only=True)
UPDATE_BOT = OpenApiExample("Rename, tighten, schedule", UPDATE_BOT_BODY, request_only=True)
CREATED_BOT = OpenApiExample("The bot", BOT_ANSWER, response_only=True, status_codes=["201"])
BOT = OpenApiExample("The bot", BOT_ANSWER, response_only=True, status_codes=["200"])
BOT_LIST = OpenApiExample("A list of bots", BOT_ANSWER, response_only=True, status_codes=["200"])
BOT_WITH_SESSIONS = OpenApiExample(
    "A bot that never ran",
    {"bot": BOT_ANSWER, "sessions": []},
    response_only=True,
    status_codes=["200"],
)
ADJUSTMENTS = OpenApiExample(
    "A settlement value corrected a day later",
    ADJUSTMENT_ANSWER,
    response_only=True,
    status_codes=["200"],
)
SUMMARY = OpenApiExample("Three days", SUMMARY_ANSWER, response_only=True, status_codes=["200"])
