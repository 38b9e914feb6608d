"""The kill switch and stopping sessions from outside."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction
from django.utils import timezone

from bots import services as bot_services
from sessions import halts, stops
from sessions.models import SessionRequest, TradingHalt
from sessions.services import start_session
from sessions.tasks import watch
from tests.factories import BotFactory, BotSessionFactory
from tests.parallel import together
from tests.sessions import market
from tests.sessions.conftest import drive, put_spread

pytestmark = pytest.mark.django_db
WHY = "quotes are wrong"


def halt(by=None, *, flatten: bool = False) -> TradingHalt:
    return halts.halt_everything(by=by, reason=WHY, flatten=flatten, now=timezone.now())


def lift(by=None) -> TradingHalt:
    return halts.lift(by=by, reason="they are right again", now=timezone.now())


def test_while_it_is_on_no_session_starts_and_the_reason_is_told(
    alice, client_for, make_bot, open_market
):
    bot = make_bot(put_spread())
    halt()

    refused = client_for(alice).post(f"/api/bots/{bot.pk}/sessions")
    lift()
    started = client_for(alice).post(f"/api/bots/{bot.pk}/sessions")

    assert (refused.status_code, refused.json()["error"]) == (503, "live_trading_unavailable")
    assert WHY in refused.json()["message"]
    assert started.status_code == 201


def test_outside_regular_hours_that_is_still_what_is_said(alice, client_for, make_bot, db):
    market.announce()
    halt()

    refused = client_for(alice).post(f"/api/bots/{make_bot(put_spread()).pk}/sessions")

    assert (refused.status_code, refused.json()["error"]) == (422, "outside_rth")


def test_every_live_session_is_stopped_at_its_next_tick(alice, make_bot, open_market, runner):
    session = start_session(user=alice, bot_id=make_bot(put_spread()).pk)
    driver = runner()
    drive(driver)
    scheduled = BotSessionFactory(trading_date=market.DAY.replace(day=8), status="scheduled")

    halt()
    asked = stops.enforce(market_at=market.from_open(1))
    again = stops.enforce(market_at=market.from_open(1))
    market.publish([market.tick(2)])
    drive(driver)

    session.refresh_from_db()
    scheduled.refresh_from_db()
    assert (asked, again) == (2, 0)
    assert session.status == "killed"
    assert scheduled.status == "killing"


def test_what_a_halt_missed_the_watcher_stops(open_market, root):
    halt(root, flatten=True)
    late = BotSessionFactory(trading_date=market.DAY)

    watch()

    request = SessionRequest.objects.get(session=late)
    assert (request.kind, request.requested_by) == ("kill_flat", root)


def test_positions_are_closed_first_where_that_was_asked(alice, make_bot, open_market, runner):
    session = start_session(user=alice, bot_id=make_bot(put_spread()).pk)
    driver = runner()
    drive(driver)
    market.publish([market.tick(seq) for seq in range(2, 8)])
    market.publish([market.tick(8, put_up_cents=20)])
    drive(driver)
    held = session.positions.filter(quantity__lt=0).exists()

    halt(flatten=True)
    stops.enforce(market_at=market.from_open(8))
    market.publish([market.tick(seq) for seq in (9, 10, 11)])
    drive(driver)

    session.refresh_from_db()
    assert held
    assert session.status == "killed"
    assert not session.positions.exclude(quantity=0).exists()


def test_no_bot_is_started_by_the_schedule_that_day_even_after_the_lifting(db):
    BotFactory(auto_start=True, auto_start_since=market.from_open(-3600))
    market.announce()
    halt()
    during = bot_services.schedule_day(day=market.publish([market.tick(1)]), now=market.OPEN_AT)
    lift()
    day = market.publish([market.tick(2)])

    after = bot_services.schedule_day(day=day, now=market.OPEN_AT)

    assert (during, after) == ([], [])


def test_a_halt_of_before_the_open_that_is_lifted_in_time_costs_no_bot_its_day(db):
    BotFactory(auto_start=True, auto_start_since=market.from_open(-3600))
    halt()
    lift()
    market.announce()
    day = market.publish([market.tick(1)])

    made = bot_services.schedule_day(day=day, now=market.OPEN_AT)

    assert len(made) == 1


def test_who_when_and_why_are_kept(root, alice):
    halt(root)
    lift(alice)

    row = TradingHalt.objects.get()
    assert (row.ordered_by, row.reason) == (root, WHY)
    assert (row.lifted_by, row.lift_reason) == (alice, "they are right again")
    assert row.ordered_at < row.lifted_at


def test_it_is_on_once_and_lifted_once(db):
    halt()

    with pytest.raises(halts.AlreadyHalted):
        halt()
    lift()
    with pytest.raises(halts.NotHalted):
        lift()


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_nobody_halts_without_a_reason(db, reason):
    with pytest.raises(halts.NoReason):
        halts.halt_everything(by=None, reason=reason, flatten=False, now=timezone.now())

    assert halts.current() is None


def test_a_session_that_ended_meanwhile_is_no_trouble(open_market, root):
    ended = BotSessionFactory(settled=True)
    live = BotSessionFactory()

    asked = stops.stop([ended.pk, live.pk], by=root, flatten=False, market_at=market.OPEN_AT)

    assert asked == 1


def test_all_of_a_user_are_his_live_ones(alice, bob):
    mine = BotSessionFactory(bot__owner=alice)
    BotSessionFactory(bot__owner=alice, settled=True)
    BotSessionFactory(bot__owner=bob)

    assert stops.sessions_of_users([alice]) == [mine.pk]


def _start_overtaken_by_a_halt() -> bool:
    """A start that has looked at the switch and not committed yet, and a halt thrown then: does the
    halt wait for it?
    """
    looked, committed = threading.Event(), threading.Event()
    order: list[str] = []

    def start() -> None:
        with transaction.atomic():
            halts.refuse_while_halted()
            looked.set()
            committed.wait(0.5)
            order.append("started")
        connection.close()

    def throw() -> None:
        looked.wait(5)
        halt()
        order.append("halted")
        committed.set()
        connection.close()

    threads = [threading.Thread(target=each) for each in (start, throw)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return order == ["started", "halted"]


@pytest.mark.django_db(transaction=True)
def test_no_start_slips_past_the_switch():
    assert _start_overtaken_by_a_halt()


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_one_does(monkeypatch):
    """The control."""
    monkeypatch.setattr(halts, "_lock", lambda: None)

    assert not _start_overtaken_by_a_halt()


@pytest.mark.django_db(transaction=True)
def test_two_operators_at_once_halt_once():
    def throw() -> bool:
        try:
            halt()
        except halts.AlreadyHalted:
            return False
        return True

    assert sorted(together([throw] * 4)) == [False, False, False, True]
