"""One tick of one session, in the order of domain.md section 7.

    take the tick -> obey requests -> match resting orders -> mark -> risk -> re-price -> exit rules
    -> strategy -> row

A pure function of (state, tick, requests, terms, strategy): the same inputs give the same events,
on any machine, in any process. The caller owns the state and commits what comes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from simengine import ending, risk
from simengine.decisions import call_strategy
from simengine.entries import plan_entries
from simengine.events import Event, GapNoted, StaleEnded, StaleStarted, Started, TickIgnored
from simengine.execution import Quoted, cancel_all, match_orders
from simengine.exits import check_exits, mark_trades
from simengine.market import Tick
from simengine.orders import LIMIT
from simengine.policy import Policy
from simengine.repricing import reprice
from simengine.state import (
    CLOSING,
    FINAL,
    FLATTENING,
    RUNNING,
    WAITING,
    SessionState,
    SessionTerms,
)
from simengine.strategy import Strategy

KILL = "kill"
KILL_FLAT = "kill_flat"
CANCEL_ALL = "cancel_all"
TRADING = (RUNNING, FLATTENING, WAITING)
AFTER_THE_CLOSE = (CLOSING, FINAL)


class Financials(NamedTuple):
    """One second of a session's books, in cents; `profit_loss` = realized + unrealized - fees."""

    seq: int
    at_ms: int
    net_liquidation_value: int
    cash: int
    unrealized_profit_loss: int
    realized_profit_loss: int
    profit_loss: int
    fees: int
    available_buying_power: int
    maintenance_margin: int


@dataclass(slots=True)
class StepResult:
    events: list[Event]
    financials: Financials | None  # None for a tick that was not processed


def step(
    state: SessionState,
    tick: Tick,
    requests: Sequence[str],
    terms: SessionTerms,
    strategy: Strategy,
) -> StepResult:
    """Process one tick. One that is repeated or older, before the open or after the closing tick
    moves no book; requests are obeyed even then.
    """
    events: list[Event] = []
    if (
        tick.seq <= state.last_seq
        or tick.at_ms <= state.last_at_ms
        or tick.at_ms < terms.open_at_ms
        or state.phase in AFTER_THE_CLOSE
    ):
        if state.phase != FINAL and (tick.seq <= state.last_seq or tick.at_ms <= state.last_at_ms):
            events.append(TickIgnored(tick.seq, state.last_seq))
        state.last_seq = max(state.last_seq, tick.seq)
        return StepResult(events + obey(state, terms, requests), None)
    is_fresh = _take(state, tick, terms, events)
    if requests:
        events += obey(state, terms, requests)
    if tick.at_ms >= terms.close_at_ms:
        _mark(state, tick, is_fresh=is_fresh)
        events += ending.close_market(state, terms, at_ms=tick.at_ms)
    elif state.phase not in TRADING:
        _mark(state, tick, is_fresh=is_fresh)
    elif is_fresh:
        _trade(state, tick, terms, strategy, events)
    else:
        # No quote counts, but the last usable marks still do.
        events += risk.check_daily_loss(state, terms, _mark(state, tick, is_fresh=False))
        events += ending.finish_flattening(state, terms)
    return StepResult(events, financials(state, tick, terms))


def obey(state: SessionState, terms: SessionTerms, requests: Sequence[str]) -> list[Event]:
    """Stage 2: kill, kill_flat, cancel_all. A runner whose market is silent may call it between
    ticks. Raises ValueError for a request that does not exist.
    """
    events: list[Event] = []
    for request in requests:
        if request == CANCEL_ALL:
            # Not what flattening has resting: the way out is no order of the strategy.
            if not state.is_ended and state.phase != FLATTENING:
                events += cancel_all(state, terms, "requested")
        elif request in (KILL, KILL_FLAT):
            flat_first = request == KILL_FLAT
            reason = "requested: stop, positions closed first" if flat_first else "requested: stop"
            events += ending.kill(state, terms, flat_first=flat_first, reason=reason)
        else:
            raise ValueError(f"unknown request {request!r}")
    return events


