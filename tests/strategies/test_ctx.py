"""What a program reads of `ctx` and what its calls become."""

from __future__ import annotations

import json

import pytest

from strategies.runtime.prelude import Ctx, buy, sell
from tests.strategies.market import closed_trade, order, trade, view

SPREAD = [sell("put", strike=5930), buy("put", strike=5910)]


def actions_of(act, hook="on_tick", **changes):
    ctx = Ctx(view(**changes), hook)
    act(ctx)
    return ctx.finish()


def test_the_market_is_read_in_points_and_dollars():
    ctx = Ctx(view())

    assert (ctx.time, ctx.date, ctx.weekday) == ("10:00:00", "2026-05-07", "thu")
    assert (ctx.spot, ctx.open_spot, ctx.vix, ctx.expected_move) == (5950.25, 5940.0, 16.2, 30.0)
    assert (ctx.seconds_since_open, ctx.seconds_to_close) == (1800, 21_600)
    assert ctx.strikes()[:2] == [5900, 5910]


def test_what_the_market_does_not_know_is_none():
    ctx = Ctx(view(vix_hundredths=None, expected_move_cents=None))

    assert (ctx.vix, ctx.expected_move) == (None, None)


def test_trades_have_their_mid_and_profit():
    (open_trade,) = Ctx(view(trades=[trade()])).trades

    assert (open_trade.entry, open_trade.mid, open_trade.profit) == (-1.6, -0.8, 160.0)
    assert open_trade.legs == [["put", 5930, -1], ["put", 5905, 1]]


def test_a_trade_without_a_quote_has_no_profit():
    unquoted = trade(mid_half_cents=None, profit_cents=None, profit_pct=None)

    (open_trade,) = Ctx(view(trades=[unquoted])).trades

    assert (open_trade.mid, open_trade.profit, open_trade.profit_pct) == (None, None, None)


def test_entries_are_the_trades_of_today_and_the_openings_that_still_may_become_one():
    ctx = Ctx(
        view(
            trades=[trade()],
            closed_trades=[closed_trade(number=2)],
            orders=[order(), order(number=4, kind="closing", trade=1)],
        )
    )

    assert ctx.entries == 3


def test_open_asks_for_what_the_engine_takes():
    (action,) = actions_of(
        lambda ctx: ctx.open(
            SPREAD,
            limit=1.25,
            contracts=3,
            profit_target_pct=50,
            stop_loss_pct=200.5,
            trailing_stop_pct=20,
            trailing_start_pct=30,
            exit_on_touch=True,
            exit_at="15:55:30",
            name="morning",
        )
    )

    assert action == {
        "do": "open",
        "legs": [["put", 593_000, -1], ["put", 591_000, 1]],
        "contracts": 3,
        "order": "limit",
        "limit_cents": -125,
        "profit_target_pct": 50,
        "stop_loss_pct": 200.5,
        "trailing_stop_pct": 20,
        "trailing_start_pct": 30,
        "exit_on_touch": True,
        "exit_at_seconds": 57_330,
        "name": "morning",
    }


def test_a_limit_of_a_debit_is_positive_and_none_is_the_quoted_mid():
    debit = [buy("call", strike=5950), sell("call", strike=5975)]

    actions = actions_of(lambda ctx: (ctx.open(debit, limit="8.05"), ctx.open(debit)))

    assert [action["limit_cents"] for action in actions] == [805, None]


def test_quantities_with_a_common_factor_become_contracts():
    legs = [sell("put", 2, strike=5930), buy("put", 2, strike=5910)]

    (action,) = actions_of(lambda ctx: ctx.open(legs, contracts=3))

    assert action["legs"] == [["put", 593_000, -1], ["put", 591_000, 1]]
    assert action["contracts"] == 6


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"limit": 1.23}, "not a multiple of 0.05"),
        ({"limit": -1}, "must not be negative"),
        ({"limit": "cheap"}, "could not convert"),
        ({"contracts": 0}, "contracts must be a whole number"),
        ({"contracts": True}, "contracts must be a whole number"),
        ({"contracts": 1.5}, "contracts must be a whole number"),
        ({"order": "stop-limit"}, "order must be one of"),
        ({"profit_target_pct": 0}, "profit_target_pct must be above 0"),
        ({"stop_loss_pct": "200"}, "stop_loss_pct must be a number"),
        ({"stop_loss_pct": float("nan")}, "stop_loss_pct must be above 0"),
        ({"trailing_stop_pct": -1}, "trailing_stop_pct must be above 0"),
        ({"trailing_start_pct": 30}, "trailing_start_pct needs trailing_stop_pct"),
        ({"trailing_stop_pct": 20, "trailing_start_pct": "30"}, "trailing_start_pct must be a"),
        ({"exit_on_touch": 1}, "exit_on_touch must be True or False"),
        ({"exit_at": "4pm"}, "a time is"),
        ({"exit_at": "15:60"}, "no time of day"),
    ],
)
def test_a_nonsensical_order_is_the_programs_error(arguments, reason):
    with pytest.raises(ValueError, match=reason):
        actions_of(lambda ctx: ctx.open(SPREAD, **arguments))


