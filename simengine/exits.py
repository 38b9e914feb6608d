"""Exit rules of trades, checked every fresh tick without calling the program (domain.md section 9).

Percentages are of the credit received or the debit paid and measured on the package's raw mid. A
rule holds on its very boundary:

    profit target   profit >= target %
    stop loss       profit <= -stop %
    trailing stop   best >= start % and profit <= best - trail %; best is the highest profit since
                    the fill, where it is 0, so without a start it is armed from the fill on
    touch           spot <= the strike of a sold put, or spot >= that of a sold call
    time            New York time >= exit_at

The first that holds wins, in this order. All are looked at only when every leg has a usable quote,
for otherwise the trade could not be closed: time waits for one, profits and touches of a moment
without one are not seen. A close is a closing limit at the quoted mid, re-priced like every closing
order; when it is canceled the rules hold again.
"""

from __future__ import annotations

from simengine.events import Event, ExitTriggered
from simengine.market import Tick
from simengine.orders import LIMIT, Trade
from simengine.placement import close_trade
from simengine.state import SessionState, SessionTerms

PROFIT_TARGET = "profit_target"
STOP_LOSS = "stop_loss"
TRAILING_STOP = "trailing_stop"
TOUCH = "touch"
EXIT_AT = "exit_at"


def mark_trades(state: SessionState, tick: Tick) -> None:
    """Keep every open trade's last usable mid, and the best it has been."""
    for trade in state.trades.values():
        mid_half_cents = trade.package.mid_half_cents(tick)
        if mid_half_cents is not None:
            trade.mid_half_cents = mid_half_cents
            trade.quoted_seq = tick.seq
            if trade.exit_rules.trailing_stop_bp is not None:
                gain_half_cents = mid_half_cents - 2 * trade.entry_cents
                trade.best_gain_half_cents = max(trade.best_gain_half_cents, gain_half_cents)


def check_exits(state: SessionState, tick: Tick, terms: SessionTerms) -> list[Event]:
    events: list[Event] = []
    ms_of_day = tick.at_ms - terms.midnight_ms
    for trade in state.trades.values():
        if trade.closing_order is not None or trade.quoted_seq != tick.seq:
            continue
        assert trade.mid_half_cents is not None
        rule = _rule_that_holds(trade, trade.mid_half_cents, tick.spot_cents, ms_of_day)
        if rule is not None:
            profit_cents = trade.profit_cents(trade.mid_half_cents)
            events.append(ExitTriggered(trade.number, rule, profit_cents))
            events += close_trade(state, tick, terms, trade, order_type=LIMIT, reason=rule)
    return events


def _rule_that_holds(
    trade: Trade, mid_half_cents: int, spot_cents: int, ms_of_day: int
) -> str | None:
    levels, best_half_cents = trade.exit_levels, trade.best_gain_half_cents
    gain_half_cents = mid_half_cents - 2 * trade.entry_cents
    if gain_half_cents >= levels.target_half_cents:
        return PROFIT_TARGET
    if gain_half_cents <= levels.stop_half_cents:
        return STOP_LOSS
    has_fallen_back = gain_half_cents <= best_half_cents - levels.trail_half_cents
    if has_fallen_back and best_half_cents >= levels.trail_start_half_cents:
        return TRAILING_STOP
    if not levels.touch_falling_cents < spot_cents < levels.touch_rising_cents:
        return TOUCH
    return EXIT_AT if ms_of_day >= levels.due_ms else None
