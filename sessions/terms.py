"""A session's fixed terms for the engine, from what was frozen on its row and the market's
hours.
"""

from __future__ import annotations

from datetime import date, datetime

from common.times import new_york_midnight_ms, to_ms
from sessions.models import BotSession
from simengine.fees import FeeSchedule
from simengine.policy import Policy
from simengine.state import SessionTerms

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def weekday_of(day: date) -> str:
    return WEEKDAYS[day.weekday()]


def terms_of(session: BotSession, *, open_at: datetime, close_at: datetime) -> SessionTerms:
    """Raises ValueError for a session that is not registered yet: nothing is frozen then."""
    if (
        session.policy is None
        or session.fee_schedule is None
        or session.opening_balance_cents is None
        or session.slippage_cents is None
    ):
        raise ValueError(f"session {session.pk} is not registered")
    return SessionTerms(
        trading_date=session.trading_date.isoformat(),
        weekday=weekday_of(session.trading_date),
        open_at_ms=to_ms(open_at),
        close_at_ms=to_ms(close_at),
        midnight_ms=new_york_midnight_ms(session.trading_date),
        opening_balance_cents=session.opening_balance_cents,
        fees=FeeSchedule(**session.fee_schedule),
        slippage_cents=session.slippage_cents,
        policy=Policy.from_json(session.policy),
        # Any fixed number will do, as long as a replay has the same one.
        seed=session.pk.int % 2**31,
    )
