"""The guardrails of a running session (domain.md section 6).

The daily-loss cap is reached when opening balance - NLV >= max_daily_loss_pct × opening balance. It
is latched: once the session is flattening, no recovery brings it back. Every error of the strategy,
invalid order and stale episode spends the error budget; a count above it pauses the session if the
policy says so.
"""

from __future__ import annotations

from simengine.events import (
    BudgetExceeded,
    DailyLossReached,
    ErrorCounted,
    Event,
    Flattening,
)
from simengine.execution import cancel_all
from simengine.market import Tick
from simengine.orders import MARKET
from simengine.placement import close_trade
from simengine.state import FLATTENING, HALTED, RUNNING, SessionState, SessionTerms


def check_daily_loss(state: SessionState, terms: SessionTerms, nlv_cents: int) -> list[Event]:
    """The cap, looked at every tick. A balance of nothing or less has nothing to lose: it is
    reached at once.
    """
    if nlv_cents > terms.halts_at_nlv_cents or state.phase != RUNNING:
        return []
    balance_cents = terms.opening_balance_cents
    loss_cents = balance_cents - nlv_cents
    cap_pct = _pct(terms.policy.max_daily_loss_e4)
    loss_pct = _pct(loss_cents * 10_000 // balance_cents) if balance_cents > 0 else "100.00"
    reason = f"daily_loss_cap: drawdown {loss_pct} % reached the cap of {cap_pct} %"
    cap_cents = balance_cents - terms.halts_at_nlv_cents
    reached = DailyLossReached(loss_cents=loss_cents, cap_cents=cap_cents)
    return [reached, *begin_flattening(state, terms, HALTED, reason)]


def count_error(
    state: SessionState, terms: SessionTerms, source: str, message: str, line: int | None = None
) -> list[Event]:
    """One more error: the event, and the pause (or the one remark) when the budget is exceeded."""
    state.error_count += 1
    events: list[Event] = [ErrorCounted(source, message, line, state.error_count)]
    policy = terms.policy
    if state.error_count <= policy.error_budget or state.budget_exceeded:
        return events
    state.budget_exceeded = True
    pausing = policy.auto_pause_on_error
    events.append(BudgetExceeded(state.error_count, policy.error_budget, pausing))
    if pausing and not state.is_ended and state.phase != FLATTENING:
        reason = f"error_budget: {state.error_count} errors, the budget is {policy.error_budget}"
        events += begin_flattening(state, terms, HALTED, reason)
    return events


def begin_flattening(
    state: SessionState, terms: SessionTerms, end: str, reason: str
) -> list[Event]:
    """Cancel what works and decide the end; the positions are closed from the next fresh tick on,
    until none is left.
    """
    state.phase = FLATTENING
    state.end = end
    state.end_reason = reason
    return [*cancel_all(state, terms, reason.split(":", 1)[0]), Flattening(end, reason)]


def flatten(state: SessionState, tick: Tick, terms: SessionTerms) -> list[Event]:
    """One market order a trade, as one package. With an unusable leg it rests until it trades."""
    events: list[Event] = []
    for trade in state.trades.values():
        if trade.closing_order is None:
            events += close_trade(state, tick, terms, trade, order_type=MARKET, reason="flatten")
    return events


def _pct(bp: int) -> str:
    return f"{bp // 100}.{bp % 100:02d}"
