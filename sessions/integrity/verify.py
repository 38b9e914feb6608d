"""The recount of a session: every invariant of domain.md section 10, from the rows alone.

The rows are not asked what they sum to and the engine is not run: cash, positions, marks, margin,
settlement and roll-up are worked out anew from transactions, events and the tick log. Shared with
the engine are two rules without a memory: how a symbol is read, and what margin a holding needs.
A leaf comes before what is summed over it, so the first broken check names the row at fault.
"""

from __future__ import annotations

import uuid

from sessions.integrity import books, ending, rows, seconds, shapes, trading, trail
from sessions.integrity.report import Report, Rule, run

RULES = (
    Rule("readable", "every row can be read", shapes.readable, False),
    Rule("ids", "every id derives from session, kind and number", trail.ids, False),
    Rule("numbers", "rows are numbered 1, 2, 3 … without a gap", trail.numbers, False),
    Rule("events", "(tick, index) of the events has no gap and fits the tick log", trail.events),
    Rule("orders", "each order is what its events made of it", rows.orders),
    Rule("transactions", "each transaction is what was booked", rows.transactions),
    Rule("trades", "each trade is what opening and closing it said", rows.trades),
    Rule("decisions", "each log line and signal is what the program said", rows.decisions),
    Rule("entries", "each planned entry has exactly one outcome", rows.entries),
    Rule("position_events", "each position is what its last event says", rows.position_events),
    Rule("fills", "each fill has exactly its legs' transactions", trading.fills, False),
    Rule("fees", "fees follow the frozen schedule", trading.fees, False),
    Rule("reprices", "the steps of an order sum to final - intended", trading.reprices),
    Rule("pending", "no order is pending in an ended session", trading.pending, False),
    Rule("positions", "sums of their transactions; zero once settled", ending.positions, False),
    Rule("settlement", "what was held settled at the official value", ending.settlement, False),
    Rule("line", "one row per processed tick, strictly growing in time", seconds.line),
    Rule("cash", "cash = opening + credits - debits - fees, each second", seconds.cash),
    Rule("nlv", "cash + Σ marks = NLV, each second", seconds.net_liquidation_value),
    Rule("profit", "P&L = NLV - opening = realized + unrealized - fees", seconds.profit),
    Rule("margin", "margin and available buying power, each second", seconds.margin),
    Rule("buying_power", "not negative after any accepted order", seconds.buying_power),
    Rule("profits", "trades made what was realized", trading.trade_profits, False),
    Rule("roll_up", "the summary is an independent recount", ending.roll_up, False),
    Rule("carry", "closing balance of a day = opening balance of the next", ending.carry, False),
    Rule("counts", "ticks and errors are as many as their rows", trail.counts),
    Rule("status", "the status is the one last written down", trail.status, False),
    Rule("snapshot", "the engine's state says what the rows say", trail.snapshot),
)


def verify(session_id: uuid.UUID) -> Report:
    """Recount a session as it stands after its last commit. Raises BotSession.DoesNotExist."""
    with books.snapshot():
        return run(RULES, books.read(session_id))
