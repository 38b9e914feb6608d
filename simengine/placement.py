"""The risk gate: intents become orders, or do not (domain.md sections 3, 4 and 6).

Two answers to an intent that makes sense: an order, or a refusal (a limit, buying power, an
unusable quote), which is logged and is no error.
"""

from __future__ import annotations

from simengine import buying_power, repricing
from simengine.events import Canceled, Event, OrderPlaced, Refused, Rejected, Replaced
from simengine.execution import drop_order, stop_is_triggered
from simengine.intents import InvalidIntent, OpenIntent, check_grid, usd
from simengine.market import MULTIPLIER, Tick
from simengine.orders import CLOSING, LIMIT, OPENING, Order, Trade
from simengine.packages import quote_package
from simengine.pricing import PackageQuote
from simengine.state import RUNNING, SessionState, SessionTerms


def open_order(
    state: SessionState,
    tick: Tick,
    terms: SessionTerms,
    intent: OpenIntent,
    entry_number: int | None,
) -> list[Event]:
    """Place an opening order, or refuse it."""
    refusal = _over_a_limit(state, terms)
    if refusal is not None:
        return [refusal]
    order = _opening_order(state, tick, intent, entry_number)
    quote = order.package.quote(tick, opening=True)
    if quote is None:
        return [Refused("unusable_quote", "a leg has no two-sided quote, or no bid to sell into")]
    if order.type == LIMIT:
        repricing.start_walk(order, quote, terms.policy, now_ms=tick.at_ms)
    elif order.limit_cents is None:
        order.intended_cents = quote.natural_cents
    elif stop_is_triggered(order.limit_cents, quote):
        state.order_count += 1
        reason = "stop_would_trigger_at_once: the mid is already at the trigger"
        return [_placed(state, terms, order, quote), Rejected(order.number, reason)]
    order.margin_cents = buying_power.margin_to_reserve_cents(state, order)
    outlay_cents = buying_power.outlay_cents(order, buying_power.price_of(order), terms.fees)
    left_cents = buying_power.spare_cents(state, terms.fees) - order.margin_cents - outlay_cents
    if left_cents < 0:
        return [_not_enough(-left_cents)]
    placed = _placed(state, terms, order, quote)
    state.order_count += 1
    state.add_order(order)
    return [placed]


def close_trade(
    state: SessionState,
    tick: Tick,
    terms: SessionTerms,
    trade: Trade,
    *,
    order_type: str,
    reason: str,
) -> list[Event]:
    """Place the closing order of a whole trade. A limit starts at the quoted mid.

    Closing is never held back by a guardrail: the limits of the policy are for what opens.
    """
    if trade.closing_order is not None:
        return [Refused("already_closing", f"trade {trade.number} has a closing order")]
    legs = trade.closing_legs()
    quote = quote_package(legs, tick, opening=False)
    if quote is None and order_type == LIMIT:
        return [Refused("unusable_quote", f"trade {trade.number} has a leg without a quote")]
    order = Order(
        number=state.order_count + 1,
        kind=CLOSING,
        type=order_type,
        legs=legs,
        units=trade.units,
        limit_cents=None,
        intended_cents=0 if quote is None else quote.natural_cents,
        placed_at_ms=tick.at_ms,
        trade_number=trade.number,
        reason=reason,
    )
    if quote is not None and order_type == LIMIT:
        repricing.start_walk(order, quote, terms.policy, now_ms=tick.at_ms)
    placed = _placed(state, terms, order, quote)
    state.order_count += 1
    state.add_order(order)
    trade.closing_order = order.number
    return [placed]


def close_number(
    state: SessionState,
    tick: Tick,
    terms: SessionTerms,
    trade_number: int,
    *,
    order_type: str,
    reason: str,
) -> list[Event]:
    """Close a trade by number; what is not held cannot be closed."""
    trade = state.trades.get(trade_number)
    if trade is None:
        raise InvalidIntent(
            f"trade {trade_number} is not open", code="insufficient_quantity_to_close"
        )
    return close_trade(state, tick, terms, trade, order_type=order_type, reason=reason)


