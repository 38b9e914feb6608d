"""How a session ends: kill, failure, the close, settlement, the roll-up (domain.md 7 and 8).

A session that ends flat is final at once. One that ends with positions keeps marking them and
settles at the close. Settlement needs the official value and is never guessed: until it is known
the state waits.
"""

from __future__ import annotations

from simengine.entries import end_entries
from simengine.events import (
    Booked,
    Closed,
    Ended,
    Event,
    Expired,
    Finalized,
    Flattening,
    Settled,
    TradeClosed,
)
from simengine.execution import cancel_all, drop_order, position_event
from simengine.market import CALL, MULTIPLIER, Contract
from simengine.orders import Trade
from simengine.portfolio import Position
from simengine.risk import begin_flattening
from simengine.state import (
    CLOSING,
    COMPLETED,
    FAILED,
    FINAL,
    FLATTENING,
    KILLED,
    MARKING,
    WAITING,
    ClosedTrade,
    SessionState,
    SessionTerms,
)


def kill(state: SessionState, terms: SessionTerms, *, flat_first: bool, reason: str) -> list[Event]:
    """Cancel what works and leave; with `flat_first` close every trade at market before.

    A session that is flattening already goes on until it is flat, and between the close and the
    settlement nothing is left to stop: there only the name of the end changes.
    """
    if state.phase == CLOSING and state.end is None:
        state.end, state.end_reason = KILLED, reason
        return [Ended(KILLED, reason, len(state.trades))]
    if state.is_ended:
        return []
    if state.phase == FLATTENING:
        return _end_otherwise(state, KILLED, reason)
    if flat_first and state.trades:
        return begin_flattening(state, terms, KILLED, reason)
    events = cancel_all(state, terms, "killed")
    return [*events, *end_trading(state, terms, KILLED, reason)]


def fail(state: SessionState, terms: SessionTerms, reason: str) -> list[Event]:
    """The session cannot go on; what it holds is closed without its strategy."""
    if state.is_ended:
        return []
    if state.phase == FLATTENING:
        return _end_otherwise(state, FAILED, reason)
    if state.trades:
        return begin_flattening(state, terms, FAILED, reason)
    events = cancel_all(state, terms, "failed")
    return [*events, *end_trading(state, terms, FAILED, reason)]


def end_trading(state: SessionState, terms: SessionTerms, end: str, reason: str) -> list[Event]:
    """No order is left. Flat: final now. Otherwise the positions are marked until the close."""
    state.end, state.end_reason = end, reason
    events = end_entries(state, terms, end, reason)
    events.append(Ended(end, reason, len(state.trades)))
    if state.trades:
        state.phase = MARKING
        return events
    return [*events, *_finalize(state, terms)]


def finish_flattening(state: SessionState, terms: SessionTerms) -> list[Event]:
    """The end that was decided, once nothing is held any more."""
    if state.phase != FLATTENING or state.trades:
        return []
    assert state.end is not None
    return end_trading(state, terms, state.end, state.end_reason)


def close_market(state: SessionState, terms: SessionTerms, *, at_ms: int) -> list[Event]:
    """The closing tick, or the end of a tape without one: orders expire, positions wait."""
    if state.phase in (CLOSING, FINAL):
        return []
    if state.phase == WAITING:
        return end_trading(state, terms, FAILED, "no_data: no fresh tick came by the close")
    events: list[Event] = []
    for order in list(state.orders.values()):
        events += drop_order(state, terms, order, Expired(order.number), "unfilled at the close")
    if state.phase == FLATTENING and state.end is not None:
        # It could not get flat in time: the decided end stands and what is left settles.
        events += end_entries(state, terms, state.end, state.end_reason)
        events.append(Ended(state.end, state.end_reason, len(state.trades)))
    else:
        events += end_entries(state, terms, COMPLETED, "the market closed before it was due")
    state.phase = CLOSING
    return [*events, Closed(at_ms)]


