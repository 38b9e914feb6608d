"""What changed cash, positions and trades."""

from __future__ import annotations

from dataclasses import dataclass

from simengine.events.base import Event
from simengine.market import Contract
from simengine.pricing import Legs


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class PositionChanged(Event):
    kind = "position_changed"
    contract: Contract
    quantity: int
    cost_cents: int
    realized_cents: int
    fees_cents: int


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class TradeClosed(Event):
    kind = "trade_closed"
    trade: int
    exit_cents: int | None  # per package as held; None at settlement
    profit_cents: int
    reason: str


@dataclass(frozen=True, slots=True)
class ExitTriggered(Event):
    kind = "exit_triggered"
    trade: int
    rule: str  # profit_target | stop_loss | exit_at
    profit_cents: int
