"""Whole days of several bots on the live processes, to the cent.

The chain is that of tests/flows/tapes.py. Fees: 1.72 a leg to open, 0.72 to close, 5.00 for a leg
that settles in the money. A market order placed at a second fills one second later at the natural
price; a limit at the mid of 2.50 is re-priced to 2.45 after 20 flat seconds and fills one second
after that at the mid less 0.05 of slippage, 2.45.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.api import Api, Ran, wait_until
from tests.flows.forms import put_spread
from tests.flows.stack import Stack
from tests.flows.tapes import DAY, NEXT_DAY, HandTape

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]
ALICE = "alice@example.com"
SPEED = 30
LEAD = "--lead-seconds 20"  # to make the bots in, before the open
NO_LEAD = "--lead-seconds 1"

FIRST_TAPE = HandTape(
    DAY,
    first="15:50:00",
    settlement="5950.00",
    # The put spread 5945/5920 has a mid of 2.50, then 1.80, 2.50, 3.70 and 2.50 again.
    puts_up_cents={"15:54:30": -70, "15:55:00": 0, "15:56:00": 120, "15:56:30": 0},
    wider_cents={"15:56:00": 20, "15:56:30": 0},
    silences=[("15:57:00", "15:57:10")],
)
SECOND_TAPE = HandTape(
    NEXT_DAY,
    first="15:55:00",
    settlement=None,
    spot={"15:56:00": "5960.00", "15:59:30": "5970.00"},
)
OPENS_THEN_RAISES = """\
times = ["15:53", "15:54", "15:54:10"]


def at(ctx, time):
    if time == "15:53":
        legs = [sell("put", points_otm=5), buy("put", offset=-25, leg=0)]
        return ctx.open(legs, order="market")
    raise ValueError(f"nothing to do at {time}")
