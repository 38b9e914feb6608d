"""A trading day of a bot and everything below it. Amounts are dollars, times are UTC."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from zerohour_client._shapes import wire_name
from zerohour_client.models.accounts import FeeSchedule

SessionStatus = Literal[
    "scheduled",
    "registering",
    "waiting_for_data",
    "running",
    "settling",
    "killing",
    "completed",
    "halted",
    "killed",
    "failed",
]
OrderStatus = Literal["pending", "filled", "canceled", "expired", "rejected"]
Effect = Literal["debit", "credit"]
TERMINAL: frozenset[str] = frozenset({"completed", "halted", "killed", "failed"})


@dataclass(frozen=True)
class RanStrategy:
    source_hash: str
    name: str


@dataclass(frozen=True)
class Session:
    """The roll-up, from `final_nlv` on, is None until the session is settled.

    `policy` is the frozen policy with the field names of the bot.
    """

    session_id: UUID
    bot_id: UUID
    date: date
    status: SessionStatus
    status_reason: str | None
    opening_balance: Decimal | None
    policy: dict[str, Any] | None
    fee_schedule: FeeSchedule | None
    slippage: Decimal | None
    strategy: RanStrategy
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    settled_at: datetime | None
    last_tick_at: datetime | None
    tick_count: int
    error_count: int
    final_nlv: Decimal | None
    realized_pl: Decimal | None
    total_pl: Decimal | None
    total_fees: Decimal | None
    max_intraday_dd: Decimal | None
    max_intraday_dd_pct: Decimal | None
    peak_nlv: Decimal | None
    trough_nlv: Decimal | None
    order_count: int | None
    fill_count: int | None

    @property
    def is_terminal(self) -> bool:
        return self.status in TERMINAL

    @property
    def is_settled(self) -> bool:
        """Nothing of it changes any more."""
        return self.settled_at is not None


@dataclass(frozen=True)
class OrderLeg:
    instrument: str
    quantity: Decimal
    action: Literal["buy to open", "sell to open", "buy to close", "sell to close"]


@dataclass(frozen=True)
class BuyingPowerEffect:
    margin: Decimal
    available_buying_power: Decimal


@dataclass(frozen=True)
class Transaction:
    """`price` and `value` include the multiplier of 100."""

    id: UUID
    datetime: datetime
    order_id: UUID | None
    instrument: str
    type: str
    quantity: Decimal
    price: Decimal
    value: Decimal
    effect: Effect
    fees: Decimal


@dataclass(frozen=True)
class Order:
    """Prices are dollars per share of the package, without a sign: see `price_effect`."""

    id: UUID
    type: Literal["market", "limit", "stop"]
    kind: Literal["opening", "closing"]
    status: OrderStatus
    price: Decimal | None
    price_effect: Effect | None
    legs: tuple[OrderLeg, ...]
    intended_price: Decimal | None
    concession: Decimal
    replace_count: int
    placed_at: datetime
    fill_price: Decimal | None
    fill_datetime: datetime | None
    fees: Decimal
    reject_reason: str | None
    transactions: tuple[Transaction, ...]
    buying_power_effect: BuyingPowerEffect = field(metadata=wire_name("buying-power-effect"))


@dataclass(frozen=True)
class Position:
    """One instrument, against the latest tick; a closed one stays with quantity 0."""

    id: UUID
    instrument: str
    direction: Literal["long", "short", "zero"]
    quantity: Decimal
    cost_basis: Decimal
    price: Decimal | None
    delta: Decimal | None
    unrealized_profit_loss: Decimal
    realized_profit_loss: Decimal
    total_profit_loss: Decimal


@dataclass(frozen=True)
class Financial:
    """One second of the account."""

    datetime: datetime
    net_liquidation_value: Decimal
    cash: Decimal
    unrealized_profit_loss: Decimal
    realized_profit_loss: Decimal
    profit_loss: Decimal
    fees: Decimal
    available_buying_power: Decimal
    maintenance_margin: Decimal


@dataclass(frozen=True)
class Decision:
    """A ctx.log() or ctx.signal() of the strategy."""

    seq: int
    datetime: datetime
    kind: Literal["log", "signal"]
    name: str | None
    message: str | None
    data: dict[str, Any]


@dataclass(frozen=True)
class Event:
    """What the runner did and why."""

    id: UUID
    datetime: datetime
    tick_seq: int
    index: int
    kind: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """The outcome of one scheduled entry of a form."""

    scheduled_at: datetime
    outcome: Literal["planned", "working", "filled", "unfilled", "skipped", "missed", "blocked"]
    reason: str | None
    order_id: UUID | None


@dataclass(frozen=True)
class Break:
    """The first row that breaks a check; amounts are integer cents."""

    table: str
    id: str
    column: str
    stored: Any
    expected: Any


@dataclass(frozen=True)
class Check:
    name: str
    says: str
    is_sound: bool
    rows_checked: int
    first_break: Break | None


@dataclass(frozen=True)
class Integrity:
    """A session recounted from its rows."""

    session_id: UUID
    is_sound: bool
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class StatusChange:
    """A step of the session's life, in the stream at the tick where it was taken."""

    datetime: datetime
    status: SessionStatus
    reason: str | None = None


@dataclass(frozen=True)
class OtherEvent:
    """An event of a newer server that this version does not know."""

    data: Any


SessionData = (
    Session | StatusChange | Order | Position | Transaction | Decision | Financial | OtherEvent
)
