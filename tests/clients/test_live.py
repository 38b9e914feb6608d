"""The clients and the command line over one short day of the live processes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.clients.alice import TAPE, Alice, Day
from tests.clients.generated import use_a_generated_client
from tests.flows.stack import Stack
from zerohour_client import Conflict, Forbidden, models
from zerohour_client._shapes import encode

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

SPEED = 40
LEAD_SECONDS = 16  # to make bots, and to begin to follow
NAMES = ["generated", "by hand", "by client", "by itself"]  # the newest first


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    folder = tmp_path_factory.mktemp("clients")
    options = f"--lead-seconds {LEAD_SECONDS}"
    with (
        Stack(tape=TAPE.write(folder), speed=SPEED, market_options=options) as stack,
        ExitStack() as leaving,
    ):
        alice = Alice(stack, folder, leaving)
        alice.make_bots()
        alice.trade()
        alice.day.seen["generated"] = use_a_generated_client(
            stack, folder, str(alice.strategy.id), str(alice.client.token)
        )
        alice.read()
        alice.put_away()
        alice.day.seen["alice"] = alice
        yield alice.day


def of_kind(events, kind):
    return [event.data for event in events if isinstance(event.data, kind)]


def with_ids(events):
    """Without the status of the moment, which every connection begins with."""
    return [(each.id, each.event) for each in events if not isinstance(each.data, models.Session)]


def test_a_day_runs_from_sign_in_to_settlement(day):
    session, bot, summary = (day.seen[name] for name in ("session", "bot", "summary"))

    assert (session.status, session.is_settled) == ("completed", True)
    assert session.fill_count == session.order_count == 3
    assert bot.bot.cash_balance == Decimal(25000) + session.total_pl == session.final_nlv
    assert (summary.total_sessions, summary.total_pl) == (1, session.total_pl)
    assert bot.sessions == (session,)


def test_a_create_with_a_key_is_one_bot(day):
    alice = day.seen["alice"]

    assert alice.again == alice.bot


def test_the_reads_agree_with_each_other(day):
    session, reads = day.seen["session"], day.seen["reads"]

    assert [order.status for order in reads["orders"]] == ["filled"] * 3
    assert sum(order.fees for order in reads["orders"]) == session.total_fees
    assert len(reads["transactions"]) == 8  # six legs, and two that expire
    assert {position.direction for position in reads["positions"]} == {"zero"}
    assert [entry.outcome for entry in reads["entries"]] == ["filled"] * 2
    assert reads["financials"][-1].fees == session.total_fees
    steps = {
        later.datetime - earlier.datetime
        for earlier, later in zip(reads["financials"], reads["financials"][1:], strict=False)
    }
    assert steps == {timedelta(seconds=1)}


def test_both_clients_read_the_same_whatever_the_pages(day):
    assert day.seen["async reads"] == day.seen["reads"]


def test_the_market_can_be_read(day):
    assert len(day.seen["chain"].chain) == 14
    assert {row.spx for row in day.seen["history"]} == {Decimal("5950")}
    assert {row.vix for row in day.seen["history"]} == {None}


def test_a_stream_tells_the_whole_session_once(day):
    events, reads = day.seen["direct"], day.seen["reads"]
    ids = [each_id for each_id, _ in with_ids(events)]

    assert of_kind(events, models.Financial) == reads["financials"]
    assert of_kind(events, models.Decision) == reads["log"]
    assert {each.id for each in of_kind(events, models.Transaction)} <= {
        each.id for each in reads["transactions"]
    }
    assert of_kind(events, models.Order)[-1].status == "filled"
    assert len(ids) == len(set(ids))
    assert of_kind(events, models.Session)[-1] == day.seen["session"]


def test_the_asynchronous_stream_is_the_same(day):
    assert with_ids(day.seen["async"]) == with_ids(day.seen["direct"])


def test_a_stream_that_is_cut_again_and_again_has_no_gap_and_no_repeat(day):
    events, cuts = day.seen["cut"]

    assert cuts > 3
    assert with_ids(events) == with_ids(day.seen["direct"])


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("monitor", Forbidden, "insufficient_scope"),
        ("second start", Conflict, "bot_not_idle"),
        ("delete", Conflict, "bot_has_active_session"),
    ],
)
def test_a_refusal_is_an_error_of_its_kind(day, name, kind, code):
    assert isinstance(day.seen[name], kind)
    assert day.seen[name].code == code


def test_a_client_generated_from_the_document_works(day):
    generated = day.seen["generated"]

    assert generated["made"].name == "generated"
    assert generated["refused"].error == "name_taken"
    assert [bot.name for bot in generated["listed"]] == NAMES


def test_the_programs_of_the_readme_run(day):
    from_nothing, live, asynchronous = day.seen["readme"]

    assert from_nothing == "From a template 25000 0.10\n"
    assert live.startswith("outside_rth ")
    assert asynchronous.splitlines()[0] == "From a template 0 None"


# The command line -------------------------------------------------------------------------------


def test_every_command_of_the_day_succeeds(day):
    refused = {"refused start": 5, "logged out": 3}

    assert {name: said.status for name, said in day.said.items()} == {
        name: refused.get(name, 0) for name in day.said
    }


@pytest.mark.parametrize(
    "name",
    ["orders", "positions", "transactions", "log", "events", "entries", "financials"],
)
def test_json_on_the_command_line_is_what_the_api_says(day, name):
    assert day.said[name].json == encode(day.seen["reads"][name])


def test_csv_on_the_command_line_is_what_the_api_says(day):
    assert day.said["csv"].out.splitlines() == day.seen["csv"].splitlines()
    assert day.said["csv"].out.startswith("datetime,net_liquidation_value,")


def test_a_bot_made_on_the_command_line_has_what_was_asked_for(day):
    bot = day.seen["alice"].by_hand

    assert bot.starting_capital == 30_000
    assert bot.max_daily_loss_pct == Decimal("0.1")
    assert bot.reprice.opening.max_concession == Decimal("0.10")
    assert bot.reprice.closing.nudge_after_seconds == 15
    assert str(bot.id) in day.said["create"].out


def test_following_in_json_is_one_event_a_line_until_the_session_ends(day):
    events = [json.loads(line) for line in day.said["json"].out.splitlines()]

    assert "completed" in [each["data"].get("status") for each in events]
    seconds = [each["data"]["datetime"] for each in events if each["event"] == "financial"]
    assert seconds == sorted(set(seconds))


def test_following_in_a_pipe_is_one_line_for_each_thing_that_happens(day):
    lines = day.said["lines"].out.splitlines()

    assert any("entry filled at 1.95 (sell 1 5945 put, buy 1 5920 put)" in line for line in lines)
    assert any(line.endswith("  completed") for line in lines)
    assert any(line.startswith("P&L") for line in lines)


def test_following_on_a_terminal_is_a_live_picture_that_ends_with_the_session(day):
    drawn, status = day.seen["screen"]

    assert status == 0
    for part in ("running", "NLV", "holds", "5945 put", "entry filled", "completed"):
        assert part in drawn


def test_a_refusal_on_the_command_line_is_one_sentence(day):
    said = day.said["refused start"]

    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert "Traceback" not in said.err


def test_after_signing_out_one_is_told_how_to_sign_in(day):
    assert "zerohour login" in day.said["logged out"].err


def test_the_token_of_a_login_is_kept_for_its_owner_alone(day):
    file = day.seen["alice"].shell.tokens

    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert json.loads(file.read_text()) == {}
