"""Which exit rules must trigger on a tick, worked out anew from ticks and events, in fractions.

The engine compares half-cents with levels it rounded once; here dollars of profit are compared with
exact percentages of the entry price, and the session's phase and pending orders are read off its
events.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from simengine.events import Event
from simengine.market import CALL, Tick
from simengine.state import SessionTerms

OF_THE_STRATEGY = {"order_placed", "refused", "replaced", "logged", "signalled"}


class ExitAudit:
    """Call `check` with the events of every step, in order."""

    def __init__(self, terms: SessionTerms) -> None:
        self.terms = terms
        self.trades: dict[int, Any] = {}  # open ones: TradeOpened
        self.best: dict[int, Fraction] = {}  # the most profit of each since its fill, in cents
        self.closing: dict[int, int] = {}  # pending closing orders -> their trades
        self.is_running = False

    def check(self, tick: Tick, events: list[Event], *, is_traded: bool) -> None:
        """`is_traded`: the tick was processed, fresh and before the close."""
        stage = next((i for i, event in enumerate(events) if _is_late(event)), len(events))
        for event in events[:stage]:
            self._take(event)
        expected = self._expected(tick) if is_traded else []
        found: list[Any] = [event for event in events if event.kind == "exit_triggered"]
        assert [(event.trade, event.rule, event.profit_cents) for event in found] == expected
        for event in events[stage:]:
            self._take(event)

    def _expected(self, tick: Tick) -> list[tuple[int, str, Fraction]]:
        expected = []
        for number, trade in self.trades.items():
            profit = _profit_cents(trade, tick)
            if profit is None:
                continue
            self.best[number] = max(self.best[number], profit)
            rule = self._rule(trade, profit, tick)
            if rule and self.is_running and number not in self.closing.values():
                expected.append((number, rule, profit))
        return expected

    def _rule(self, trade: Any, profit: Fraction, tick: Tick) -> str | None:
        base = abs(trade.entry_cents) * trade.units * 100

        def part(bp: int | None) -> Fraction:
            return Fraction((bp or 0) * base, 10_000)

        target, stop, trail = trade.profit_target_bp, trade.stop_loss_bp, trade.trailing_stop_bp
        best = self.best[trade.trade]
        second = tick.at_ms / 1000 - self.terms.midnight_ms / 1000
        holds = {
            "profit_target": target is not None and base and profit >= part(target),
            "stop_loss": stop is not None and base and -profit >= part(stop),
            "trailing_stop": trail is not None
            and base
            and best >= part(trade.trailing_start_bp)
            and best - profit >= part(trail),
            "touch": trade.exit_on_touch and _is_touched(trade, tick.spot_cents),
            "exit_at": trade.exit_at_seconds is not None and second >= trade.exit_at_seconds,
        }
        return next((rule for rule, is_so in holds.items() if is_so), None)

    def _take(self, event: Any) -> None:
        if event.kind == "started":
            self.is_running = True
        elif event.kind in ("flattening", "ended", "closed"):
            self.is_running = False
        elif event.kind == "trade_opened":
            self.trades[event.trade] = event
            self.best[event.trade] = Fraction(0)
        elif event.kind == "trade_closed":
            del self.trades[event.trade]
        elif event.kind == "order_placed" and event.order_kind == "closing":
            self.closing[event.order] = event.trade
        elif event.kind in ("filled", "canceled", "expired", "rejected"):
            self.closing.pop(event.order, None)


def _is_late(event: Any) -> bool:
    """It was made by an exit rule or after them, by the strategy or while flattening."""
    if event.kind == "error_counted":
        return bool(event.source != "stale")
    if event.kind == "canceled":
        return bool(event.reason == "strategy")
    return event.kind == "exit_triggered" or event.kind in OF_THE_STRATEGY


def _profit_cents(trade: Any, tick: Tick) -> Fraction | None:
    """On the mid of every leg; None without a usable quote of each."""
    worth = Fraction(0)
    for leg in trade.legs:
        quote = tick.quote(leg.contract)
        if not quote.is_two_sided:
            return None
        worth += leg.ratio * Fraction(quote.bid_cents + quote.ask_cents, 2)
    return (worth - trade.entry_cents) * trade.units * 100


def _is_touched(trade: Any, spot_cents: int) -> bool:
    return any(
        spot_cents >= leg.contract.strike_cents
        if leg.contract.right == CALL
        else spot_cents <= leg.contract.strike_cents
        for leg in trade.legs
        if leg.ratio < 0
    )
