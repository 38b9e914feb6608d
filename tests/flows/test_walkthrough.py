"""The walk-through of docs/walkthrough.md, command by command, against the live processes.

The tape has three stretches with holes between them, which the market crosses in a second: at 10:00
the strategy's first entry fills; after 12:30 the mid runs away from the second, which rests at its
cap; at 14:30 the second bot's entry fills.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.flows import contract
from tests.flows.api import PASSWORD, Api, wait_until
from tests.flows.contract import mismatches
from tests.flows.page import Answer, Page, StreamEvent, blocks, stream_events
from tests.flows.stack import Stack
from tests.flows.tapes import DAY, HandTape

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]
TAPE = HandTape(
    DAY,
    first="09:55:00",
    silences=[("10:02:00", "12:29:30"), ("12:42:00", "14:29:00"), ("14:31:00", "16:00:00")],
    # The mid of 2.50 falls to 2.00 five seconds after the second entry.
    puts_up_cents={"12:30:05": -50, "14:29:00": 0},
)


@dataclass
class Walk:
    """What came back, by the name of the command; what is not on the page has a longer name."""

    answers: dict[str, Answer] = field(default_factory=dict)
    others: dict[str, tuple[int, Any]] = field(default_factory=dict)
    streamed: list[StreamEvent] = field(default_factory=list)
    resumed_after: tuple[int, int] = (0, 0)
    resumed: list[StreamEvent] = field(default_factory=list)

    def body(self, name: str) -> Any:
        return self.answers[name].body


class Walker:
    """Goes the page's way, keeping what it sees."""

    def __init__(self, page: Page, api: Api) -> None:
        self.page = page
        self.api = api
        self.walk = Walk()

    def do(self, *names: str) -> None:
        for name in names:
            assert name not in self.walk.answers
            self.walk.answers[name] = self.page.run(name)

    def also(self, what: str, method: str, path: str) -> None:
        """A call that the page talks about without showing it."""
        self.walk.others[what] = self.api.call(method, path)

    def make_bots(self) -> None:
        self.do("log-in", "save-strategy", "create-bot", "rename-bot", "create-second-bot")
        self.do("list-bots", "list-bots-of-strategy", "get-bot")
        self.also("bots of an unknown strategy", "GET", f"/bots?strategy_id={uuid.uuid4()}")
        self.also("start before the open", "POST", f"{self.bot}/sessions")

    def trade(self) -> None:
        self.api.wait_for_the_open()
        self.do("start-session")
        wait_until(lambda: self.orders("filled"), "the first entry fills")
        wait_until(lambda: self.orders("pending"), "the second entry is placed")
        self.do("read-session", "read-orders", "read-positions", "read-transactions")
        self.do("read-financials", "read-decision-log")

    def change_mind(self) -> None:
        with self.page.stream("stream") as output:
            wait_until(lambda: len(stream_events(output)) > 20, "the stream says something")
            self.do("cancel-all")
            wait_until(lambda: self.orders("canceled"), "the order is canceled")
            wait_until(
                lambda: any(each.event == "order" for each in stream_events(output)),
                "the stream tells of the order",
            )
        self.walk.others["after cancel-all"] = self.api.call("GET", self.session)
        self.walk.streamed = stream_events(output)
        self.resume_and_stop()

    def resume_and_stop(self) -> None:
        ids = [each.id for each in self.walk.streamed if each.id]
        self.walk.resumed_after = last = ids[len(ids) // 2]
        self.page.set("LAST", f"{last[0]}.{last[1]}")
        with self.page.stream("resume-stream") as output:
            wait_until(
                lambda: ids[-1] in [each.id for each in stream_events(output)], "it catches up"
            )
            self.do("tighten")
            self.also("delete while running", "DELETE", self.bot)
            self.also("policy while running", "GET", self.session)
            self.do("stop")
            wait_until(
                lambda: "killed" in [each.data.get("status") for each in stream_events(output)],
                "the stream tells of the end",
            )
        self.walk.resumed = stream_events(output)
        self.also("stop again", "DELETE", self.session)
        self.also("cancel after the end", "POST", f"{self.session}/cancel-all-orders")

    def let_one_finish(self) -> None:
        self.do("start-second")
        self.walk.answers["start-second again"] = self.page.run("start-second")
        self.also("start while running", "POST", f"{self.second}/sessions")
        self.api.settled(self.page.get("SECOND"), DAY)
        self.api.settled(self.page.get("BOT"), DAY)
        self.do("list-sessions", "summary")
        self.also("start after the close", "POST", f"{self.second}/sessions")

    def put_away(self) -> None:
        self.do("archive")
        self.also("start an archived bot", "POST", f"{self.second}/sessions")
        self.do("delete")
        self.also("get the deleted bot", "GET", self.bot)
        self.do("log-out")
        self.walk.answers["list-bots logged out"] = self.page.run("list-bots")

    def orders(self, status: str) -> list[dict[str, Any]]:
        return list(self.api.get(f"{self.session}/orders?status={status}"))

    @property
    def bot(self) -> str:
        return f"/bots/{self.page.get('BOT')}"

    @property
    def second(self) -> str:
        return f"/bots/{self.page.get('SECOND')}"

    @property
    def session(self) -> str:
        return f"{self.bot}/sessions/{self.page.get('SID')}"


@pytest.fixture(scope="module")
def walk(folder: Path) -> Iterator[Walk]:
    tape = TAPE.write(folder)
    with Stack(tape=tape, speed=30, market_options="--lead-seconds 20") as stack:
        api = Api.signed_up(stack, "alice@example.com")
        walker = Walker(Page(stack.base_url, folder), api)
        walker.make_bots()
        walker.trade()
        walker.change_mind()
        walker.let_one_finish()
        walker.put_away()
        yield walker.walk


SHAPES: dict[str, tuple[int, Any]] = {
    "log-in": (201, contract.TOKEN),
    "save-strategy": (201, contract.STRATEGY),
    "create-bot": (201, contract.BOT),
    "rename-bot": (200, contract.BOT),
    "create-second-bot": (201, contract.BOT),
    "list-bots": (200, [contract.BOT]),
    "list-bots-of-strategy": (200, [contract.BOT]),
    "get-bot": (200, {"bot": contract.BOT, "sessions": [contract.SESSION]}),
    "start-session": (201, contract.SESSION),
    "read-session": (200, contract.SESSION),
    "read-orders": (200, [contract.ORDER]),
    "read-positions": (200, [contract.POSITION]),
    "read-transactions": (200, [contract.TRANSACTION]),
    "read-financials": (200, [contract.FINANCIAL]),
    "read-decision-log": (200, [contract.DECISION]),
    "cancel-all": (202, contract.SESSION),
    "tighten": (200, {**contract.BOT, "active_session": contract.SESSION}),
    "stop": (202, contract.SESSION),
    "start-second": (201, contract.SESSION),
    "list-sessions": (200, [contract.SETTLED_SESSION]),
    "summary": (200, contract.SUMMARY),
    "archive": (200, {**contract.BOT, "last_session": contract.SETTLED_SESSION}),
}
WITHOUT_A_BODY = {"delete": 204, "log-out": 204}
STREAMS = {"stream", "resume-stream"}


@pytest.mark.parametrize("name", SHAPES)
def test_every_answer_has_the_shape_of_the_contract(walk, name):
    status, shape = SHAPES[name]

    assert walk.answers[name].status == status
    assert walk.answers[name].headers["content-type"] == "application/json"
    assert mismatches(walk.body(name), shape) == []


def test_no_command_of_the_page_is_left_out(walk):
    assert set(blocks()) == set(SHAPES) | set(WITHOUT_A_BODY) | STREAMS
    for name, status in WITHOUT_A_BODY.items():
        assert (walk.answers[name].status, walk.body(name)) == (status, None)


REFUSALS = {
    "start before the open": (422, "outside_rth"),
    "delete while running": (409, "bot_has_active_session"),
    "stop again": (409, "session_terminal"),
    "cancel after the end": (409, "session_terminal"),
    "start while running": (409, "bot_not_idle"),
    "start after the close": (409, "bot_session_exists"),
    "start an archived bot": (409, "bot_not_idle"),
    "get the deleted bot": (404, "not_found"),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_every_refusal_says_which_and_why(walk, what):
    status, body = walk.others[what]

    assert (status, body["error"]) == REFUSALS[what]
    assert mismatches(body, contract.ERROR) == []


def test_a_revoked_token_opens_nothing(walk):
    answer = walk.answers["list-bots logged out"]

    assert (answer.status, answer.body["error"]) == (401, "unauthorized")


def test_a_bot_is_found_by_its_strategy_and_by_no_other(walk):
    strategy_id = walk.body("save-strategy")["id"]

    assert [bot["name"] for bot in walk.body("list-bots-of-strategy")] == [
        "Delta-30 put spread",
        "Delta-30 — v2",
    ]
    assert {bot["strategy_id"] for bot in walk.body("list-bots")} == {strategy_id}
    assert walk.others["bots of an unknown strategy"] == (200, [])


def test_a_new_bot_has_what_was_sent_and_the_defaults_for_the_rest(walk):
    first, second = walk.body("create-bot"), walk.body("create-second-bot")

    assert (first["max_daily_loss_pct"], first["max_open_positions"]) == ("0.0200", 4)
    assert (first["runtime_status"], first["cash_balance"]) == ("idle", "25000")
    assert (first["active_session"], first["last_session"]) == (None, None)
    assert first["reprice"]["opening"]["max_concession"] == "0.20"
    assert second["reprice"]["opening"] == {
        "enabled": True,
        "nudge_after_seconds": 20,
        "min_interval_seconds": 4,
        "flat_tolerance_ticks": 1,
        "max_concession": "0.10",
    }
    assert (second["max_daily_loss_pct"], second["error_budget"]) == ("0.0500", 5)


def test_while_it_runs_the_books_are_open(walk):
    session = walk.body("read-session")
    filled, pending = walk.body("read-orders")

    assert (session["status"], session["date"]) == ("running", str(DAY))
    assert [session[name] for name in contract.ROLL_UP] == [None] * len(contract.ROLL_UP)
    assert (filled["status"], filled["fill_price"], filled["concession"]) == (
        "filled",
        "2.45",
        "0.05",
    )
    assert filled["transactions"] == walk.body("read-transactions")
    assert pending["status"] == "pending"
    assert {row["instrument"][12:]: row["direction"] for row in walk.body("read-positions")} == {
        "P05945000": "short",
        "P05920000": "long",
    }


def test_the_line_has_one_row_a_tick(walk):
    rows = walk.body("read-financials")
    times = [row["datetime"] for row in rows]

    assert times == sorted(set(times))
    assert rows[0]["net_liquidation_value"] == "25000"
    assert len(rows) >= walk.body("read-session")["tick_count"]


def test_the_decision_log_is_in_emission_order(walk):
    rows = walk.body("read-decision-log")

    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    assert [row["message"] for row in rows] == ["entry 10:00", "entry 12:30"]


def test_cancel_all_cancels_and_the_session_goes_on(walk):
    status, session = walk.others["after cancel-all"]
    orders = [each.data for each in walk.streamed if each.event == "order"]

    assert (status, session["status"]) == (200, "running")
    assert orders[-1]["status"] == "canceled"


def test_an_edit_while_running_leaves_the_session_alone(walk):
    _, session = walk.others["policy while running"]

    assert walk.body("tighten")["max_daily_loss_pct"] == "0.0150"
    assert session["policy"]["max_daily_loss_pct"] == "0.0200"


def test_the_stream_has_an_id_for_everything_that_happens(walk):
    events = walk.streamed
    ids = [each.id for each in events if each.id]

    # What the session is at the moment of connecting belongs to no tick.
    assert [each.event for each in events if each.id is None] == ["status"]
    assert {"financial", "order", "status"} <= {each.event for each in events}
    assert ids == sorted(set(ids))
    financial = [each for each in events if each.event == "financial"]
    assert mismatches([each.data for each in financial], [contract.FINANCIAL]) == []
    orders = [each.data for each in events if each.event == "order"]
    assert mismatches(orders, [contract.ORDER]) == []
    seqs = [each.id[0] for each in financial]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))


