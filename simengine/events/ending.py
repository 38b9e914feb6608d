"""Guardrails, and how a session ends."""

from __future__ import annotations

from simengine.events.base import Event, event


@event
class ErrorCounted(Event):
    kind = "error_counted"
    source: str  # strategy | order | stale
    message: str
    line: int | None
    count: int


@event
class BudgetExceeded(Event):
    kind = "budget_exceeded"
    count: int
    budget: int
    pausing: bool


@event
class DailyLossReached(Event):
    kind = "daily_loss_reached"
    loss_cents: int
    cap_cents: int


@event
class Flattening(Event):
    """Nothing new may open; every trade is being closed at market."""

    kind = "flattening"
    end: str
    reason: str


@event
class Ended(Event):
    """The session trades no more: completed, halted, killed or failed."""

    kind = "ended"
    end: str
    reason: str
    open_trades: int


@event
class Closed(Event):
    """The market closed; what is held waits for the settlement value."""

    kind = "closed"
    at_ms: int


@event
class Settled(Event):
    kind = "settled"
    settlement_cents: int


@event
class Finalized(Event):
    """The roll-up. Percentages in hundredths of a percent."""

    kind = "finalized"
    final_nlv_cents: int
    realized_pl_cents: int
    total_pl_cents: int
    total_fees_cents: int
    max_intraday_dd_cents: int
    max_intraday_dd_bp: int
    peak_nlv_cents: int
    trough_nlv_cents: int
    order_count: int
    fill_count: int
