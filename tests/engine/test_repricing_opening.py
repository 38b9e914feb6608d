"""Re-pricing of opening orders, second by second (domain.md section 5).

Tables of `tests.engine.opening_walk`: the bid of P5950, and the limit that rests after the tick.
"""

from __future__ import annotations

import pytest

from tests.engine.builders import Day
from tests.engine.opening_walk import FOREVER, day_of, expected, run


def steps_of(day: Day) -> list[tuple[str, int]]:
    return [(event.rule, event.new_cents - event.old_cents) for event in day.of("repriced")]


def test_while_the_mid_is_flat_it_concedes_one_tick_every_nudge_until_the_cap():
    day = day_of(max_concession_cents=10)
    table = [
        (615, -180),
        (615, -180),
        (615, -175),  # 3 s after placement
        (615, -175),
        (615, -175),
        (615, -170),  # 3 s after the nudge; -180 + 10 is the cap
        (615, -170),
        (615, -170),
        (615, -170),  # it rests at the cap
        (615, -170),
        (615, -170),
        (615, -170),
    ]

    assert run(day, table) == expected(table)
    assert steps_of(day) == [("nudge", 5), ("nudge", 5)]


def test_a_mid_within_the_tolerance_is_flat_and_one_beyond_it_starts_the_window_again():
    day = day_of(flat_tolerance_ticks=1, min_interval_seconds=1)
    table = [
        (620, -185),  # tick 2: 5 cents are one tick: still flat; the peg follows
        (615, -180),  # tick 3
        (615, -175),  # tick 4: 3 s after placement: a nudge
        (609, -170),  # tick 5: 6 cents are more than a tick: peg -174 -> -175, the window restarts
        (609, -170),
        (609, -170),  # tick 7: 3 s after the last nudge, but only 2 after the restart
        (609, -165),  # tick 8: 3 s after the restart
    ]

    assert run(day, table) == expected(table)


@pytest.mark.parametrize(
    ("flat_tolerance_ticks", "bid_cents", "nudged"),
    [(1, 620, True), (1, 621, False), (2, 625, True), (2, 626, False), (1, 610, True),
     (1, 609, False)],
)  # fmt: skip
def test_flat_is_measured_on_the_raw_mid_from_the_last_nudge(
    flat_tolerance_ticks, bid_cents, nudged
):
    day = day_of(flat_tolerance_ticks=flat_tolerance_ticks)

    run(day, [(bid_cents, 0), (bid_cents, 0), (bid_cents, 0)])

    assert (day.state.orders[1].concession_cents == 5) is nudged


def test_the_mid_running_away_is_followed_to_the_cap_and_waited_for_there():
    day = day_of(max_concession_cents=20, nudge_after_seconds=FOREVER)
    table = [
        (605, -170),  # the mid worsens by 10
        (600, -165),
        (595, -160),  # the cap: -180 + 20
        (585, -160),  # 30 away: it rests
        (535, -160),
        (590, -160),  # coming back: -155, still beyond
        (600, -165),  # and back with it
        (615, -180),
    ]

    assert run(day, table) == expected(table)
    assert steps_of(day) == [
        ("follow", 10), ("follow", 5), ("follow", 5), ("follow", -5), ("follow", -15),
    ]  # fmt: skip


def test_a_day_that_is_flat_runs_away_comes_back_and_gets_better():
    day = day_of(max_concession_cents=20)
    table = [
        (615, -180),  # flat
        (615, -180),
        (615, -175),  # 3 s after placement: one tick
        (610, -170),  # the mid worsens by 5: followed, peg -175 and the tick
        (595, -160),  # peg -160 and the tick would be -155: the cap, -180 + 20
        (585, -160),  # peg -150: it rests
        (605, -165),  # coming back: peg -170 and the tick
        (615, -175),
        (635, -195),  # better than it ever was: peg -200 and the tick
        (635, -195),
        (635, -195),
        (635, -190),  # 3 s without a move beyond the tolerance: two ticks
    ]

    assert run(day, table) == expected(table)
    assert steps_of(day) == [
        ("nudge", 5), ("follow", 5), ("cap", 10), ("follow", -5), ("follow", -10), ("follow", -20),
        ("nudge", 5),
    ]  # fmt: skip


