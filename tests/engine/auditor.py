"""An independent recount of a session from its ticks, events and rows alone.

The auditor keeps its own ledger and asserts after every step what must always hold: domain.md
section 10, and the promises of orders, fills and re-pricing. It shares with the engine the tick
grid and the margin rule, which have tables and a test by exhaustion of their own.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from simengine.events import Event
from simengine.margin import margin_cents
from simengine.market import Contract, Tick
from simengine.pricing import down_to_grid, tick_cents
from simengine.state import FINAL, HALTED, SessionState, SessionTerms
from simengine.step import Financials, StepResult
from tests.engine.exit_audit import ExitAudit

NEEDS_FRESH_DATA = {
    "filled", "repriced", "replaced", "order_placed", "stop_triggered", "exit_triggered",
    "logged", "signalled", "booked", "trade_opened", "started",
}  # fmt: skip


class Auditor:
    """Recounts one session. Call `check` after every step and `check_settlement` at its end."""

    def __init__(self, terms: SessionTerms) -> None:
        self.terms = terms
        self.cash_cents = terms.opening_balance_cents
        self.fees_cents = 0
        self.quantities: dict[Contract, int] = defaultdict(int)
        self.marks: dict[Contract, int] = {}
        self.placed: dict[int, Any] = {}  # every OrderPlaced by its number
        self.orders: dict[int, dict[str, Any]] = {}  # pending ones
        self.ended_orders: dict[int, str] = {}
        self.open_trades: dict[int, int] = {}  # trade -> its number of packages
        self.entries: dict[int, str] = {}
        self.planned = 0
        self.rows: list[Financials] = []
        self.nlvs = [terms.opening_balance_cents]
        self.errors = 0
        self.fills = 0
        self.is_stale = False
        self.exits = ExitAudit(terms)

    def check(self, tick: Tick, result: StepResult, state: SessionState) -> None:
        is_fresh = tick.received_ms - tick.at_ms <= self.terms.policy.data_staleness_threshold_ms
        if not is_fresh:
            assert not NEEDS_FRESH_DATA & {event.kind for event in result.events}
        is_traded = is_fresh and result.financials is not None
        self.exits.check(
            tick, result.events, is_traded=is_traded and tick.at_ms < self.terms.close_at_ms
        )
        self._take_events(result.events, tick)
        if result.financials is not None:
            if is_fresh:
                self._mark(tick)
            self._check_row(result.financials, tick)
            self._check_limits(result.events, result.financials)
        self._check_state(state)

    def check_events(self, events: list[Event], state: SessionState) -> None:
        """Events that no tick made: a close without a closing tick."""
        self._take_events(events, None)
        self._check_state(state)

    def check_settlement(self, events: list[Event], state: SessionState) -> None:
        self._take_events(events, None)
        self.nlvs.append(self.cash_cents)
        self._check_state(state)
        assert state.phase == FINAL

    # Events --------------------------------------------------------------------------------------

    def _take_events(self, events: list[Event], tick: Tick | None) -> None:
        for index, event in enumerate(events):
            take = getattr(self, f"_take_{event.kind}", None)
            if take is not None:
                take(event, tick)
            if event.kind == "filled":
                self._check_legs(event, events[index + 1 :], tick)

    def _take_order_placed(self, event: Any, tick: Tick) -> None:
        assert event.order not in self.orders
        assert event.order not in self.ended_orders
        self.placed[event.order] = event
        self.orders[event.order] = {
            "placed": event, "seq": tick.seq, "limit": event.limit_cents,
            "intended": event.intended_cents, "moved_at": None, "steps": 0,
        }  # fmt: skip

    def _end_order(self, event: Any, tick: Tick | None) -> None:
        del tick
        del self.orders[event.order]
        self.ended_orders[event.order] = event.kind

    _take_canceled = _take_expired = _take_rejected = _end_order

    def _take_replaced(self, event: Any, tick: Tick) -> None:
        order = self.orders[event.order]
        assert order["limit"] == event.old_cents
        order.update(limit=event.new_cents, intended=event.new_cents, moved_at=tick.at_ms)
        order["steps"] += event.new_cents - event.old_cents

    def _take_repriced(self, event: Any, tick: Tick) -> None:
        order = self.orders[event.order]
        placed, policy = order["placed"], self.terms.policy
        opening = placed.order_kind == "opening"
        block = policy.opening if opening else policy.closing
        assert placed.type == "limit"
        assert block.enabled
        assert order["limit"] == event.old_cents != event.new_cents
        if order["moved_at"] is not None:
            assert tick.at_ms - order["moved_at"] >= block.min_interval_seconds * 1000
        legs, new_cents = placed.legs, event.new_cents
        assert new_cents % tick_cents(legs, new_cents) == 0
        if opening:
            cap_cents = order["intended"] + policy.opening.max_concession_cents
            assert new_cents <= down_to_grid(legs, cap_cents)
            assert (new_cents < 0) == (order["intended"] < 0)  # the effect never flips
        else:
            natural_cents = event.natural_cents
            assert new_cents <= natural_cents + tick_cents(legs, natural_cents)
        order.update(limit=new_cents, moved_at=tick.at_ms)
        order["steps"] += new_cents - event.old_cents

    def _take_filled(self, event: Any, tick: Tick) -> None:
        order = self.orders[event.order]
        assert order["seq"] < tick.seq  # the next tick at the earliest
        if order["limit"] is not None and order["placed"].type == "limit":
            assert event.price_cents <= order["limit"]
        self._end_order(event, tick)
        self.fills += 1

    def _check_legs(self, event: Any, after: list[Event], tick: Tick) -> None:
        """The fill is between the two sides of the market, and is exactly its legs."""
        legs = self.placed[event.order].legs
        near_cents = natural_cents = 0
        for leg in legs:
            quote = tick.quote(leg.contract)
            assert quote.is_two_sided
            bought = leg.ratio > 0
            natural_cents += leg.ratio * (quote.ask_cents if bought else quote.bid_cents)
            near_cents += leg.ratio * (quote.bid_cents if bought else quote.ask_cents)
        assert near_cents <= event.price_cents <= natural_cents == event.natural_cents
        booked: list[Any] = []
        for row in after:
            if row.kind == "booked":
                booked.append(row)
            elif row.kind != "position_changed":
                break
        assert [row.contract for row in booked] == [leg.contract for leg in legs]
        assert [row.quantity for row in booked] == [abs(leg.ratio) * event.units for leg in legs]
        assert all(row.price_cents >= 0 and row.order == event.order for row in booked)
        paid = sum(leg.ratio * row.price_cents for leg, row in zip(legs, booked, strict=True))
        assert paid == 100 * event.price_cents
        assert sum(row.fees_cents for row in booked) == event.fees_cents

    def _take_booked(self, event: Any, tick: Tick | None) -> None:
        del tick
        assert event.value_cents == event.quantity * event.price_cents
        received = event.value_cents if event.effect == "credit" else -event.value_cents
        self.cash_cents += received - event.fees_cents
        self.fees_cents += event.fees_cents
        if event.type.startswith(("buy", "sell")):
            sign = 1 if event.type.startswith("buy") else -1
        else:
            sign = -1 if self.quantities[event.contract] > 0 else 1
            assert event.quantity == abs(self.quantities[event.contract])
        self.quantities[event.contract] += sign * event.quantity

    def _take_trade_opened(self, event: Any, tick: Tick) -> None:
        del tick
        self.open_trades[event.trade] = event.units

    def _take_trade_closed(self, event: Any, tick: Tick | None) -> None:
        del tick
        del self.open_trades[event.trade]

    def _take_entry_planned(self, event: Any, tick: Tick | None) -> None:
        del event, tick
        self.planned += 1

    def _take_entry_resolved(self, event: Any, tick: Tick | None) -> None:
        del tick
        assert event.entry not in self.entries
        self.entries[event.entry] = event.outcome

    def _take_error_counted(self, event: Any, tick: Tick | None) -> None:
        del tick
        self.errors += 1
        assert event.count == self.errors

    def _take_stale_started(self, event: Any, tick: Tick | None) -> None:
        del event, tick
        assert not self.is_stale
        self.is_stale = True

    def _take_stale_ended(self, event: Any, tick: Tick | None) -> None:
        del event, tick
        assert self.is_stale
        self.is_stale = False

    def _take_finalized(self, event: Any, tick: Tick | None) -> None:
        del tick
        opening = self.terms.opening_balance_cents
        nlvs = [*self.nlvs, self.cash_cents]
        assert event.final_nlv_cents == self.cash_cents
        assert event.total_pl_cents == self.cash_cents - opening
        assert event.total_fees_cents == self.fees_cents
        assert event.realized_pl_cents == self.cash_cents - opening + self.fees_cents
        assert event.peak_nlv_cents == max(nlvs)
        assert event.trough_nlv_cents == min(nlvs)
        assert event.max_intraday_dd_cents == largest_fall(nlvs)
        assert event.fill_count == self.fills
        assert event.order_count == len(self.orders) + len(self.ended_orders)

    # Books ---------------------------------------------------------------------------------------

    def _mark(self, tick: Tick) -> None:
        for contract, quantity in self.quantities.items():
            quote = tick.quote(contract)
            if quantity and quote.is_two_sided:
                self.marks[contract] = quote.bid_cents + quote.ask_cents

    def _check_row(self, row: Financials, tick: Tick) -> None:
        assert row.seq == tick.seq
        assert not self.rows or (row.seq, row.at_ms) > (self.rows[-1].seq, self.rows[-1].at_ms)
        value_cents = sum(
            50 * quantity * self.marks[contract]
            for contract, quantity in self.quantities.items()
            if quantity
        )
        opening = self.terms.opening_balance_cents
        assert row.cash == self.cash_cents
        assert row.net_liquidation_value == self.cash_cents + value_cents
        assert row.fees == self.fees_cents
        assert row.profit_loss == row.net_liquidation_value - opening
        assert row.profit_loss == (row.realized_profit_loss + row.unrealized_profit_loss - row.fees)
        assert row.maintenance_margin == margin_cents(self.quantities.items())
        self.rows.append(row)
        self.nlvs.append(row.net_liquidation_value)

    def _check_limits(self, events: list[Event], row: Financials) -> None:
        """What was let through this tick respects the policy and what can be spent."""
        policy = self.terms.policy
        pending = [order["placed"] for order in self.orders.values()]
        opening = [order for order in pending if order.order_kind == "opening"]
        assert len(self.open_trades) + len(opening) <= policy.max_open_positions
        accepted = {event.order for event in events if event.kind == "order_placed"} & {
            order.order for order in opening
        }
        if accepted:
            assert row.available_buying_power >= 0
            assert len(opening) <= policy.max_open_orders

    def _check_state(self, state: SessionState) -> None:
        assert sorted(state.orders) == sorted(self.orders)
        assert sorted(state.trades) == sorted(self.open_trades)
        assert state.portfolio.cash_cents == self.cash_cents
        held = {contract: quantity for contract, quantity in self.quantities.items() if quantity}
        assert held == {
            position.contract: position.quantity
            for position in state.portfolio.positions.values()
            if position.quantity
        }
        assert state.reserved_margin_cents == sum(
            order.margin_cents for order in state.orders.values()
        )
        for number, order in state.orders.items():
            seen = self.orders[number]
            assert order.limit_cents == seen["limit"]
            if order.type == "limit":
                assert seen["steps"] == order.limit_cents - seen["placed"].intended_cents
        assert state.error_count == self.errors
        if state.phase == FINAL:
            self._check_final(state)

    def _check_final(self, state: SessionState) -> None:
        assert not state.orders
        assert not state.trades
        assert state.portfolio.is_flat
        assert self.planned == len(state.entries) == len(self.entries)
        if state.end == HALTED:
            assert state.portfolio.value_cents == 0


def largest_fall(values: list[int]) -> int:
    peak, fall = values[0], 0
    for value in values:
        peak = max(peak, value)
        fall = max(fall, peak - value)
    return fall
