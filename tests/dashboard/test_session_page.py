from __future__ import annotations

import re
import uuid

import pytest

from common.times import to_ms
from dashboard.reads import day
from sessions.lifecycle import Status
from sessions.models import Decision, Entry, SessionEvent
from tests.dashboard.conftest import make_order, make_trade, write_line
from tests.factories import BotSessionFactory
from tests.sessions import market


@pytest.fixture
def session(alice, open_market):
    return BotSessionFactory(bot__owner=alice)


@pytest.fixture
def address(session) -> str:
    return f"/bots/{session.bot_id}/sessions/{session.pk}"


def below_dashboard(address: str, part: str) -> str:
    return f"/dashboard{address}/{part}"


def write_event(session, kind: str, seq: int, **data: object) -> None:
    SessionEvent.objects.create(
        id=uuid.uuid4(),
        session=session,
        at=market.from_open(seq),
        tick_seq=seq,
        index=0,
        kind=kind,
        data=data,
    )


def test_an_open_trade_is_marked_by_the_engines_rules(session) -> None:
    make_trade(session)

    (trade,) = day.trades_of(session)

    # 5945 P is 3.05 and 5920 P 0.55: sold for 2.60, twice, now worth 2.50.
    assert trade.title == "put spread 5920/5945"
    assert trade.mid_half_cents == -500
    assert trade.profit_cents == 2_000
    assert trade.profit_bp == 384
    assert trade.short_distance_cents == 500
    assert (trade.target_cents, trade.stop_cents) == (26_000, -104_000)
    assert trade.exit_at == market.OPEN_AT.replace(hour=19, minute=50)


def test_a_short_strike_that_is_in_the_money_is_a_negative_distance(session) -> None:
    market.publish([market.tick(2, spot_cents=594_000)])
    make_trade(session)

    (trade,) = day.trades_of(session)

    assert trade.short_distance_cents == -500


def test_a_trade_without_a_usable_quote_says_so_and_guesses_no_profit(
    browser, session, address
) -> None:
    legs = [
        {"instrument": "SPXW  260507P01000000", "quantity": -1},
        {"instrument": "SPXW  260507P00995000", "quantity": 1},
    ]
    make_trade(session, legs=legs)

    page = browser.get(below_dashboard(address, "book")).content.decode()

    assert "no quote" in page


def test_a_closed_trade_shows_what_was_booked_and_why(browser, session, address) -> None:
    make_trade(
        session,
        status="closed",
        exit_cents=-130,
        profit_cents=26_000,
        close_reason="profit_target",
        closed_at=market.from_open(60),
    )

    page = browser.get(below_dashboard(address, "book")).content.decode()

    assert "+$260.00" in page
    assert "1.30 db" in page  # bought back for a debit
    assert "profit target" in page


def test_a_working_order_shows_its_peg_and_how_much_of_the_cap_it_gave(session) -> None:
    make_order(session)
    write_event(session, "repriced", 25, order=2, peg_cents=-265)
    write_event(session, "repriced", 30, order=2, peg_cents=-260)

    (order,) = day.orders_of(session)

    assert (order.peg_cents, order.row.concession_cents, order.cap_cents) == (-260, 5, 20)


def test_an_order_that_never_moved_is_pegged_at_its_intended_price(session) -> None:
    make_order(session)

    (order,) = day.orders_of(session)

    assert order.peg_cents == -260


def test_a_closing_order_has_no_cap(session) -> None:
    make_order(session, kind="closing")

    (order,) = day.orders_of(session)

    assert order.cap_cents is None


def test_the_logs_show_decisions_events_and_the_outcome_of_each_entry(
    browser, session, address
) -> None:
    rows = {"session": session, "tick_seq": 5, "number": 1}
    Decision.objects.create(
        id=uuid.uuid4(), at=market.from_open(5), kind="log", message="looked", data={}, **rows
    )
    Entry.objects.create(
        id=uuid.uuid4(),
        at=market.from_open(5),
        outcome="skipped",
        reason="filter vix_max",
        **rows,
    )
    write_event(session, "stale_started", 9, reason="silence")
    write_event(session, "logged", 5, number=1)

    page = browser.get(address).content.decode()

    assert "looked" in page
    assert "filter vix_max" in page
    assert "stale started" in page
    assert "logged" not in page


def test_times_are_new_york_with_utc_in_the_title(browser, session, address) -> None:
    make_trade(session)

    page = browser.get(below_dashboard(address, "book")).content.decode()

    assert 'title="2026-05-07 13:30:10 UTC">09:30:10</time>' in page


