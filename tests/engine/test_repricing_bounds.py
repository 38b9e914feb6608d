"""What bounds the walk of an opening order, and explicit limits (domain.md section 5)."""

from __future__ import annotations

from tests.engine.builders import open_action
from tests.engine.opening_walk import FOREVER, day_of, expected, run


def test_an_explicit_limit_is_its_own_intended_price_and_its_distance_starts_the_concession():
    day = day_of(-200, max_concession_cents=10, nudge_after_seconds=2)
    order = day.state.orders[1]
    started = (order.intended_cents, order.peg_cents, order.concession_cents)
    table = [
        (615, -200),
        (615, -195),
        (615, -195),
        (615, -190),  # the cap: -200 + 10
        (615, -190),
        (615, -190),
        (605, -190),  # peg -170: capped
        (625, -200),  # peg -190 and the concession of -10
    ]

    assert run(day, table) == expected(table)
    assert started == (-200, -180, -20)


def test_the_concession_an_explicit_limit_starts_with_is_no_nudge():
    day = day_of(-200, nudge_after_seconds=FOREVER)

    run(day, [(625, 0)])

    assert [(step.rule, step.new_cents) for step in day.of("repriced")] == [("follow", -210)]


def test_a_credit_never_turns_into_a_debit():
    # Credit of 0.10 intended; the cap of 20 would allow a debit of 0.10.
    day = day_of(max_concession_cents=20, nudge_after_seconds=FOREVER,
                 quotes={"P5950": (445, 455)})  # fmt: skip
    assert day.state.orders[1].intended_cents == -10

    day.tick(quotes={"P5950": (425, 435), "P5945": (335, 545)})

    assert [(step.rule, step.new_cents) for step in day.of("repriced")] == [("effect_bound", -5)]


def test_a_debit_never_turns_into_a_credit():
    day = day_of(ratios={"P5950": 1, "P5945": -1}, quotes={"P5950": (445, 455)},
                 nudge_after_seconds=FOREVER)  # fmt: skip
    assert day.state.orders[1].intended_cents == 10

    day.tick(quotes={"P5950": (325, 535), "P5945": (455, 465)})

    assert [(step.rule, step.new_cents) for step in day.of("repriced")] == [("effect_bound", 5)]


def test_an_even_price_counts_as_a_debit_of_nothing():
    day = day_of(quotes={"P5950": (435, 445)}, nudge_after_seconds=FOREVER)
    assert day.state.orders[1].intended_cents == 0

    day.tick(quotes={"P5950": (355, 565), "P5945": (435, 445)})  # the mid is a credit of 20 now

    assert day.state.orders[1].limit_cents == 0


def test_one_leg_walks_on_the_grid_of_its_price():
    # C5960 bought at 2.90, cap 3.30. Steps of 5 up to 3.00, of 10 above.
    day = day_of(ratios={"C5960": 1}, quotes={"C5960": (285, 295)}, max_concession_cents=40,
                 nudge_after_seconds=1)  # fmt: skip

    limits = []
    for _ in range(5):
        day.tick(quotes={"C5960": (185, 395)})
        limits.append(day.state.orders[1].limit_cents)

    # 2.95, 3.00, 3.05 which is no price above 3.00: 3.10, then 3.15: 3.20, then 3.25: 3.30
    assert limits == [295, 300, 310, 320, 330]


def test_two_orders_walk_on_their_own():
    day = day_of(nudge_after_seconds=2)
    day.tick(open_action(P5955=-1, P5945=1))

    day.ticks(2)

    first, second = day.state.orders.values()
    assert (first.concession_cents, second.concession_cents) == (5, 5)
    assert first.window_at_ms + 1000 == second.window_at_ms
