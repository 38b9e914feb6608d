"""Automatic re-pricing: a resting limit is peg + concession (domain.md section 5).

All prices are signed, so "toward the market maker" is up for debits and credits alike. The peg is
the current quoted mid; the concession grows one tick (of the price it has come to) at a time. The
two kinds differ and share no flag:

Opening: patient and capped. One tick whenever the raw mid stayed within the tolerance for
`nudge_after_seconds` (a move beyond it starts the window again at once). Never above intended +
max_concession: at the cap it rests, and no further concession is saved up. Never across zero.
Closing: relentless. One tick every `nudge_after_seconds` whatever the mid does, no cap; only
bounded by the natural price plus one tick, beyond which nothing is gained.

A replacement is made when the wanted limit differs from the resting one and `min_interval_seconds`
have passed since the last replacement; until then the wish is simply worked out anew every tick.
"""

from __future__ import annotations

from simengine.events import Repriced
from simengine.orders import Order
from simengine.policy import ClosingReprice, OpeningReprice, Policy
from simengine.pricing import (
    FINE_TICK_CENTS,
    PackageQuote,
    down_to_grid,
    quoted_mid_cents,
    tick_cents,
    up_to_grid,
)

FOLLOW = "follow"  # the peg moved
NUDGE = "nudge"  # the concession grew
CAP = "cap"
EFFECT_BOUND = "effect_bound"
NATURAL_BOUND = "natural_bound"
NO_BOUND_CENTS = -(10**9)


def start_walk(order: Order, quote: PackageQuote, policy: Policy, *, now_ms: int) -> None:
    """Begin an order's walk. A limit at the quoted mid intends that price with no concession.

    A limit that was chosen explicitly intends its own price: its distance from the mid is where the
    concession starts, so the same walk and the same cap hold for it. A limit replaced by the
    strategy is such a choice, and its walk begins anew.
    """
    order.peg_cents = quoted_mid_cents(order.legs, quote.mid_half_cents)
    if order.limit_cents is None:
        order.limit_cents = order.peg_cents
    order.intended_cents = order.limit_cents
    if order.is_opening:
        _bound(order, policy.opening)
    order.concession_cents = order.limit_cents - order.peg_cents
    order.replaced_concession_cents = order.concession_cents
    order.window_at_ms = now_ms
    order.window_mid_half_cents = quote.mid_half_cents


def _bound(order: Order, block: OpeningReprice) -> None:
    """What stays fixed while an opening order walks: how far the mid may move and still be flat (in
    ticks of the intended price), and where its limit may be: up to its cap, and never across zero.

    What was intended as a credit stays one; a debit stays a debit, an even price counting as a
    debit of nothing.
    """
    tick = tick_cents(order.legs, order.intended_cents)
    order.tolerance_half_cents = 2 * tick * block.flat_tolerance_ticks
    cap_cents = _cap_cents(order, block)
    if order.intended_cents < 0:
        order.highest_cents = min(cap_cents, -FINE_TICK_CENTS)
        order.lowest_cents = NO_BOUND_CENTS
    else:
        order.highest_cents = cap_cents
        order.lowest_cents = min(order.intended_cents, FINE_TICK_CENTS)


def _cap_cents(order: Order, block: OpeningReprice) -> int:
    return down_to_grid(order.legs, order.intended_cents + block.max_concession_cents)


def reprice(
    order: Order, quote: PackageQuote, peg_cents: int, policy: Policy, *, now_ms: int
) -> Repriced | None:
    """Let a pending limit order concede what is due, and move its limit there if it may move now.

    `peg_cents` is the quoted mid of `quote`.
    """
    block = policy.opening if order.is_opening else policy.closing
    if not block.enabled:
        return None
    order.peg_cents = peg_cents
    if order.is_opening:
        _concede_while_flat(order, quote.mid_half_cents, policy.opening, now_ms)
    else:
        _concede_on_schedule(order, policy.closing, now_ms)
    replaced_at_ms = order.replaced_at_ms
    if replaced_at_ms is not None and now_ms - replaced_at_ms < block.min_interval_seconds * 1000:
        return None
    wanted_cents = _wanted_cents(order, quote)
    if wanted_cents == order.limit_cents:
        return None
    return _replace(order, quote, wanted_cents, policy, now_ms)


def _concede_while_flat(
    order: Order, mid_half_cents: int, block: OpeningReprice, now_ms: int
) -> None:
    """Opening: one tick for each window in which the raw mid stayed where it was, up to the cap."""
    tolerance_half_cents = order.tolerance_half_cents
    moved_half_cents = mid_half_cents - order.window_mid_half_cents
    if not -tolerance_half_cents <= moved_half_cents <= tolerance_half_cents:
        order.window_at_ms, order.window_mid_half_cents = now_ms, mid_half_cents
    elif now_ms - order.window_at_ms >= block.nudge_after_seconds * 1000:
        order.window_at_ms, order.window_mid_half_cents = now_ms, mid_half_cents
        price_cents = order.peg_cents + order.concession_cents
        step_cents = tick_cents(order.legs, price_cents)
        if price_cents + step_cents <= order.highest_cents:
            order.concession_cents += step_cents


def _concede_on_schedule(order: Order, block: ClosingReprice, now_ms: int) -> None:
    """Closing: one tick every `nudge_after_seconds`, whatever the mid does."""
    if now_ms - order.window_at_ms >= block.nudge_after_seconds * 1000:
        order.window_at_ms = now_ms
        order.concession_cents += tick_cents(order.legs, order.peg_cents + order.concession_cents)


def _wanted_cents(order: Order, quote: PackageQuote) -> int:
    """Where the limit should be: where the walk asks for, within the bounds of the order's kind."""
    wanted_cents = _unbounded(order)
    if order.is_opening:
        if wanted_cents > order.highest_cents:
            return order.highest_cents
        return wanted_cents if wanted_cents >= order.lowest_cents else order.lowest_cents
    legs, natural_cents = order.legs, quote.natural_cents
    if wanted_cents <= natural_cents:
        return wanted_cents
    bound_cents = down_to_grid(legs, natural_cents + tick_cents(legs, natural_cents))
    return min(wanted_cents, bound_cents)


def _unbounded(order: Order) -> int:
    """The limit the walk asks for before any bound. Only one leg can be off its grid there."""
    price_cents = order.peg_cents + order.concession_cents
    return price_cents if len(order.legs) > 1 else up_to_grid(order.legs, price_cents)


def _replace(
    order: Order, quote: PackageQuote, wanted_cents: int, policy: Policy, now_ms: int
) -> Repriced:
    assert order.limit_cents is not None
    old_cents, rule = order.limit_cents, _rule_of(order, wanted_cents, policy)
    order.limit_cents = wanted_cents
    order.replaced_at_ms = now_ms
    order.replaced_concession_cents = order.concession_cents
    order.replace_count += 1
    return Repriced(
        order.number,
        old_cents,
        wanted_cents,
        order.peg_cents,
        order.concession_cents,
        quote.mid_half_cents,
        quote.natural_cents,
        rule,
        order.replace_count,
    )


def _rule_of(order: Order, wanted_cents: int, policy: Policy) -> str:
    if wanted_cents == _unbounded(order):
        is_nudged = order.concession_cents != order.replaced_concession_cents
        return NUDGE if is_nudged else FOLLOW
    if not order.is_opening:
        return NATURAL_BOUND
    return CAP if wanted_cents == _cap_cents(order, policy.opening) else EFFECT_BOUND
