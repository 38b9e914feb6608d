"""What may still be spent (domain.md section 4).

    available = cash - maintenance margin - margin reserved by pending opening orders

An order is accepted when, with every pending opening order and itself reserving its margin, its
debit at its price and its fees, nothing goes below zero. Credits count once they are received,
never before, so the available amount is not negative after any accepted order.
"""

from __future__ import annotations

from simengine.fees import FeeSchedule
from simengine.market import MULTIPLIER
from simengine.orders import Order
from simengine.state import SessionState


def available_cents(state: SessionState) -> int:
    portfolio = state.portfolio
    return portfolio.cash_cents - portfolio.margin_cents - state.reserved_margin_cents


def spare_cents(state: SessionState, fees: FeeSchedule) -> int:
    """What is available less what the pending opening orders may cost: free for another order."""
    pending = (order for order in state.orders.values() if order.is_opening)
    return available_cents(state) - sum(
        outlay_cents(order, price_of(order), fees) for order in pending
    )


def outlay_cents(order: Order, price_cents: int, fees: FeeSchedule) -> int:
    """Debit and fees of a whole opening order at a signed price per package."""
    debit_cents = max(0, price_cents) * order.units * MULTIPLIER
    return debit_cents + fees.of_order(order.legs, order.units, opening=True)


def price_of(order: Order) -> int:
    """The price an order counts at: its limit or trigger; a market order's natural price when it
    was placed.
    """
    return order.intended_cents if order.limit_cents is None else order.limit_cents


def margin_to_reserve_cents(state: SessionState, order: Order) -> int:
    """What a fill of the opening `order` would add to the maintenance margin: filled now and alone,
    or after everything that is pending, whichever is more. A held long covers a new short, a
    pending long does not.
    """
    portfolio = state.portfolio
    pending = [other.contracts() for other in state.orders.values() if other.is_opening]
    alone_cents = portfolio.margin_with(order.contracts()) - portfolio.margin_cents
    with_pending_cents = (
        portfolio.margin_with(*pending, order.contracts())
        - portfolio.margin_cents
        - state.reserved_margin_cents
    )
    return max(0, alone_cents, with_pending_cents)


def left_after_fill_cents(
    state: SessionState, order: Order, *, price_cents: int, fees: FeeSchedule
) -> int:
    """What would be available once the pending opening `order` is filled at `price_cents`."""
    portfolio = state.portfolio
    cash_cents = (
        portfolio.cash_cents
        - price_cents * order.units * MULTIPLIER
        - fees.of_order(order.legs, order.units, opening=True)
    )
    reserved_by_others = state.reserved_margin_cents - order.margin_cents
    return cash_cents - portfolio.margin_with(order.contracts()) - reserved_by_others