def cancel_order(state: SessionState, terms: SessionTerms, number: int) -> list[Event]:
    order = state.orders.get(number)
    if order is None:
        return [Refused("order_not_pending", f"order {number} is not pending")]
    return drop_order(state, terms, order, Canceled(number, "strategy"), "canceled: strategy")


def replace_order(
    state: SessionState, tick: Tick, terms: SessionTerms, number: int, limit_cents: int
) -> list[Event]:
    """Give a pending limit order another limit, and with it perhaps another effect: one step, in
    which it keeps its id, its legs and its place in the queue.
    """
    order = state.orders.get(number)
    if order is None or order.type != LIMIT or order.limit_cents is None:
        return [Refused("order_not_pending", f"order {number} is not a pending limit order")]
    check_grid(order.legs, limit_cents)
    quote = order.package.quote(tick, opening=order.is_opening)
    if quote is None:
        return [Refused("unusable_quote", f"order {number} has a leg without a usable quote")]
    old_cents = order.limit_cents
    if order.is_opening:
        fees = terms.fees
        dearer_cents = buying_power.outlay_cents(order, limit_cents, fees)
        dearer_cents -= buying_power.outlay_cents(order, old_cents, fees)
        left_cents = buying_power.spare_cents(state, fees) - dearer_cents
        if dearer_cents > 0 and left_cents < 0:
            return [_not_enough(-left_cents)]
    order.limit_cents = limit_cents
    order.replace_count += 1
    order.replaced_at_ms = tick.at_ms
    repricing.start_walk(order, quote, terms.policy, now_ms=tick.at_ms)
    return [Replaced(number, old_cents, limit_cents, order.replace_count)]


def _over_a_limit(state: SessionState, terms: SessionTerms) -> Refused | None:
    """Pending openings count as the trades they may become, so no limit can be passed by a fill."""
    policy = terms.policy
    if state.phase != RUNNING:
        return Refused("nothing_new_may_open", f"the session is {state.phase}")
    if len(state.orders) >= policy.max_open_orders:
        return Refused("max_open_orders", f"{policy.max_open_orders} orders are pending")
    opening = sum(order.is_opening for order in state.orders.values())
    if len(state.trades) + opening >= policy.max_open_positions:
        return Refused(
            "max_open_positions", f"{policy.max_open_positions} trades are open or being opened"
        )
    return None


def _not_enough(short_cents: int) -> Refused:
    message = f"the order is {usd(short_cents)} over what is available"
    return Refused("insufficient_buying_power", message)


def _opening_order(
    state: SessionState, tick: Tick, intent: OpenIntent, entry_number: int | None
) -> Order:
    return Order(
        number=state.order_count + 1,
        kind=OPENING,
        type=intent.type,
        legs=intent.legs,
        units=intent.units,
        limit_cents=intent.limit_cents,
        intended_cents=intent.limit_cents or 0,
        placed_at_ms=tick.at_ms,
        exit_rules=intent.exit_rules,
        name=intent.name,
        entry_number=entry_number,
    )


def _placed(
    state: SessionState, terms: SessionTerms, order: Order, quote: PackageQuote | None
) -> OrderPlaced:
    """Its effects are what a fill at its price would change: margin, and available buying power by
    that margin, the debit or credit, and the fees.
    """
    portfolio = state.portfolio
    margin_effect_cents = portfolio.margin_with(order.contracts()) - portfolio.margin_cents
    paid_cents = buying_power.price_of(order) * order.units * MULTIPLIER
    fees_cents = terms.fees.of_order(order.legs, order.units, opening=order.is_opening)
    return OrderPlaced(
        order=order.number,
        order_kind=order.kind,
        type=order.type,
        legs=order.legs,
        units=order.units,
        limit_cents=order.limit_cents,
        intended_cents=order.intended_cents,
        trade=order.trade_number,
        reason=order.reason,
        mid_half_cents=None if quote is None else quote.mid_half_cents,
        natural_cents=None if quote is None else quote.natural_cents,
        margin_effect_cents=margin_effect_cents,
        buying_power_effect_cents=-(margin_effect_cents + paid_cents + fees_cents),
    )
