"""What a strategy sees: plain values of one moment, and the chain's own columns (read only).

Every key is part of the promise of docs/strategies.md. Prices are integer cents, deltas × 10000,
mids in half-cents; a missing side is -1.
"""

from __future__ import annotations

from typing import Any

from simengine import buying_power
from simengine.market import CALL, Tick
from simengine.orders import Order, Trade
from simengine.pricing import Legs
from simengine.state import SessionState, SessionTerms


def build_view(state: SessionState, tick: Tick, terms: SessionTerms) -> dict[str, Any]:
    nlv_cents = state.portfolio.nlv_cents
    return {
        "seq": tick.seq,
        "at_ms": tick.at_ms,
        "date": terms.trading_date,
        "weekday": terms.weekday,
        "seconds_of_day": terms.seconds_of_day(tick.at_ms),
        "seconds_since_open": (tick.at_ms - terms.open_at_ms) // 1000,
        "seconds_to_close": (terms.close_at_ms - tick.at_ms) // 1000,
        "spot_cents": tick.spot_cents,
        "open_spot_cents": state.open_spot_cents,
        "vix_hundredths": tick.vix_hundredths,
        "expected_move_cents": tick.expected_move_cents,
        "strikes_cents": tick.strikes_cents,
        "call_bid_cents": tick.call_bid_cents,
        "call_ask_cents": tick.call_ask_cents,
        "call_delta_e4": tick.call_delta_e4,
        "put_bid_cents": tick.put_bid_cents,
        "put_ask_cents": tick.put_ask_cents,
        "put_delta_e4": tick.put_delta_e4,
        "trades": [_trade(trade, tick) for trade in state.trades.values()],
        "closed_trades": [
            {
                "number": trade.number,
                "name": trade.name,
                "profit_cents": trade.profit_cents,
                "closed_seconds_ago": (tick.at_ms - trade.closed_at_ms) // 1000,
                "reason": trade.reason,
            }
            for trade in state.closed_trades
        ],
        "orders": [_order(order, tick) for order in state.orders.values()],
        "cash_cents": state.portfolio.cash_cents,
        "available_buying_power_cents": buying_power.available_cents(state),
        "nlv_cents": nlv_cents,
        "day_pl_cents": nlv_cents - terms.opening_balance_cents,
        "opening_balance_cents": terms.opening_balance_cents,
        "max_open_positions": terms.policy.max_open_positions,
        "max_open_orders": terms.policy.max_open_orders,
        "state": state.program_state,
        "random_seed": terms.seed * 1_000_003 + tick.seq,
    }


def _legs(legs: Legs) -> list[list[Any]]:
    return [
        ["call" if leg.contract.right == CALL else "put", leg.contract.strike_cents, leg.ratio]
        for leg in legs
    ]


def _trade(trade: Trade, tick: Tick) -> dict[str, Any]:
    mid_half_cents = trade.mid_half_cents
    profit_cents = profit_pct = None
    if mid_half_cents is not None:
        profit_cents = trade.profit_cents(mid_half_cents)
        if base_cents := trade.base_cents():
            profit_pct = profit_cents * 100 / base_cents
    return {
        "number": trade.number,
        "name": trade.name,
        "legs": _legs(trade.legs),
        "units": trade.units,
        "entry_cents": trade.entry_cents,
        "mid_half_cents": mid_half_cents,
        "profit_cents": profit_cents,
        "profit_pct": profit_pct,
        "age_seconds": (tick.at_ms - trade.opened_at_ms) // 1000,
        "is_closing": trade.closing_order is not None,
    }


def _order(order: Order, tick: Tick) -> dict[str, Any]:
    return {
        "number": order.number,
        "kind": order.kind,
        "type": order.type,
        "legs": _legs(order.legs),
        "units": order.units,
        "limit_cents": order.limit_cents,
        "age_seconds": (tick.at_ms - order.placed_at_ms) // 1000,
        "trade": order.trade_number,
    }