def test_a_limit_that_jumps_over_the_cap_stops_at_it():
    day = day_of(max_concession_cents=20, nudge_after_seconds=FOREVER)

    run(day, [(535, 0)])

    assert steps_of(day) == [("cap", 20)]
    assert day.of("repriced")[0].peg_cents == -100


def test_no_concession_is_saved_up_at_the_cap():
    day = day_of(max_concession_cents=20, nudge_after_seconds=2)
    table = [
        (595, -160),  # at the cap by following
        (595, -160),
        (595, -160),  # flat for long, but a concession would pass the cap
        (595, -160),
        (595, -160),
        (615, -180),  # back at the intended price: nothing was saved up
    ]

    assert run(day, table) == expected(table)


def test_a_concession_made_earlier_is_kept_when_the_mid_comes_back():
    day = day_of(max_concession_cents=20, nudge_after_seconds=2)
    table = [
        (615, -180),
        (615, -175),  # one tick conceded
        (595, -160),  # mid -160 and a tick: -155, capped
        (615, -175),  # peg -180 and the tick
    ]

    assert run(day, table) == expected(table)


def test_a_better_mid_is_followed_down_without_limit():
    day = day_of(nudge_after_seconds=FOREVER)
    table = [(625, -190), (665, -230), (915, -480)]

    assert run(day, table) == expected(table)


def test_the_cap_counts_from_the_intended_price_not_from_the_mid():
    # The mid improves by 50; from there patience may concede back up to -180 + 5.
    day = day_of(max_concession_cents=5, nudge_after_seconds=1, flat_tolerance_ticks=1)

    run(day, [(665, 0)] * 30)

    assert day.state.orders[1].limit_cents == -175
    assert day.state.orders[1].concession_cents == 55


def test_the_floor_between_replacements_holds_back_and_the_wish_is_worked_out_anew():
    day = day_of(min_interval_seconds=4, nudge_after_seconds=FOREVER)
    table = [
        (610, -175),  # tick 2: the first replacement waits for nobody
        (605, -175),  # tick 3: 1 s later
        (600, -175),
        (595, -175),  # tick 5: 3 s
        (605, -170),  # tick 6: 4 s: straight to what is wanted now
        (615, -170),
    ]

    assert run(day, table) == expected(table)


def test_each_step_says_what_moved_it_and_the_steps_sum_to_final_less_intended():
    day = day_of(max_concession_cents=20)

    run(day, [(bid, 0) for bid in (615, 615, 615, 600, 590, 620, 640, 640, 640, 640)])

    steps = day.of("repriced")
    placed = day.of("order_placed")[0]
    assert sum(step.new_cents - step.old_cents for step in steps) == (
        day.state.orders[1].limit_cents - placed.intended_cents
    )
    assert [step.replace_count for step in steps] == list(range(1, len(steps) + 1))
    for step in steps:
        assert step.new_cents <= step.peg_cents + step.concession_cents


def test_a_step_carries_the_mid_the_natural_the_peg_and_the_concession():
    day = day_of(nudge_after_seconds=1)

    day.tick(quotes={"P5950": (614, 624)})

    (step,) = day.of("repriced")
    assert (step.mid_half_cents, step.natural_cents) == (-358, -614 + 445)
    assert (step.peg_cents, step.concession_cents) == (-180, 5)
    assert (step.old_cents, step.new_cents, step.rule) == (-180, -175, "nudge")


@pytest.mark.parametrize("quotes", [{"P5945": (-1, 445)}, {"P5945": (450, 445)}])
def test_nothing_moves_while_a_leg_is_unusable(quotes):
    day = day_of(nudge_after_seconds=1)

    day.ticks(5, quotes={**quotes, "P5950": (600, 610)})

    assert day.of("repriced") == []


def test_nothing_moves_on_a_stale_tick():
    day = day_of(nudge_after_seconds=1)

    day.ticks(5, quotes={"P5950": (600, 610)}, lag_ms=3001)

    assert day.of("repriced") == []


def test_switched_off_the_limit_stays_where_it_is():
    day = day_of(enabled=False, nudge_after_seconds=1)

    run(day, [(600, 0)] * 5)

    assert day.state.orders[1].limit_cents == -180
    assert day.of("repriced") == []
