"""What a client sees of a bot (contract.md section 4)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bots.models import BalanceAdjustment
from bots.queries import BotView
from bots.summary import Day, Summary
from common.money import hundredths, usd, usd_or_none
from common.times import rfc3339
from sessions.models import BotSession
from sessions.shapes import session_object


def bot_object(view: BotView) -> dict[str, Any]:
    bot = view.bot
    return {
        "id": str(bot.pk),
        "name": bot.name,
        "description": bot.description,
        "type": "bot",
        "engine": bot.engine,
        "strategy_id": str(bot.strategy_link_id) if bot.strategy_link_id else None,
        "strategy": {
            "source_hash": bot.strategy_id,
            "kind": bot.strategy_kind,
            "name": bot.strategy_name,
        },
        "status": bot.status,
        "runtime_status": view.runtime_status,
        "starting_capital": usd(bot.starting_capital_cents),
        "cash_balance": usd(bot.cash_balance_cents),
        **bot.policy,
        "schedule": {"auto_start": bot.auto_start, "weekdays": bot.weekdays},
        "active_session": _session_or_none(view.active_session),
        "last_session": _session_or_none(view.last_session),
        "created_at": rfc3339(bot.created_at),
        "updated_at": rfc3339(bot.updated_at),
    }


def bot_with_sessions(view: BotView, sessions: Iterable[BotSession]) -> dict[str, Any]:
    return {
        "bot": bot_object(view),
        "sessions": [session_object(session) for session in sessions],
    }


def adjustment_object(row: BalanceAdjustment) -> dict[str, Any]:
    return {
        "id": row.pk,
        "datetime": rfc3339(row.made_at),
        "session_id": str(row.session_id),
        "carried_after_session_id": str(row.carried_after_id),
        "amount": usd(row.amount_cents),
        "balance_before": usd(row.balance_before_cents),
        "balance_after": usd(row.balance_after_cents),
        "old_settlement": usd(row.old_settlement_cents),
        "new_settlement": usd(row.new_settlement_cents),
        "reason": row.reason,
    }


def summary_object(summary: Summary) -> dict[str, Any]:
    return {
        "total_sessions": summary.total_sessions,
        "win_count": summary.win_count,
        "loss_count": summary.loss_count,
        "win_rate_pct": None if summary.win_rate_bp is None else hundredths(summary.win_rate_bp),
        "total_pl": usd_or_none(summary.total_pl_cents),
        "best_day": _day_or_none(summary.best_day),
        "worst_day": _day_or_none(summary.worst_day),
        "average_day_pl": usd_or_none(summary.average_day_pl_cents),
        "sparkline": [
            {
                "date": point.day.trading_date.isoformat(),
                "total_pl": usd(point.day.total_pl_cents),
                "cumulative_pl": usd(point.cumulative_pl_cents),
                "closing_balance": usd(point.day.closing_balance_cents),
            }
            for point in summary.sparkline
        ],
    }


def _session_or_none(session: BotSession | None) -> dict[str, Any] | None:
    return None if session is None else session_object(session)


def _day_or_none(day: Day | None) -> dict[str, str] | None:
    if day is None:
        return None
    return {"date": day.trading_date.isoformat(), "total_pl": usd(day.total_pl_cents)}