"""
RAISING_LINE = 8
SCHEDULED = {"schedule": {"auto_start": True}}
TWO_DAYS = ("15:53:00", "15:58:00")
RAN_TWICE = ("quiet", "patient", "winner", "loser", "pausing", "stubborn", "assigned")


def make_bots(api: Api) -> dict[str, str]:
    """Name to id. All but "assigned" and "killed" start by their schedule."""
    loser = put_spread("15:55:30", order="market")
    winner = put_spread("15:53:00", order="market", leave={"profit_target_pct": 20})
    wants_more = put_spread("15:53:00", filters={"min_credit": "3.00"})
    raises = {"program": OPENS_THEN_RAISES}
    once = {"max_entries": 1}
    assigned = put_spread(*TWO_DAYS, points_otm=-5, order="market", **once)
    return {
        "quiet": api.make_bot("quiet", wants_more, **SCHEDULED),
        "patient": api.make_bot("patient", put_spread(*TWO_DAYS, **once), **SCHEDULED),
        "winner": api.make_bot("winner", winner, **SCHEDULED),
        "loser": api.make_bot("loser", loser, max_daily_loss_pct="0.0050", **SCHEDULED),
        "pausing": api.make_bot("pausing", raises, error_budget=0, **SCHEDULED),
        "stubborn": api.make_bot(
            "stubborn", raises, error_budget=0, auto_pause_on_error=False, **SCHEDULED
        ),
        "assigned": api.make_bot("assigned", assigned),
        "killed": api.make_bot("killed", put_spread("15:53:00")),
    }


@pytest.fixture(scope="module")
def first_day(folder: Path) -> dict[str, Ran]:
    """What became of each bot; "killed before the close" is what "killed" was until then."""
    tape = FIRST_TAPE.write(folder)
    with Stack(tape=tape, speed=SPEED, data=folder / "data", market_options=LEAD) as stack:
        api = Api.signed_up(stack, ALICE)
        bots = make_bots(api)
        assert not api.has_opened(), "the bots came too late; give the market a longer lead"
        api.wait_for_the_open()
        for name in ("assigned", "killed"):
            api.post(f"/bots/{bots[name]}/sessions")
        api.wait_for_tick(bots["patient"], DAY, 1)  # its policy is frozen now
        unlike_today = {"reprice": {"opening": {"enabled": False}}, "max_daily_loss_pct": "0.0300"}
        api.patch(f"/bots/{bots['patient']}", unlike_today)
        stopped = kill_once_filled(api, bots["killed"])
        days = {name: api.settled(bot_id, DAY) for name, bot_id in bots.items()}
        return {**days, "killed before the close": stopped}


def kill_once_filled(api: Api, bot_id: str) -> Ran:
    session = api.session(bot_id, DAY)
    assert session is not None
    below = f"/bots/{bot_id}/sessions/{session['session_id']}"
    wait_until(lambda: api.get(f"{below}/orders?status=filled"), "the order fills")
    asked = api.delete(below)
    assert asked["status"] == "killing"
    wait_until(lambda: api.get(below)["status"] == "killed", "the session is killed")
    return api.read(bot_id, session["session_id"])


@pytest.fixture(scope="module")
def second_day(folder: Path, first_day: dict[str, Ran]) -> Iterator[tuple[Api, dict[str, Ran]]]:
    """The same installation a day later, on the next tape."""
    tape = SECOND_TAPE.write(folder)
    with Stack(tape=tape, speed=SPEED, data=folder / "data", market_options=NO_LEAD) as stack:
        api = Api.signed_in(stack, ALICE)
        bots = {name: first_day[name].bot["id"] for name in RAN_TWICE}
        api.wait_for_the_open()
        api.post(f"/bots/{bots['assigned']}/sessions")
        yield api, {name: api.settled(bot_id, NEXT_DAY) for name, bot_id in bots.items()}


def result(ran: Ran) -> tuple[str, str, str]:
    return ran.session["status"], ran.session["total_pl"], ran.session["total_fees"]


def kinds(ran: Ran) -> list[str]:
    return [row["type"] for row in ran.transactions]


def test_a_filter_that_says_no_makes_a_quiet_day(first_day):
    ran = first_day["quiet"]

    assert result(ran) == ("completed", "0", "0")
    assert (ran.orders, ran.transactions, ran.positions) == ([], [], [])
    assert ran.outcomes == ["skipped"]
    assert ran.entries[0]["reason"] == "min_credit: the credit 2.50 is below 3.00"
    assert ran.bot["cash_balance"] == "25000"


def test_a_schedule_and_a_request_start_a_session_differently(first_day):
    live = ["registering", "waiting_for_data", "running", "settling", "completed"]

    assert first_day["quiet"].statuses == ["scheduled", *live]
    assert first_day["assigned"].statuses == live
    # The tape has a tick for each of its 601 seconds, but for the nine of the silence.
    assert first_day["quiet"].session["tick_count"] == len(first_day["quiet"].financials) == 592
    assert first_day["assigned"].session["tick_count"] <= 592


def test_an_entry_at_the_mid_fills_by_conceding_one_tick(first_day):
    ran = first_day["patient"]

    [order] = ran.orders
    [repriced] = ran.events_of("repriced")
    assert order["placed_at"] == "2026-05-07T19:53:00.000Z"
    assert order["fill_datetime"] == "2026-05-07T19:53:21.000Z"
    assert (order["intended_price"], order["concession"], order["replace_count"]) == (
        "2.50",
        "0.05",
        1,
    )
    assert (order["price"], order["price_effect"], order["fill_price"]) == (
        "2.45",
        "credit",
        "2.45",
    )
    assert (repriced["rule"], repriced["old_cents"], repriced["new_cents"]) == ("nudge", -250, -245)
    # 245.00 - 2 × 1.72; the index closes at 5950, above both strikes.
    assert result(ran) == ("completed", "241.56", "3.44")
    assert kinds(ran) == ["sell to open", "buy to open", "expiration", "expiration"]


def test_a_profit_target_closes_by_the_relentless_walk(first_day):
    ran = first_day["winner"]

    opening, closing = ran.orders
    assert (opening["fill_price"], closing["fill_price"]) == ("2.40", "1.85")
    # The mid of 1.80 is 25 % below the 2.40 received: more than the target of 20 %. The exit starts
    # at the mid, concedes a tick after 15 s and fills a second later.
    assert closing["intended_price"] == "1.80"
    assert (closing["placed_at"][11:19], closing["fill_datetime"][11:19]) == (
        "19:54:30",
        "19:54:46",
    )
    # 240.00 - 185.00 - 2 × 1.72 - 2 × 0.72
    assert result(ran) == ("completed", "50.12", "4.88")
    assert ran.events_of("exit_triggered")[0]["rule"] == "profit_target"


def test_the_daily_loss_cap_flattens_and_halts(first_day):
    ran = first_day["loser"]

    # Sold at 2.40; at 15:56:00 the mid is 3.70: (3.70 - 2.40) × 100 + 3.44 = 133.44 of 25,000.
    assert ran.session["status_reason"] == (
        "daily_loss_cap: drawdown 0.53 % reached the cap of 0.50 %"
    )
    closing = ran.orders[-1]
    # Closed at the natural price of the wide market: 4.50 - 0.30.
    assert (closing["type"], closing["fill_price"], closing["fill_datetime"][11:19]) == (
        "market",
        "4.20",
        "19:56:01",
    )
    # 240.00 - 420.00 - 3.44 - 1.44
    assert result(ran) == ("halted", "-184.88", "4.88")
    assert ran.session["settled_at"] == "2026-05-07T19:56:01.000Z"
    assert [row["quantity"] for row in ran.positions] == ["0", "0"]
    # The mid came back to 2.50 half a minute later; the halt is latched.
    assert ran.bot["runtime_status"] == "halted"
    assert ran.bot["cash_balance"] == "24815.12"


def test_ten_seconds_of_silence_are_one_error(first_day):
    ran = first_day["quiet"]

    [started] = ran.events_of("stale_started")
    [ended] = ran.events_of("stale_ended")
    [counted] = ran.events_of("error_counted")
    assert ran.session["error_count"] == 1
    assert (started["reason"], counted["source"]) == ("silence", "stale")
    # Stale from the threshold of 3 s on: 15:57:03 to 15:57:10.
    assert ended["lasted_ms"] == 7000


def test_a_spent_error_budget_flattens_and_halts(first_day):
    ran = first_day["pausing"]

    assert ran.session["status_reason"] == "error_budget: 1 errors, the budget is 0"
    [error] = ran.events_of("error_counted")
    assert (error["source"], error["line"]) == ("strategy", RAISING_LINE)
    assert "nothing to do at 15:54" in error["message"]
    # In at 2.40, out a second after the error at 3.10 - 0.50: 240.00 - 260.00 - 3.44 - 1.44.
    assert ran.orders[-1]["fill_datetime"] == "2026-05-07T19:54:01.000Z"
    assert result(ran) == ("halted", "-24.88", "4.88")
    assert ran.outcomes == ["filled", "skipped", "blocked"]


def test_without_auto_pause_a_spent_budget_is_said_once_and_the_day_goes_on(first_day):
    ran = first_day["stubborn"]

    # Two exceptions and the silence.
    assert ran.session["error_count"] == 3
    assert len(ran.events_of("budget_exceeded")) == 1
    # 240.00 - 3.44, both puts expire.
    assert result(ran) == ("completed", "236.56", "3.44")


def test_a_leg_in_the_money_is_assigned_for_the_fee_of_five(first_day):
    ran = first_day["assigned"]

    assert kinds(ran) == ["sell to open", "buy to open", "assignment", "expiration"]
    [assignment] = [row for row in ran.transactions if row["type"] == "assignment"]
    assert assignment["instrument"] == "SPXW  260507P05955000"
    assert (assignment["value"], assignment["effect"], assignment["fees"]) == ("500", "debit", "5")
    # 240.00 - (5955 - 5950) × 100 - 3.44 - 5.00
    assert result(ran) == ("completed", "-268.44", "8.44")


def test_a_killed_session_is_marked_until_the_close_and_settled_then(first_day):
    before, after = first_day["killed before the close"], first_day["killed"]

    assert before.session["status"] == "killed"
    assert before.session["ended_at"] is not None
    assert [before.session[name] for name in ("settled_at", "total_pl", "final_nlv")] == [None] * 3
    assert before.bot["cash_balance"] == "25000"
    assert {row["direction"] for row in before.positions} == {"long", "short"}
    # 245.00 - 3.44
    assert result(after) == ("killed", "241.56", "3.44")
    assert after.session["settled_at"] == "2026-05-07T20:00:00.000Z"
    assert after.bot["cash_balance"] == "25241.56"
    assert {row["direction"] for row in after.positions} == {"zero"}
    assert after.financials[-1]["datetime"] == "2026-05-07T20:00:00.000Z"


def test_every_second_the_books_agree(first_day):
    for name, ran in first_day.items():
        for row in ran.financials:
            cents = {key: dollars_to_cents(row[key]) for key in row if key != "datetime"}
            parts = cents["realized_profit_loss"] + cents["unrealized_profit_loss"] - cents["fees"]
            assert cents["profit_loss"] == parts, (name, row)
            assert cents["net_liquidation_value"] == 25_000_00 + parts, (name, row)


def dollars_to_cents(text: str) -> int:
    whole, _, rest = text.lstrip("-").partition(".")
    cents = int(whole) * 100 + int(rest or "0")
    return -cents if text.startswith("-") else cents


def test_the_balance_is_carried_into_the_next_day(first_day, second_day):
    _, second = second_day

    for name in RAN_TWICE:
        assert second[name].session["opening_balance"] == first_day[name].bot["cash_balance"], name
    # A halt is over with its day. 25,000 - 184.88 + 240.00 - 3.44: both puts expire.
    assert second["loser"].session["opening_balance"] == "24815.12"
    assert result(second["loser"]) == ("completed", "236.56", "3.44")
    assert second["loser"].bot["cash_balance"] == "25051.68"


def test_a_policy_edited_while_running_is_the_next_sessions(first_day, second_day):
    _, second = second_day
    before, after = first_day["patient"], second["patient"]

    assert before.session["policy"]["max_daily_loss_pct"] == "0.0500"
    assert before.session["policy"]["reprice"]["opening"]["enabled"] is True
    assert before.bot["max_daily_loss_pct"] == "0.0300"
    assert after.session["policy"]["max_daily_loss_pct"] == "0.0300"
    assert after.session["policy"]["reprice"]["opening"]["enabled"] is False
    # Without re-pricing the order rests at the mid and expires there.
    [order] = after.orders
    assert (order["status"], order["price"], order["replace_count"]) == ("expired", "2.50", 0)
    assert after.outcomes == ["missed", "unfilled"]
    assert after.bot["cash_balance"] == "25241.56"


def test_two_days_are_summed_up(second_day):
    api, second = second_day
    ran = second["assigned"]

    # At 5960 the strategy sells 5965/5940 for 2.40; the tape has no official close, so its last
    # spot of 5970 counts and both expire: 240.00 - 3.44. 25,000 - 268.44 + 236.56 = 24,968.12.
    assert result(ran) == ("completed", "236.56", "3.44")
    assert {row["instrument"] for row in ran.positions} == {
        "SPXW  260508P05965000",
        "SPXW  260508P05940000",
    }
    assert api.get(f"/bots/{ran.bot['id']}/summary") == {
        "total_sessions": 2,
        "win_count": 1,
        "loss_count": 1,
        "win_rate_pct": "50.00",
        "total_pl": "-31.88",
        "best_day": {"date": "2026-05-08", "total_pl": "236.56"},
        "worst_day": {"date": "2026-05-07", "total_pl": "-268.44"},
        "average_day_pl": "-15.94",
        "sparkline": [
            {
                "date": "2026-05-07",
                "total_pl": "-268.44",
                "cumulative_pl": "-268.44",
                "closing_balance": "24731.56",
            },
            {
                "date": "2026-05-08",
                "total_pl": "236.56",
                "cumulative_pl": "-31.88",
                "closing_balance": "24968.12",
            },
        ],
    }