def test_a_touch_without_a_sold_leg_is_the_programs_error():
    with pytest.raises(ValueError, match="exit_on_touch needs a sold leg"):
        actions_of(lambda ctx: ctx.open([buy("put", atm=True)], exit_on_touch=True))


def test_one_leg_above_three_dollars_has_the_coarser_tick():
    with pytest.raises(ValueError, match=r"not a multiple of 0\.10"):
        actions_of(lambda ctx: ctx.open([buy("put", atm=True)], limit=6.75))


def test_without_a_strike_open_says_so_in_the_log_and_answers_false():
    answers = []

    (action,) = actions_of(lambda ctx: answers.append(ctx.open(SPREAD)), chain={})

    assert answers == [False]
    assert action["message"] == "not opened: no strike found for leg 0: the chain is empty"


def test_without_a_strike_a_scheduled_entry_is_skipped():
    (action,) = actions_of(lambda ctx: ctx.open(SPREAD), "at", chain={})

    assert action == {"do": "skip", "reason": "no strike found for leg 0: the chain is empty"}


def test_close_and_cancel_take_the_thing_or_its_number():
    def act(ctx):
        ctx.close(ctx.trades[0])
        ctx.close(7, order="market")
        ctx.cancel(ctx.orders[0])
        ctx.cancel(9)

    actions = actions_of(act, trades=[trade()], orders=[order()])

    assert actions == [
        {"do": "close", "trade": 1, "order": "limit"},
        {"do": "close", "trade": 7, "order": "market"},
        {"do": "cancel", "order": 3},
        {"do": "cancel", "order": 9},
    ]


def test_skip_belongs_in_at():
    with pytest.raises(RuntimeError, match="belongs in at"):
        actions_of(lambda ctx: ctx.skip("why not"))


def test_log_and_signal_keep_the_order_they_were_given_in():
    def act(ctx):
        ctx.log("one", spot=ctx.spot)
        ctx.signal("two")
        ctx.log("three")

    actions = actions_of(act)

    assert [action.get("message") or action["name"] for action in actions] == [
        "one",
        "two",
        "three",
    ]
    assert actions[0]["data"] == {"spot": 5950.25}


def test_a_long_message_is_cut_with_a_marker():
    (action,) = actions_of(lambda ctx: ctx.log("x" * 5000))

    assert len(action["message"]) == 1000
    assert action["message"].endswith("… (cut, 5000 characters)")


def test_large_data_is_replaced_by_a_marker():
    (action,) = actions_of(lambda ctx: ctx.log("big", rows=["x" * 100] * 50))

    assert action["data"] == {"cut": "data of 5210 bytes; at most 4096"}
    assert len(json.dumps(action["data"])) < 4096


def test_too_many_entries_are_cut_with_a_line_that_counts_them():
    actions = actions_of(lambda ctx: [ctx.log(f"{n}") for n in range(137)])

    assert len(actions) == 101
    assert actions[-1]["message"] == "37 more log entries were cut: at most 100 a call"


def test_logging_leaves_room_for_orders():
    def act(ctx):
        for n in range(150):
            ctx.log(f"{n}")
        ctx.cancel(1)

    assert {"do": "cancel", "order": 1} in actions_of(act)


def test_too_many_orders_in_one_call_are_the_programs_error():
    with pytest.raises(RuntimeError, match="more than 100 actions"):
        actions_of(lambda ctx: [ctx.cancel(1) for _ in range(101)])


def test_what_json_cannot_say_cannot_be_logged():
    with pytest.raises(TypeError):
        actions_of(lambda ctx: ctx.log("odd", thing={1, 2}))


def test_random_numbers_depend_on_the_seed_alone():
    def draw(seed):
        ctx = Ctx(view(random_seed=seed))
        return [ctx.random() for _ in range(100)]

    assert draw(7) == draw(7) != draw(8)
    assert all(0 <= number < 1 for number in draw(7))
    assert 0.4 < sum(draw(7)) / 100 < 0.6


def test_the_generator_is_splitmix64():
    # The first output of SplitMix64 for the seed 1234567, of its published test vector.
    assert Ctx(view(random_seed=1234567)).random() == (6457827717110365317 >> 11) / 2**53
