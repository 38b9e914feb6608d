"""Scheduled entries: every time of a program ends in exactly one outcome (domain.md section 9)."""

from __future__ import annotations

from typing import Any

import pytest

from simengine.market import MISSING
from tests.engine.builders import (
    CLOSE_SECONDS,
    MIDNIGHT_MS,
    OPEN_SECONDS,
    Day,
    ScriptedStrategy,
    failing,
    kinds,
    market_action,
    no_repricing,
    open_action,
)

SPREAD = {"P5950": -1, "P5945": 1}
TEN = 10 * 3600


def day_with(
    times: tuple[int, ...],
    script: dict[str, Any] | None = None,
    *,
    balance_cents: int = 2_500_000,
    **policy: Any,
) -> Day:
    """The program only has `times`; the script says what it answers to "10:00" and the like."""
    answers = {("at", name): answer for name, answer in (script or {}).items()}
    strategy = ScriptedStrategy(answers, on_tick=False, times=times)
    policy = no_repricing(error_budget=100, **policy)
    return Day(strategy=strategy, policy=policy, balance_cents=balance_cents)


def outcomes(day: Day) -> list[tuple[int, str, str]]:
    return [(event.entry, event.outcome, event.reason) for event in day.of("entry_resolved")]


def test_every_time_is_announced_on_the_first_fresh_tick():
    day = day_with((TEN, TEN + 1800))

    events = day.tick()

    assert [(event.entry, event.due_ms) for event in events if event.kind == "entry_planned"] == [
        (1, MIDNIGHT_MS + TEN * 1000),
        (2, MIDNIGHT_MS + (TEN + 1800) * 1000),
    ]


def test_a_time_is_called_once_on_the_first_fresh_tick_at_or_after_it():
    day = day_with((OPEN_SECONDS + 2,))

    day.ticks(6)

    assert [(hook, argument, view["seq"]) for hook, argument, view in day.strategy.calls] == [
        ("at", "09:30:02", 3)
    ]


@pytest.mark.parametrize(
    ("late_ms", "outcome"),
    [(0, "skipped"), (1, "skipped"), (3000, "skipped"), (3001, "missed")],
)
def test_a_tick_that_comes_later_than_the_threshold_misses_it(late_ms, outcome):
    day = day_with((TEN,))
    day.tick(at_ms=MIDNIGHT_MS + TEN * 1000 - 100)

    day.tick(at_ms=MIDNIGHT_MS + TEN * 1000 + late_ms)

    ((_, found, reason),) = outcomes(day)
    assert found == outcome
    if outcome == "missed":
        assert reason == "no_data: the next fresh tick came 3001 ms late"


def test_a_stale_tick_at_the_time_waits_for_the_next_fresh_one():
    day = day_with((TEN,), {"10:00": [market_action(**SPREAD)]})
    day.tick(at_seconds=TEN - 1)

    day.tick(at_seconds=TEN, lag_ms=4000)
    day.tick(at_seconds=TEN + 1)
    day.tick(at_seconds=TEN + 2)

    assert outcomes(day) == [(1, "filled", "")]


def test_times_before_a_late_start_were_missed_because_nothing_ran():
    day = day_with((TEN, TEN + 60))

    day.tick(at_seconds=TEN + 30)
    day.tick(at_seconds=TEN + 60)

    assert outcomes(day) == [
        (1, "missed", "not_running: the session started later"),
        (2, "skipped", "no_order: the program opened nothing"),
    ]


def test_a_time_at_the_open_is_met_by_a_first_tick_a_second_late():
    day = day_with((OPEN_SECONDS,))

    day.tick(at_seconds=OPEN_SECONDS + 1)

    assert [call[1] for call in day.strategy.calls] == ["09:30"]


def test_an_entry_whose_order_fills_is_filled_and_names_the_order():
    day = day_with((TEN,), {"10:00": [market_action(**SPREAD)]})
    day.tick(at_seconds=TEN - 1)

    day.tick(at_seconds=TEN)
    day.tick(at_seconds=TEN + 1)

    (event,) = day.of("entry_resolved")
    assert (event.outcome, event.order, event.due_ms) == ("filled", 1, MIDNIGHT_MS + TEN * 1000)


def test_an_entry_whose_order_never_fills_is_unfilled_at_the_close():
    day = day_with((TEN,), {"10:00": [open_action(**SPREAD)]})
    day.tick(at_seconds=TEN)

    day.close()

    assert outcomes(day) == [(1, "unfilled", "unfilled at the close")]


def test_an_entry_whose_order_is_canceled_is_unfilled():
    day = day_with((TEN,), {"10:00": [open_action(**SPREAD)]})
    day.tick(at_seconds=TEN)

    day.tick(at_seconds=TEN + 1, requests=["cancel_all"])

    assert outcomes(day) == [(1, "unfilled", "canceled: requested")]


