"""A session inside the engine: its fixed terms and the state one owner moves.

`SessionTerms` never change after registration. `SessionState` is everything else; `as_json` and
`from_json` are exact inverses, so a session can be put down after any tick and taken up elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from simengine.events import EntryResolved
from simengine.fees import FeeSchedule
from simengine.market import Contract
from simengine.orders import ExitRules, Order, Trade
from simengine.policy import Policy
from simengine.portfolio import Portfolio
from simengine.pricing import Leg, Legs

WAITING = "waiting"  # for the first fresh tick
RUNNING = "running"
FLATTENING = "flattening"  # closing everything at market; the end is decided
MARKING = "marking"  # ended with positions; they are marked until the close
CLOSING = "closing"  # the market closed; waiting for the settlement value
FINAL = "final"

# The outcomes of a scheduled entry. Planned and working ones are still to come.
PLANNED = "planned"
WORKING = "working"
FILLED = "filled"
UNFILLED = "unfilled"
SKIPPED = "skipped"
MISSED = "missed"
BLOCKED = "blocked"

COMPLETED = "completed"
HALTED = "halted"
KILLED = "killed"
FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SessionTerms:
    """What is fixed when a session registers. Times are Unix milliseconds, money cents."""

    trading_date: str  # ISO
    weekday: str  # "mon" …
    open_at_ms: int
    close_at_ms: int
    midnight_ms: int  # New York midnight of the trading day
    opening_balance_cents: int
    fees: FeeSchedule
    slippage_cents: int
    policy: Policy
    seed: int = 0
    halts_at_nlv_cents: int = field(init=False)  # where the daily-loss cap is reached

    def __post_init__(self) -> None:
        # loss >= pct × balance; a cap that is no whole cent is reached at the next one.
        cap_cents = -(-self.policy.max_daily_loss_e4 * self.opening_balance_cents // 10_000)
        object.__setattr__(self, "halts_at_nlv_cents", self.opening_balance_cents - cap_cents)

    def seconds_of_day(self, at_ms: int) -> int:
        return (at_ms - self.midnight_ms) // 1000


@dataclass(slots=True)
class EntryState:
    """A scheduled entry: due at a New York second of the day; resolved exactly once."""

    number: int
    seconds: int
    outcome: str = PLANNED
    order_number: int | None = None

    def resolve(self, outcome: str, reason: str, terms: SessionTerms) -> EntryResolved:
        self.outcome = outcome
        due_ms = terms.midnight_ms + self.seconds * 1000
        return EntryResolved(self.number, due_ms, outcome, reason, self.order_number)


@dataclass(slots=True)
class ClosedTrade:
    number: int
    name: str
    profit_cents: int
    closed_at_ms: int
    reason: str


@dataclass(slots=True)
class SessionState:
    portfolio: Portfolio
    phase: str = WAITING
    end: str | None = None
    end_reason: str = ""
    last_seq: int = 0
    last_at_ms: int = 0
    stale_since_ms: int | None = None
    stale_episodes: int = 0
    tick_count: int = 0
    open_spot_cents: int = 0
    spot_cents: int = 0
    orders: dict[int, Order] = field(default_factory=dict)  # pending ones
    trades: dict[int, Trade] = field(default_factory=dict)  # open ones
    closed_trades: list[ClosedTrade] = field(default_factory=list)
    entries: list[EntryState] = field(default_factory=list)
    next_entry: int = 0  # index of the first entry whose time has not come
    has_started: bool = False  # on_start was called
    program_state: Any = None
    error_count: int = 0
    budget_exceeded: bool = False
    peak_nlv_cents: int = 0
    trough_nlv_cents: int = 0
    max_drawdown_cents: int = 0
    max_drawdown_bp: int = 0
    order_count: int = 0
    trade_count: int = 0
    fill_count: int = 0
    transaction_count: int = 0
    decision_count: int = 0
    reserved_margin_cents: int = field(init=False)  # by pending opening orders, kept as they move

    @classmethod
    def opening(cls, terms: SessionTerms, times: Sequence[int] = ()) -> SessionState:
        """Before the first tick. `times` are the program's: each is one entry with one outcome."""
        balance = terms.opening_balance_cents
        return cls(
            portfolio=Portfolio(cash_cents=balance),
            peak_nlv_cents=balance,
            trough_nlv_cents=balance,
            entries=[EntryState(number, at) for number, at in enumerate(times, start=1)],
        )

    def __post_init__(self) -> None:
        self.reserved_margin_cents = sum(order.margin_cents for order in self.orders.values())

    @property
    def is_ended(self) -> bool:
        """Nothing will be traded any more."""
        return self.phase in (MARKING, CLOSING, FINAL)

    def add_order(self, order: Order) -> None:
        self.orders[order.number] = order
        self.reserved_margin_cents += order.margin_cents

    def remove_order(self, order: Order) -> None:
        del self.orders[order.number]
        self.reserved_margin_cents -= order.margin_cents

    def as_json(self) -> dict[str, Any]:
        plain = _plain(self)
        plain["portfolio"] = self.portfolio.as_json()
        plain["orders"] = [_with_legs(order) for order in self.orders.values()]
        plain["trades"] = [_with_legs(trade) for trade in self.trades.values()]
        plain["closed_trades"] = [asdict(trade) for trade in self.closed_trades]
        plain["entries"] = [asdict(entry) for entry in self.entries]
        return plain

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> SessionState:
        plain = dict(raw)
        plain["portfolio"] = Portfolio.from_json(plain["portfolio"])
        orders = [Order(**_without_legs(item)) for item in plain["orders"]]
        trades = [Trade(**_without_legs(item)) for item in plain["trades"]]
        plain["orders"] = {order.number: order for order in orders}
        plain["trades"] = {trade.number: trade for trade in trades}
        plain["closed_trades"] = [ClosedTrade(**item) for item in plain["closed_trades"]]
        plain["entries"] = [EntryState(**item) for item in plain["entries"]]
        return cls(**plain)


def legs_json(legs: Legs) -> list[list[Any]]:
    return [[leg.contract.right, leg.contract.strike_cents, leg.ratio] for leg in legs]


def legs_of(raw: list[list[Any]]) -> Legs:
    return tuple(Leg(Contract(right, strike), ratio) for right, strike, ratio in raw)


def _plain(row: SessionState | Order | Trade) -> dict[str, Any]:
    """What `row` was made with and what became of it; not what it works out by itself."""
    return {spec.name: getattr(row, spec.name) for spec in fields(row) if spec.init}


def _with_legs(row: Order | Trade) -> dict[str, Any]:
    return {**_plain(row), "legs": legs_json(row.legs), "exit_rules": asdict(row.exit_rules)}


def _without_legs(raw: dict[str, Any]) -> dict[str, Any]:
    return {**raw, "legs": legs_of(raw["legs"]), "exit_rules": ExitRules(**raw["exit_rules"])}