def financials(state: SessionState, tick: Tick, terms: SessionTerms) -> Financials:
    """Stage 8: the row of this tick."""
    portfolio = state.portfolio
    cash_cents = portfolio.cash_cents
    value_cents = portfolio.value_cents
    margin_cents = portfolio.margin_cents
    nlv_cents = cash_cents + value_cents
    row = (
        tick.seq,
        tick.at_ms,
        nlv_cents,
        cash_cents,
        value_cents - portfolio.cost_cents,
        portfolio.realized_cents,
        nlv_cents - terms.opening_balance_cents,
        portfolio.fees_cents,
        cash_cents - margin_cents - state.reserved_margin_cents,
        margin_cents,
    )
    return tuple.__new__(Financials, row)  # half the price of Financials(*row), every tick


def _trade(
    state: SessionState, tick: Tick, terms: SessionTerms, strategy: Strategy, events: list[Event]
) -> None:
    """Stages 3 to 7, on a fresh tick."""
    if state.phase == WAITING:
        state.phase = RUNNING
        state.open_spot_cents = tick.spot_cents
        events.append(Started(tick.spot_cents))
        events += plan_entries(state, tick, terms)
    fills: list[Event] = []
    pending: Quoted = []
    if state.orders:
        fills, pending = match_orders(state, tick, terms)
        events += fills
    nlv_cents = _mark(state, tick, is_fresh=True)
    events += risk.check_daily_loss(state, terms, nlv_cents)
    if state.phase == RUNNING:
        if pending:
            events += _reprice_all(pending, terms.policy, now_ms=tick.at_ms)
        if state.trades:
            events += check_exits(state, tick, terms)
        events += call_strategy(state, tick, terms, strategy, fills)
    if state.phase == FLATTENING:  # perhaps since the program spent the last of its error budget
        events += ending.finish_flattening(state, terms)
        events += risk.flatten(state, tick, terms)


def _take(state: SessionState, tick: Tick, terms: SessionTerms, events: list[Event]) -> bool:
    """Stage 1: sequence, gaps, staleness episodes. Says whether the tick is fresh.

    Silence is judged by the market's own times: no tick for longer than the threshold is one
    episode, and so is a run of ticks that were too old when they reached us. Each costs one error.
    """
    at_ms = tick.at_ms
    threshold_ms = terms.policy.data_staleness_threshold_ms
    is_fresh = tick.received_ms - at_ms <= threshold_ms
    if state.last_seq and tick.seq > state.last_seq + 1:
        events.append(GapNoted(state.last_seq, tick.seq))
    if state.last_at_ms and at_ms - state.last_at_ms > threshold_ms:
        _start_stale(state, terms, events, state.last_at_ms + threshold_ms, "silence")
    elif not is_fresh:
        _start_stale(state, terms, events, at_ms, "lag")
    if is_fresh and state.stale_since_ms is not None:
        events.append(StaleEnded(at_ms, at_ms - state.stale_since_ms))
        state.stale_since_ms = None
    state.last_seq, state.last_at_ms = tick.seq, at_ms
    state.spot_cents = tick.spot_cents
    state.tick_count += 1
    return is_fresh


def _start_stale(
    state: SessionState, terms: SessionTerms, events: list[Event], since_ms: int, reason: str
) -> None:
    if state.stale_since_ms is not None or state.is_ended:
        return
    state.stale_since_ms = since_ms
    state.stale_episodes += 1
    events.append(StaleStarted(since_ms, reason))
    if state.phase != WAITING:
        events += risk.count_error(state, terms, "stale", f"stale data: {reason}")


def _mark(state: SessionState, tick: Tick, *, is_fresh: bool) -> int:
    """Stage 4: marks, NLV, drawdown."""
    if is_fresh and state.portfolio.positions:
        state.portfolio.mark(tick)
        mark_trades(state, tick)
    nlv_cents = state.portfolio.nlv_cents
    ending.observe_nlv(state, nlv_cents)
    return nlv_cents


def _reprice_all(pending: Quoted, policy: Policy, *, now_ms: int) -> list[Event]:
    """Stage 6: every pending limit whose legs are all usable."""
    events: list[Event] = []
    for order, quote, mid_cents in pending:
        if order.type == LIMIT:
            event = reprice(order, quote, mid_cents, policy, now_ms=now_ms)
            if event is not None:
                events.append(event)
    return events