def test_the_line_has_every_second_and_is_read_from_a_tick_on(browser, session, address) -> None:
    write_line(session, 0, 500, -700)

    whole = browser.get(below_dashboard(address, "line")).json()
    rest = browser.get(below_dashboard(address, "line") + "?after=2").json()

    assert whole["profit_loss_cents"] == [0, 500, -1_200]  # as steps
    assert whole["at"] == [to_ms(market.OPEN_AT) // 1000, 1, 1]
    assert (rest["profit_loss_cents"], rest["last_seq"]) == ([-700], 3)


@pytest.mark.parametrize("after", ["", "x", "-1", "²"])
def test_a_malformed_place_in_the_line_gives_all_of_it(browser, session, address, after) -> None:
    write_line(session, 0)

    line = browser.get(below_dashboard(address, "line"), {"after": after}).json()

    assert line["profit_loss_cents"] == [0]


def test_a_line_without_a_point_is_empty(browser, session, address) -> None:
    line = browser.get(below_dashboard(address, "line")).json()

    assert line == {"at": [], "profit_loss_cents": [], "last_seq": -1}


def test_an_unsettled_session_follows_its_stream_and_a_settled_one_does_not(
    browser, alice, session, address
) -> None:
    over = BotSessionFactory(bot__owner=alice, settled=True)

    live = browser.get(address).content.decode()
    settled = browser.get(f"/bots/{over.bot_id}/sessions/{over.pk}").content.decode()

    assert f'sse-connect="/api{address}/stream"' in live
    assert "sse-connect" not in settled
    assert "/stop" not in settled


def test_a_scheduled_session_that_froze_nothing_yet_has_a_page(browser, alice) -> None:
    session = BotSessionFactory(
        bot__owner=alice,
        status=Status.SCHEDULED,
        policy=None,
        opening_balance_cents=None,
        fee_schedule=None,
        slippage_cents=None,
        started_at=None,
    )

    answer = browser.get(f"/bots/{session.bot_id}/sessions/{session.pk}")

    assert "Frozen when the session starts" in answer.content.decode()


def test_the_frozen_policy_is_the_sessions_and_not_the_bots(browser, session, address) -> None:
    session.bot.policy = {**session.bot.policy, "max_open_positions": 77}
    session.bot.save()

    text = re.sub(r"<[^>]*>", " ", browser.get(address).content.decode())

    assert not re.search(r"(?<![\w.,:-])77(?![\w.,:-])", text)  # as a number, not in an id


@pytest.mark.parametrize(("choice", "kind"), [("stop", "kill"), ("flatten", "kill_flat")])
def test_a_stop_asks_for_what_was_chosen_for_the_positions(
    browser, alice, session, address, choice, kind
) -> None:
    browser.post(f"{address}/stop", {"positions": choice})

    session.refresh_from_db()
    request = session.requests.get()
    assert (request.kind, request.requested_by, session.status) == (kind, alice, "killing")


def test_a_stop_without_a_choice_leaves_the_positions_alone(browser, session, address) -> None:
    browser.post(f"{address}/stop")

    assert session.requests.get().kind == "kill"


def test_the_question_names_what_is_open(browser, session, address) -> None:
    make_trade(session)
    make_order(session)

    page = browser.get(f"{address}/stop").content.decode()

    assert "It holds 1 open trade:" in page
    assert "2 × put spread 5920/5945" in page
    assert "cancels 1 working order and" in page
    assert not session.requests.exists()


def test_canceling_the_orders_keeps_the_session_running(browser, session, address) -> None:
    browser.post(f"{address}/cancel-orders")

    session.refresh_from_db()
    assert session.requests.get().kind == "cancel_all"
    assert session.status == "running"


@pytest.mark.parametrize("action", ["stop", "cancel-orders"])
def test_a_session_that_is_over_refuses_with_the_reason(browser, alice, action) -> None:
    over = BotSessionFactory(bot__owner=alice, settled=True)

    answer = browser.post(f"/bots/{over.bot_id}/sessions/{over.pk}/{action}")

    assert answer.status_code == 409
    assert "This session is completed" in answer.content.decode()


def test_the_charts_data_travels_compressed(browser, session, address) -> None:
    write_line(session, *range(300))

    answer = browser.get(below_dashboard(address, "line"), headers={"Accept-Encoding": "gzip"})

    assert answer["Content-Encoding"] == "gzip"
    assert len(answer.content) < 2_000


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({}, ""),
        ({"trailing_stop_bp": 2_000}, "trails 20.00 % behind"),
        (
            {"trailing_stop_bp": 2_000, "trailing_start_bp": 3_050, "exit_on_touch": True},
            "trails 20.00 % behind once 30.50 % ahead, on touch of a sold strike",
        ),
    ],
)
def test_exits_without_a_level_are_said_in_words(session, rules, words) -> None:
    make_trade(session, exit_rules=rules)

    (trade,) = day.trades_of(session)

    assert trade.other_exits == words
