"""Cash and positions. `Portfolio` alone changes them, so every wrong balance has one suspect.

Identities that hold after every call, to the cent (domain.md section 4):
    cash = opening balance + credits - debits - fees
    NLV = cash + Σ signed quantity × leg mid × 100
    NLV - opening balance = realized + unrealized - fees
Positions are pooled per contract over all trades, at average cost; the part of the cost that a
reduction takes out is rounded down to the cent and the rest stays, so nothing is lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from simengine.margin import margin_cents
from simengine.market import CALL, Contract, Tick


@dataclass(slots=True)
class Position:
    contract: Contract
    quantity: int = 0  # signed
    cost_cents: int = 0  # signed cost of the open quantity: paid positive, received negative
    realized_cents: int = 0  # before fees
    fees_cents: int = 0
    mark_half_cents: int = 0  # last usable mid, per share
    delta_e4: int = -1  # of the last usable quote, unsigned; -1 where none was given

    @property
    def value_cents(self) -> int:
        return self.quantity * self.mark_half_cents * 50

    @property
    def unrealized_cents(self) -> int:
        return self.value_cents - self.cost_cents

    def trade(self, quantity: int, price_cents: int) -> None:
        """Book signed contracts at a price in cents per contract (with the ×100)."""
        reducing = min(abs(quantity), abs(self.quantity)) if quantity * self.quantity < 0 else 0
        if reducing:
            side = 1 if self.quantity > 0 else -1
            removed_cost = self.cost_cents * reducing // abs(self.quantity)
            self.realized_cents += side * reducing * price_cents - removed_cost
            self.cost_cents -= removed_cost
            self.quantity -= side * reducing
            quantity += side * reducing
        self.cost_cents += quantity * price_cents
        self.quantity += quantity


@dataclass(slots=True)
class Portfolio:
    """The sums over positions are kept as they move; `from_json` works them out again."""

    cash_cents: int
    positions: dict[Contract, Position] = field(default_factory=dict)  # a closed one stays
    fees_cents: int = 0
    margin_cents: int = 0  # maintenance margin of what is held
    value_cents: int = field(init=False)  # of all positions at their marks
    cost_cents: int = field(init=False)
    realized_cents: int = field(init=False)
    # Held positions by their rows in the columns of the ticks that come with `_layout`.
    _layout: Mapping[int, int] | None = field(init=False, default=None, repr=False, compare=False)
    _calls: list[tuple[int, Position]] = field(init=False, repr=False, compare=False)
    _puts: list[tuple[int, Position]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        positions = self.positions.values()
        self.value_cents = sum(position.value_cents for position in positions)
        self.cost_cents = sum(position.cost_cents for position in positions)
        self.realized_cents = sum(position.realized_cents for position in positions)
        self._calls, self._puts = [], []

    @property
    def nlv_cents(self) -> int:
        return self.cash_cents + self.value_cents

    @property
    def unrealized_cents(self) -> int:
        return self.value_cents - self.cost_cents

    @property
    def is_flat(self) -> bool:
        return not any(position.quantity for position in self.positions.values())

    def book(self, contract: Contract, quantity: int, price_cents: int, fee_cents: int) -> Position:
        """Trade signed contracts: cash, position and fees move together."""
        position = self.positions.get(contract)
        if position is None:
            position = self.positions[contract] = Position(contract)
        value_cents, cost_cents = position.value_cents, position.cost_cents
        realized_cents = position.realized_cents
        position.trade(quantity, price_cents)
        position.fees_cents += fee_cents
        self.value_cents += position.value_cents - value_cents
        self.cost_cents += position.cost_cents - cost_cents
        self.realized_cents += position.realized_cents - realized_cents
        self.fees_cents += fee_cents
        self.cash_cents -= quantity * price_cents + fee_cents
        self._layout = None  # what is held changed
        return position

    def mark(self, tick: Tick) -> None:
        """Marks follow the mid; on a missing or crossed quote they keep their last usable value."""
        if tick.row_of_strike is not self._layout:
            self._find_rows(tick)
        gain_half_cents = 0
        for bids, asks, deltas, held in (
            (tick.call_bid_cents, tick.call_ask_cents, tick.call_delta_e4, self._calls),
            (tick.put_bid_cents, tick.put_ask_cents, tick.put_delta_e4, self._puts),
        ):
            for row, position in held:
                bid_cents, ask_cents = bids[row], asks[row]
                if 0 <= bid_cents <= ask_cents:
                    mark_half_cents = bid_cents + ask_cents
                    moved_half_cents = mark_half_cents - position.mark_half_cents
                    position.mark_half_cents = mark_half_cents
                    position.delta_e4 = deltas[row]
                    gain_half_cents += position.quantity * moved_half_cents
        self.value_cents += 50 * gain_half_cents

    def remeasure_margin(self) -> None:
        self.margin_cents = self.margin_with()

    def margin_with(self, *changes: Mapping[Contract, int]) -> int:
        """The maintenance margin in cents if all signed `changes` were added to what is held."""
        held = {position.contract: position.quantity for position in self.positions.values()}
        for change in changes:
            for contract, quantity in change.items():
                held[contract] = held.get(contract, 0) + quantity
        return margin_cents(held.items())

    def as_json(self) -> dict[str, Any]:
        return {
            "cash_cents": self.cash_cents,
            "fees_cents": self.fees_cents,
            "margin_cents": self.margin_cents,
            "positions": [
                {**asdict(position), "contract": list(position.contract)}
                for position in self.positions.values()
            ],
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Portfolio:
        rows: Sequence[dict[str, Any]] = raw["positions"]
        positions = [Position(**{**row, "contract": Contract(*row["contract"])}) for row in rows]
        return cls(
            cash_cents=raw["cash_cents"],
            positions={position.contract: position for position in positions},
            fees_cents=raw["fees_cents"],
            margin_cents=raw["margin_cents"],
        )

    def _find_rows(self, tick: Tick) -> None:
        """Where the held positions stand. One that left the chain keeps its mark."""
        self._layout = tick.row_of_strike
        self._calls, self._puts = [], []
        for contract, position in self.positions.items():
            row = tick.row_of_strike.get(contract.strike_cents)
            if position.quantity and row is not None:
                (self._calls if contract.right == CALL else self._puts).append((row, position))
