"""Exit rules of trades, checked every fresh tick without calling the program (domain.md section 9).

Percentages are of the credit received or the debit paid and measured on the package's mid; they
look only when every leg has a usable quote. A close is a closing limit at the quoted mid, re-priced
like every closing order. The first rule that holds wins, in the order profit target, stop loss,
time. A rule that holds while a leg cannot be priced goes on holding until it can.
"""

from __future__ import annotations

from simengine.events import Event, ExitTriggered
from simengine.market import Tick
from simengine.orders import LIMIT, Trade
from simengine.placement import close_trade
from simengine.state import SessionState, SessionTerms

PROFIT_TARGET = "profit_target"
STOP_LOSS = "stop_loss"
EXIT_AT = "exit_at"


def mark_trades(state: SessionState, tick: Tick) -> None:
    """Keep every open trade's last usable mid."""
    for trade in state.trades.values():
        quote = trade.package.quote(tick, opening=False)
        if quote is not None:
            trade.mid_half_cents = quote.mid_half_cents
            trade.quoted_seq = tick.seq


def check_exits(state: SessionState, tick: Tick, terms: SessionTerms) -> list[Event]:
    events: list[Event] = []
    ms_of_day = tick.at_ms - terms.midnight_ms
    for trade in state.trades.values():
        if trade.closing_order is not None or trade.quoted_seq != tick.seq:
            continue
        assert trade.mid_half_cents is not None
        rule = _rule_that_holds(trade, trade.mid_half_cents, ms_of_day)
        if rule is not None:
            profit_cents = trade.profit_cents(trade.mid_half_cents)
            events.append(ExitTriggered(trade.number, rule, profit_cents))
            events += close_trade(state, tick, terms, trade, order_type=LIMIT, reason=rule)
    return events


def _rule_that_holds(trade: Trade, mid_half_cents: int, ms_of_day: int) -> str | None:
    target_mid, stop_mid = trade.target_mid_half_cents, trade.stop_mid_half_cents
    if target_mid is not None and mid_half_cents >= target_mid:
        return PROFIT_TARGET
    if stop_mid is not None and mid_half_cents <= stop_mid:
        return STOP_LOSS
    due_at_seconds = trade.exit_rules.exit_at_seconds
    if due_at_seconds is not None and ms_of_day >= due_at_seconds * 1000:
        return EXIT_AT
    return None
