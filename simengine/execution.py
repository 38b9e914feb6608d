"""Matching of resting orders and what a fill does to the books (domain.md sections 3 and 4).

A limit fills when the execution price meets it, whole or not at all, at the execution price. A
market order fills at the natural price. A stop triggers on the mid and then fills at the execution
price. An order placed on one tick fills on the next at the earliest. Known simplifications: no
queue position, no partial fills, the market is not moved by us.
"""

from __future__ import annotations

from simengine import buying_power
from simengine.events import (
    Booked,
    Canceled,
    Event,
    Filled,
    PositionChanged,
    Rejected,
    StopTriggered,
    TradeClosed,
    TradeOpened,
)
from simengine.market import Tick
from simengine.orders import LIMIT, STOP, Order, Trade
from simengine.packages import leg_prices
from simengine.portfolio import Position
from simengine.pricing import PackageQuote, quoted_mid_cents, within_market_cents
from simengine.state import FILLED, UNFILLED, WORKING, ClosedTrade, SessionState, SessionTerms

Quoted = list[tuple[Order, PackageQuote, int]]  # the last is the quoted mid, in cents


def match_orders(
    state: SessionState, tick: Tick, terms: SessionTerms
) -> tuple[list[Event], Quoted]:
    """Fill what this tick fills, in the order of placement. What this tick's intents will place is
    not there yet, so the next tick is the earliest on which it can fill.

    Also the orders that stay pending and could trade on this tick, with where they stand.
    """
    events: list[Event] = []
    pending: Quoted = []
    slippage_cents = terms.slippage_cents
    for order in tuple(state.orders.values()):
        quote = order.package.quote(tick, opening=order.is_opening)
        if quote is None:
            continue
        mid_cents = quoted_mid_cents(order.legs, quote.mid_half_cents)
        price_cents = fill_price_cents(order, quote, mid_cents + slippage_cents)
        if price_cents is None:
            pending.append((order, quote, mid_cents))
            continue
        if order.type == STOP:
            events.append(StopTriggered(order.number, quote.mid_half_cents))
        events += _fill(state, tick, terms, order, quote, price_cents)
    return events, pending


def fill_price_cents(order: Order, quote: PackageQuote, worsened_cents: int) -> int | None:
    """The signed price per package at which the order trades on this quote, or None.

    `worsened_cents` is the quoted mid and the slippage.
    """
    limit_cents = order.limit_cents
    if limit_cents is None:
        return quote.natural_cents
    if order.type == LIMIT:
        if worsened_cents > limit_cents and quote.natural_cents > limit_cents:
            return None
    elif not stop_is_triggered(limit_cents, quote):
        return None
    price_cents = within_market_cents(worsened_cents, quote)
    return price_cents if order.type == STOP or price_cents <= limit_cents else None


def stop_is_triggered(trigger_cents: int, quote: PackageQuote) -> bool:
    """Credit: mid >= trigger; debit: mid <= trigger. In signed prices both read mid <= trigger."""
    return quote.mid_half_cents <= 2 * trigger_cents


def drop_order(
    state: SessionState, terms: SessionTerms, order: Order, event: Event, why: str
) -> list[Event]:
    """Take an unfilled order off the book; its scheduled entry, if any, ends unfilled (`why`)."""
    state.remove_order(order)
    if order.trade_number in state.trades:
        state.trades[order.trade_number].closing_order = None
    return [event, *_resolve_entry(state, terms, order, UNFILLED, why)]


def cancel_all(state: SessionState, terms: SessionTerms, reason: str) -> list[Event]:
    events: list[Event] = []
    for order in list(state.orders.values()):
        events += drop_order(
            state, terms, order, Canceled(order.number, reason), f"canceled: {reason}"
        )
    return events


def _resolve_entry(
    state: SessionState, terms: SessionTerms, order: Order, outcome: str, reason: str
) -> list[Event]:
    """The outcome of the scheduled entry the order came from, if it came from one."""
    return [
        entry.resolve(outcome, reason, terms)
        for entry in state.entries
        if entry.number == order.entry_number and entry.outcome == WORKING
    ]


def leg_action(quantity: int, *, opening: bool) -> str:
    """The API's word for trading signed contracts: `buy to open` and its three siblings."""
    return f"{'buy' if quantity > 0 else 'sell'} to {'open' if opening else 'close'}"


