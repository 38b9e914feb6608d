"""What changed cash, positions and trades."""

from __future__ import annotations

from simengine.events.base import Event, event
from simengine.market import Contract
from simengine.pricing import Legs


@event
class Booked(Event):
    """One transaction: a leg of a fill, or the settlement of an instrument."""

    kind = "booked"
    number: int
    order: int | None
    contract: Contract
    type: str
    quantity: int
    price_cents: int  # per contract, with the ×100
    value_cents: int
    effect: str
    fees_cents: int


@event
class PositionChanged(Event):
    kind = "position_changed"
    contract: Contract
    quantity: int
    cost_cents: int
    realized_cents: int
    fees_cents: int


@event
class TradeOpened(Event):
    kind = "trade_opened"
    trade: int
    order: int
    legs: Legs
    units: int
    entry_cents: int
    name: str
    profit_target_bp: int | None
    stop_loss_bp: int | None
    exit_at_seconds: int | None
    trailing_stop_bp: int | None
    trailing_start_bp: int | None
    exit_on_touch: bool


@event
class TradeClosed(Event):
    kind = "trade_closed"
    trade: int
    exit_cents: int | None  # per package as held; None at settlement
    profit_cents: int
    reason: str


@event
class ExitTriggered(Event):
    kind = "exit_triggered"
    trade: int
    rule: str  # profit_target | stop_loss | trailing_stop | touch | exit_at
    profit_cents: int