def settle(state: SessionState, terms: SessionTerms, *, settlement_cents: int) -> list[Event]:
    """Book the settlement of every position and finalise. Only once the market closed."""
    if state.phase != CLOSING:
        raise ValueError(f"a session settles after the close, not while {state.phase}")
    events: list[Event] = [Settled(settlement_cents)]
    for position in state.portfolio.positions.values():
        if position.quantity:
            events += _settle_position(state, terms, position, settlement_cents)
    for trade in state.trades.values():
        profit_cents = _settled_profit_cents(trade, settlement_cents)
        state.closed_trades.append(
            ClosedTrade(trade.number, trade.name, profit_cents, terms.close_at_ms, "settlement")
        )
        events.append(TradeClosed(trade.number, None, profit_cents, "settlement"))
    state.trades.clear()
    state.portfolio.remeasure_margin()
    if state.end is None:
        state.end = COMPLETED
        events.append(Ended(COMPLETED, "", 0))
    return [*events, *_finalize(state, terms)]


def intrinsic_cents(contract: Contract, settlement_cents: int) -> int:
    """Cents per share the contract is worth at settlement; 0 at or out of the money."""
    if contract.right == CALL:
        return max(0, settlement_cents - contract.strike_cents)
    return max(0, contract.strike_cents - settlement_cents)


def observe_nlv(state: SessionState, nlv_cents: int) -> None:
    """Running peak, trough and the largest fall from the peak. A new trough is always a new largest
    fall, for no peak before was higher than today's.
    """
    fall_cents = state.peak_nlv_cents - nlv_cents
    if fall_cents < 0:
        state.peak_nlv_cents = nlv_cents
    elif fall_cents > state.max_drawdown_cents:
        state.max_drawdown_cents = fall_cents
        state.trough_nlv_cents = min(state.trough_nlv_cents, nlv_cents)
        if state.peak_nlv_cents > 0:
            state.max_drawdown_bp = fall_cents * 10_000 // state.peak_nlv_cents


def _end_otherwise(state: SessionState, end: str, reason: str) -> list[Event]:
    """The session goes on being closed out; what changes is how its end is called."""
    if state.end == end:
        return []
    state.end, state.end_reason = end, f"{reason}, while flattening for {state.end_reason}"
    return [Flattening(end, state.end_reason)]


def _settle_position(
    state: SessionState, terms: SessionTerms, position: Position, settlement_cents: int
) -> list[Event]:
    quantity = position.quantity
    price_cents = MULTIPLIER * intrinsic_cents(position.contract, settlement_cents)
    if price_cents == 0:
        kind, fee_cents = "expiration", 0
    else:
        kind = "exercise" if quantity > 0 else "assignment"
        fee_cents = terms.fees.exercise_cents
    state.portfolio.book(position.contract, -quantity, price_cents, fee_cents)
    position.mark_half_cents = price_cents // 50
    state.transaction_count += 1
    return [
        Booked(
            number=state.transaction_count,
            order=None,
            contract=position.contract,
            type=kind,
            quantity=abs(quantity),
            price_cents=price_cents,
            value_cents=price_cents * abs(quantity),
            effect="credit" if quantity > 0 else "debit",
            fees_cents=fee_cents,
        ),
        position_event(position),
    ]


def _settled_profit_cents(trade: Trade, settlement_cents: int) -> int:
    worth_cents = sum(
        leg.ratio * intrinsic_cents(leg.contract, settlement_cents) for leg in trade.legs
    )
    return trade.profit_cents(2 * worth_cents)


def _finalize(state: SessionState, terms: SessionTerms) -> list[Event]:
    state.phase = FINAL
    final_cents = state.portfolio.cash_cents
    observe_nlv(state, final_cents)
    return [
        Finalized(
            final_nlv_cents=final_cents,
            realized_pl_cents=state.portfolio.realized_cents,
            total_pl_cents=final_cents - terms.opening_balance_cents,
            total_fees_cents=state.portfolio.fees_cents,
            max_intraday_dd_cents=state.max_drawdown_cents,
            max_intraday_dd_bp=state.max_drawdown_bp,
            peak_nlv_cents=state.peak_nlv_cents,
            trough_nlv_cents=state.trough_nlv_cents,
            order_count=state.order_count,
            fill_count=state.fill_count,
        )
    ]