def test_an_entry_whose_order_is_rejected_at_the_fill_is_unfilled():
    day = day_with((TEN,), {"10:00": [market_action(P5950=1, P5945=-1)]}, balance_cents=20_000)
    day.tick(at_seconds=TEN)

    day.tick(at_seconds=TEN + 1, quotes={"P5950": (635, 645)})

    ((_, outcome, reason),) = outcomes(day)
    assert (outcome, reason[:37]) == ("unfilled", "rejected: insufficient_buying_power: ")


def test_a_stop_rejected_at_once_leaves_its_entry_unfilled():
    stop = open_action(-5, order="stop", P5935=-1)
    day = day_with((TEN,), {"10:00": [stop]}, balance_cents=50_000_000)

    day.tick(at_seconds=TEN)

    assert outcomes(day) == [(1, "unfilled", "rejected: the stop would trigger at once")]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ([{"do": "skip", "reason": "vix_max: VIX 31.20 is above 30"}],
         "vix_max: VIX 31.20 is above 30"),
        ([], "no_order: the program opened nothing"),
        ([{"do": "log", "message": "nothing today"}], "no_order: the program opened nothing"),
        ([open_action(contracts=100, **SPREAD)],
         "insufficient_buying_power: the order is $25344.00 over what is available"),
        ([{"do": "open", "legs": []}], "invalid_order: an order has 1 to 8 legs, not 0"),
        (failing("TypeError: no"), "error: TypeError: no"),
    ],
)  # fmt: skip
def test_an_entry_that_opens_nothing_is_skipped_with_its_reason(answer, reason):
    day = day_with((TEN,), {"10:00": answer})

    day.tick(at_seconds=TEN)

    assert outcomes(day) == [(1, "skipped", reason)]


def test_an_entry_stopped_by_a_limit_is_skipped_with_that_limit():
    day = day_with((TEN, TEN + 1), {"10:00": [market_action(**SPREAD)],
                                    "10:00:01": [market_action(**SPREAD)]},
                   max_open_positions=1)  # fmt: skip

    day.tick(at_seconds=TEN)
    day.tick(at_seconds=TEN + 1)

    assert outcomes(day)[1][1:] == (
        "skipped", "max_open_positions: 1 trades are open or being opened",
    )  # fmt: skip


def test_the_first_order_of_a_call_is_the_entrys_and_the_rest_are_just_orders():
    day = day_with((TEN,), {"10:00": [market_action(**SPREAD), open_action(**SPREAD)]})
    day.tick(at_seconds=TEN)

    day.tick(at_seconds=TEN + 1)
    day.close()

    assert [(event.outcome, event.order) for event in day.of("entry_resolved")] == [("filled", 1)]


def test_entries_of_a_halted_session_are_blocked():
    day = day_with((TEN, TEN + 600), {"10:00": [market_action(contracts=10, **SPREAD)]},
                   max_daily_loss_e4=50)  # fmt: skip
    for second in range(4):
        day.tick(at_seconds=TEN + second)

    (_, second_outcome) = outcomes(day)
    assert second_outcome[1] == "blocked"
    assert second_outcome[2].startswith("halted: daily_loss_cap: drawdown")


def test_entries_due_while_it_cannot_get_flat_are_blocked_at_the_close():
    day = day_with((TEN, TEN + 600), {"10:00": [market_action(contracts=10, **SPREAD)]},
                   max_daily_loss_e4=50)  # fmt: skip
    for second in range(2):
        day.tick(at_seconds=TEN + second)

    day.tick(at_seconds=TEN + 600, quotes={"P5945": (MISSING, MISSING)})
    day.close(quotes={"P5945": (MISSING, MISSING)})

    assert [row[1] for row in outcomes(day)] == ["filled", "blocked"]


@pytest.mark.parametrize("request_name", ["kill", "kill_flat"])
def test_entries_of_a_killed_session_were_missed(request_name):
    day = day_with((TEN,))
    day.tick()

    day.tick(requests=[request_name])

    ((_, outcome, reason),) = outcomes(day)
    assert (outcome, reason[:28]) == ("missed", "not_running: requested: stop")


def test_a_session_killed_before_it_ran_still_accounts_for_its_entries():
    day = day_with((TEN,))

    events = day.tick(at_seconds=OPEN_SECONDS - 5, requests=["kill"])

    assert kinds(events) == ["entry_planned", "entry_resolved", "ended", "finalized"]


def test_times_after_an_early_close_were_missed():
    day = day_with((CLOSE_SECONDS - 60,))
    day.tick()

    day.close()

    assert outcomes(day) == [(1, "missed", "not_running: the market closed before it was due")]


def test_several_times_due_on_one_tick_are_called_in_their_order():
    day = day_with((TEN, TEN + 1, TEN + 2))
    day.tick(at_seconds=TEN - 1)

    day.tick(at_seconds=TEN + 2)

    assert [call[1] for call in day.strategy.calls] == ["10:00", "10:00:01", "10:00:02"]