def position_event(position: Position) -> PositionChanged:
    return PositionChanged(
        position.contract,
        position.quantity,
        position.cost_cents,
        position.realized_cents,
        position.fees_cents,
    )


def _fill(
    state: SessionState,
    tick: Tick,
    terms: SessionTerms,
    order: Order,
    quote: PackageQuote,
    price_cents: int,
) -> list[Event]:
    if order.is_opening:
        left = buying_power.left_after_fill_cents(
            state, order, price_cents=price_cents, fees=terms.fees
        )
        if left < 0:
            reason = f"insufficient_buying_power: {-left} cents short at the fill"
            return drop_order(
                state, terms, order, Rejected(order.number, reason), f"rejected: {reason}"
            )
    state.remove_order(order)
    state.fill_count += 1
    booked = _book_legs(state, tick, terms, order, leg_prices(order.legs, tick, price_cents, quote))
    if order.is_opening:
        trade, traded = _open_trade(state, tick, order, price_cents)
    else:
        assert order.trade_number is not None
        trade, traded = _close_trade(state, tick, order, price_cents)
    filled = Filled(
        order=order.number,
        order_kind=order.kind,
        price_cents=price_cents,
        units=order.units,
        fees_cents=terms.fees.of_order(order.legs, order.units, opening=order.is_opening),
        trade=trade,
        mid_half_cents=quote.mid_half_cents,
        natural_cents=quote.natural_cents,
    )
    return [filled, *booked, *traded, *_resolve_entry(state, terms, order, FILLED, "")]


def _book_legs(
    state: SessionState, tick: Tick, terms: SessionTerms, order: Order, prices: list[int]
) -> list[Event]:
    events: list[Event] = []
    fee_cents = terms.fees.per_contract(opening=order.is_opening)
    for leg, price_cents in zip(order.legs, prices, strict=True):
        quantity = leg.ratio * order.units
        fees_cents = abs(quantity) * fee_cents
        position = state.portfolio.book(leg.contract, quantity, price_cents, fees_cents)
        state.transaction_count += 1
        value_cents = quantity * price_cents
        events.append(
            Booked(
                number=state.transaction_count,
                order=order.number,
                contract=leg.contract,
                type=leg_action(quantity, opening=order.is_opening),
                quantity=abs(quantity),
                price_cents=price_cents,
                value_cents=abs(value_cents),
                effect="debit" if value_cents > 0 else "credit",
                fees_cents=fees_cents,
            )
        )
        events.append(position_event(position))
    state.portfolio.mark(tick)
    state.portfolio.remeasure_margin()
    return events


def _open_trade(
    state: SessionState, tick: Tick, order: Order, price_cents: int
) -> tuple[int, list[Event]]:
    state.trade_count += 1
    trade = Trade(
        number=state.trade_count,
        order_number=order.number,
        legs=order.legs,
        units=order.units,
        entry_cents=price_cents,
        opened_at_ms=tick.at_ms,
        exit_rules=order.exit_rules,
        name=order.name,
    )
    state.trades[trade.number] = trade
    rules = order.exit_rules
    return trade.number, [
        TradeOpened(
            trade=trade.number,
            order=order.number,
            legs=trade.legs,
            units=trade.units,
            entry_cents=price_cents,
            name=trade.name,
            profit_target_bp=rules.profit_target_bp,
            stop_loss_bp=rules.stop_loss_bp,
            exit_at_seconds=rules.exit_at_seconds,
            trailing_stop_bp=rules.trailing_stop_bp,
            trailing_start_bp=rules.trailing_start_bp,
            exit_on_touch=rules.exit_on_touch,
        )
    ]


def _close_trade(
    state: SessionState, tick: Tick, order: Order, price_cents: int
) -> tuple[int, list[Event]]:
    assert order.trade_number is not None
    trade = state.trades.pop(order.trade_number)
    # Closing pays `price_cents` for the reversed package, which is what the held one is given up
    # for.
    profit_cents = trade.profit_cents(-2 * price_cents)
    state.closed_trades.append(
        ClosedTrade(trade.number, trade.name, profit_cents, tick.at_ms, order.reason)
    )
    return trade.number, [TradeClosed(trade.number, -price_cents, profit_cents, order.reason)]
