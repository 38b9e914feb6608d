"""Bots: accounts with a pinned strategy, a policy and a schedule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from zerohour_client.models.sessions import Session
from zerohour_client.models.strategies import StrategyKind

BotStatus = Literal["idle", "archived"]
RuntimeStatus = Literal[
    "idle", "scheduled", "running", "halted", "killed", "completed", "failed", "archived"
]
Weekday = Literal["mon", "tue", "wed", "thu", "fri"]


@dataclass(frozen=True)
class PinnedStrategy:
    source_hash: str
    kind: StrategyKind
    name: str


@dataclass(frozen=True)
class OpeningReprice:
    """How resting entries walk toward the market; `max_concession` is dollars per share."""

    enabled: bool
    nudge_after_seconds: int
    min_interval_seconds: int
    flat_tolerance_ticks: int
    max_concession: Decimal


@dataclass(frozen=True)
class ClosingReprice:
    """How resting exits walk toward the market: without a cap."""

    enabled: bool
    nudge_after_seconds: int
    min_interval_seconds: int
    flat_tolerance_ticks: int


@dataclass(frozen=True)
class Reprice:
    opening: OpeningReprice
    closing: ClosingReprice


@dataclass(frozen=True)
class Schedule:
    auto_start: bool
    weekdays: tuple[Weekday, ...]


@dataclass(frozen=True)
class Bot:
    """A paper account. The policy fields take effect on the next session."""

    id: UUID
    name: str
    description: str
    type: str
    engine: str
    strategy_id: UUID | None
    strategy: PinnedStrategy
    status: BotStatus
    runtime_status: RuntimeStatus
    starting_capital: Decimal
    cash_balance: Decimal
    max_daily_loss_pct: Decimal
    max_open_positions: int
    max_open_orders: int
    data_staleness_threshold_ms: int
    auto_pause_on_error: bool
    error_budget: int
    reprice: Reprice
    schedule: Schedule
    active_session: Session | None
    last_session: Session | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class Adjustment:
    """A correction that moved the balance outside a settlement."""

    id: int
    datetime: datetime
    session_id: UUID
    carried_after_session_id: UUID
    amount: Decimal
    balance_before: Decimal
    balance_after: Decimal
    old_settlement: Decimal
    new_settlement: Decimal
    reason: str


@dataclass(frozen=True)
class BotWithSessions:
    """Newest session first."""

    bot: Bot
    sessions: tuple[Session, ...]


@dataclass(frozen=True)
class DayResult:
    date: date
    total_pl: Decimal


@dataclass(frozen=True)
class SparklinePoint:
    date: date
    total_pl: Decimal
    cumulative_pl: Decimal
    closing_balance: Decimal


@dataclass(frozen=True)
class Summary:
    """Over the settled sessions; without one the amounts are None."""

    total_sessions: int
    win_count: int
    loss_count: int
    win_rate_pct: Decimal | None
    total_pl: Decimal | None
    best_day: DayResult | None
    worst_day: DayResult | None
    average_day_pl: Decimal | None
    sparkline: tuple[SparklinePoint, ...]
