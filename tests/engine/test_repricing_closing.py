"""Re-pricing of closing orders, second by second (domain.md section 5).

A spread -P5950 +P5945 is held and closed at the quoted mid: a debit of 1.80, p = +180. Each tick
gives the bid of P5950 (its ask is 10 higher); with P5950 at 615/625 the raw mid is 180, and each
cent up there takes it a cent up. Natural stays 310 above, so nothing fills unless a test says so.
"""

from __future__ import annotations

import pytest

from tests.engine.builders import Day, close_action, make_policy, market_action

WIDE = 305


def day_of(**closing) -> Day:
    """The trade fills on tick 2, where it is asked to close; re-pricing begins on tick 3."""
    settings = {"nudge_after_seconds": 3, "min_interval_seconds": 1, **closing}
    policy = make_policy(closing=settings, max_daily_loss_e4=5000)
    day = Day(policy=policy, slippage_cents=10_000, balance_cents=50_000_000)
    day.tick(market_action(P5950=-1, P5945=1))
    day.tick(close_action(1))
    assert day.state.orders[2].limit_cents == 180
    return day


def sides(bid_cents: int) -> dict[str, tuple[int, int]]:
    return {"P5950": (bid_cents - WIDE, bid_cents + 10 + WIDE), "P5945": (135, 745)}


def run(day: Day, table: list[tuple[int, int]]) -> list[int]:
    limits = []
    for bid_cents, _ in table:
        day.tick(quotes=sides(bid_cents))
        limits.append(day.state.orders[2].limit_cents)
    return limits


def expected(table: list[tuple[int, int]]) -> list[int]:
    return [limit_cents for _, limit_cents in table]


def test_it_concedes_every_nudge_whatever_the_mid_does():
    day = day_of()
    table = [
        (615, 180),
        (635, 200),  # the mid rises by 20: followed, not flat at all
        (655, 225),  # 3 s after placement: mid 220 and one tick
        (675, 245),
        (695, 265),
        (715, 290),  # 3 s later: mid 280 and two ticks
        (615, 190),  # falling: re-pegged to the mid, the concession stays
        (565, 140),
        (565, 145),  # 3 s later: three ticks
    ]

    assert run(day, table) == expected(table)


def test_there_is_no_cap():
    day = day_of(nudge_after_seconds=1)

    limits = run(day, [(615, 0)] * 40)

    assert limits == [180 + 5 * n for n in range(1, 41)]
    assert {event.rule for event in day.of("repriced")} == {"nudge"}


def test_it_never_passes_the_natural_price_by_more_than_one_tick():
    day = day_of(nudge_after_seconds=1)
    natural_cents = 200  # 620 + 10 - 430

    for _ in range(10):
        day.tick(quotes={"P5950": (610, 630), "P5945": (430, 450)})

    # In this market of the test slippage is absurd but the fill is capped at natural: it filled.
    (filled,) = [event for event in day.of("filled") if event.order == 2]
    assert filled.price_cents == natural_cents
    assert max(event.new_cents for event in day.of("repriced")) <= natural_cents + 5


def test_the_natural_bound_holds_the_wish_when_the_spread_collapses_around_it():
    day = day_of(nudge_after_seconds=1)
    run(day, [(615, 0)] * 20)  # 20 ticks conceded: limit 280

    day.tick(quotes={"P5945": (435, 446)})
    last = day.of("filled")[-1]

    # Natural is 625 - 435 = 190 now: the order, at 280, fills there and nowhere worse.
    assert (last.order, last.price_cents) == (2, 190)


def test_the_bound_is_the_natural_price_plus_a_tick():
    day = day_of(nudge_after_seconds=1, min_interval_seconds=120)
    run(day, [(615, 0)] * 20)
    assert day.state.orders[2].limit_cents == 185  # held back by the floor; 20 ticks are wished for
    resting = day.state.orders[2]
    resting.replaced_at_ms = None

    day.tick(quotes={"P5950": (585, 595), "P5945": (370, 400)})  # natural 225, mid 205

    step = day.of("repriced")[-1]
    assert (step.natural_cents, step.new_cents, step.rule) == (225, 230, "natural_bound")


def test_with_the_default_slippage_one_tick_of_concession_fills():
    day = Day(policy=make_policy(closing={"nudge_after_seconds": 15}))
    day.tick(market_action(P5950=-1, P5945=1))
    day.tick(close_action(1))

    day.ticks(14)
    before = [event.order for event in day.of("filled")]
    day.tick()  # 15 s after placement: 185
    nudged = day.of("repriced")[-1].new_cents
    day.tick()

    filled = day.of("filled")[-1]
    assert before == [1]
    assert nudged == 185
    assert (filled.order, filled.price_cents) == (2, 185)


def test_the_floor_between_replacements_holds_back_a_relentless_order_too():
    day = day_of(min_interval_seconds=4, nudge_after_seconds=600)
    table = [
        (620, 185),
        (625, 185),
        (630, 185),
        (635, 185),
        (640, 205),  # 4 s later: straight to the mid of now
    ]

    assert run(day, table) == expected(table)


@pytest.mark.parametrize("quotes", [{"P5945": (-1, 445)}, {"P5945": (450, 445)}])
def test_nothing_moves_while_a_leg_is_unusable(quotes):
    day = day_of(nudge_after_seconds=1)

    day.ticks(5, quotes=quotes)

    assert day.of("repriced") == []


def test_a_worthless_leg_does_not_stop_the_way_out():
    # The bought leg has no bid any more: it is given away for nothing.
    day = day_of(nudge_after_seconds=1)

    day.tick(quotes={"P5945": (0, 5), "P5950": (100, 400)})

    step = day.of("repriced")[-1]
    assert (step.mid_half_cents, step.natural_cents) == (500 - 5, 400 - 0)


def test_switched_off_it_rests_for_ever():
    day = day_of(enabled=False)

    run(day, [(715, 0)] * 10)

    assert day.of("repriced") == []
    assert day.state.orders[2].limit_cents == 180


def test_its_steps_sum_to_final_less_intended():
    day = day_of(nudge_after_seconds=2)

    run(day, [(bid, 0) for bid in (615, 620, 650, 640, 600, 590, 700)])

    moved = sum(event.new_cents - event.old_cents for event in day.of("repriced"))
    assert moved == day.state.orders[2].limit_cents - 180


def test_a_closing_credit_may_become_a_debit():
    # A bought spread is sold: p = -180. The mid collapses to a debit of 10: the way out is paid.
    day = Day(policy=make_policy(closing={"nudge_after_seconds": 600}), slippage_cents=10_000)
    day.tick(market_action(P5950=1, P5945=-1))
    day.tick(close_action(1))

    day.tick(quotes={"P5950": (120, 740), "P5945": (435, 445)})

    assert day.of("repriced")[-1].new_cents == 10