def test_a_stream_that_comes_back_misses_nothing_and_repeats_nothing(walk):
    seen = [(each.id, each.event) for each in walk.streamed if each.id]
    missed = [each for each in seen if each[0] > walk.resumed_after]
    again = [(each.id, each.event) for each in walk.resumed if each.id]

    assert missed
    assert again[: len(missed)] == missed
    assert [each[0] for each in again] == sorted({each[0] for each in again})
    assert [each.data["status"] for each in walk.resumed if each.event == "status" and each.id] == [
        "killing",
        "killed",
    ]


def test_a_start_is_idempotent(walk):
    first, again = walk.answers["start-second"], walk.answers["start-second again"]

    assert (again.status, again.body) == (201, first.body)
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"


def test_the_one_that_finished_is_summed_up(walk):
    [session] = walk.body("list-sessions")
    summary, bot = walk.body("summary"), walk.body("archive")

    # Sold at 2.45 at 14:30:21; the index closes at 5950 and both puts expire: 245.00 - 2 × 1.72.
    assert (session["status"], session["total_pl"]) == ("completed", "241.56")
    assert (session["order_count"], session["fill_count"]) == (1, 1)
    assert (summary["total_sessions"], summary["total_pl"]) == (1, "241.56")
    assert summary["best_day"] == {"date": str(DAY), "total_pl": "241.56"}
    assert (bot["status"], bot["runtime_status"]) == ("archived", "archived")
    assert bot["cash_balance"] == "25241.56"


def test_the_page_logs_in_with_the_password_of_the_page():
    assert PASSWORD in blocks()["log-in"]
