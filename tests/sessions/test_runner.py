"""A runner over a hand-written market: whole sessions, turn by turn, on the real database."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from marketdata import ticklog
from marketdata.models import MarketDay
from sessions import ownership, services
from sessions import runner as runners
from sessions.lifecycle import Status
from sessions.models import BotSession, Order, SessionRequest, Transaction
from sessions.registration import Registrar
from sessions.runner import Runner
from sessions.tickless import has_work
from simengine.policy import merged
from tests.factories import BotSessionFactory
from tests.sessions import market
from tests.sessions.conftest import drive, put_spread

pytestmark = pytest.mark.django_db

# The spread 5945/5920: short put 3.00/3.10 (mid 3.05), long put 0.50/0.60 (mid 0.55).
# Raw mid -2.50, so the order rests at a credit of 2.50; execution 2.45 after 0.05 of slippage.


@pytest.fixture
def started(alice, make_bot, open_market):
    def start(program=None, **fields):
        bot = make_bot(program or put_spread(), **fields)
        return services.start_session(user=alice, bot_id=bot.pk)

    return start


def fresh(session: BotSession) -> BotSession:
    return BotSession.objects.select_related("bot").get(pk=session.pk)


def ticks(first: int, last: int, **changes: int):
    return [market.tick(seq, **changes) for seq in range(first, last + 1)]


def statuses(session: BotSession) -> list[str]:
    rows = session.events.filter(kind="status").order_by("tick_seq", "index")
    return [row.data["status"] for row in rows]


def test_a_day_from_the_first_tick_to_settlement(started, runner):
    session = started()
    market.publish(ticks(2, 60))
    market.close(settlement_cents=595_000)

    drive(runner())

    row = fresh(session)
    order = row.orders.get()
    assert statuses(row) == [
        "registering",
        "waiting_for_data",
        "running",
        "settling",
        "completed",
    ]
    # Placed at 09:30:05 (tick 6) at 2.50; after 20 flat seconds one tick of concession, at tick 26;
    # filled on tick 27 at the execution price 2.45.
    assert (order.status, order.intended_cents, order.concession_cents) == ("filled", -250, 5)
    assert (order.price_cents, order.fill_price_cents, order.replace_count) == (-245, -245, 1)
    assert order.filled_at == market.from_open(26)
    # 5950 is above both strikes: both puts expire; 245.00 less 2 × 1.72.
    assert (row.total_pl_cents, row.total_fees_cents) == (24_500 - 344, 344)
    assert (row.final_nlv_cents, row.bot.cash_balance_cents) == (2_524_156, 2_524_156)
    assert row.tick_count == 59
    assert row.owner is None


def test_an_assignment_is_charged_once_and_carried(started, runner):
    session = started()
    market.publish(ticks(2, 60))
    market.close(settlement_cents=594_000)

    drive(runner())

    # The short 5945 put is 5 points in the money: 500.00 and one fee of 5.00.
    row = fresh(session)
    assert row.total_pl_cents == 24_500 - 344 - 50_000 - 500
    types = list(row.transactions.order_by("number").values_list("type", flat=True))
    assert types == ["sell to open", "buy to open", "assignment", "expiration"]


def test_nothing_settles_without_the_settlement_value(started, runner):
    session = started()
    market.publish(ticks(2, 60))
    market.close(settlement_cents=None)
    driver = runner()
    drive(driver)
    waiting = fresh(session)

    market.close(settlement_cents=595_000)
    drive(driver)

    assert (waiting.status, waiting.settled_at, waiting.final_nlv_cents) == ("settling", None, None)
    assert waiting.bot.cash_balance_cents == 2_500_000
    assert fresh(session).status == Status.COMPLETED


def test_a_day_without_a_single_tick_fails_with_the_reason(started, runner):
    session = started()
    market.close()

    drive(runner())

    row = fresh(session)
    assert row.status == Status.FAILED
    assert row.status_reason.startswith("no_data")
    assert row.total_pl_cents == 0


def test_the_daily_loss_cap_cancels_flattens_and_halts(started, runner, make_bot):
    session = started(
        put_spread({"times": ["09:30:05"], "order": "market"}),
        policy=policy_with(max_daily_loss_pct="0.0050"),
    )
    # Filled at the natural price 3.00 - 0.60 = 2.40 on tick 7. The cap is 0.5 % of 25,000 = 125.00.
    # Mid 2.50 + 1.10: loss (3.60 - 2.40) × 100 + 3.44 = 123.44. Mid 2.50 + 1.15: 128.44, reached.
    market.publish(ticks(2, 25))
    market.publish(ticks(26, 29, put_up_cents=110))
    market.publish(ticks(30, 33, put_up_cents=115))

    drive(runner())

    row = fresh(session)
    opening, closing = row.orders.order_by("number")
    assert (row.status, row.status_reason) == (
        "halted",
        "daily_loss_cap: drawdown 0.51 % reached the cap of 0.50 %",
    )
    assert (opening.fill_price_cents, closing.type, closing.kind) == (-240, "market", "closing")
    # Closed a tick later as one package at its natural price: 4.25 - 0.50 = 3.75.
    assert closing.fill_price_cents == 375
    assert closing.filled_at == market.from_open(30)
    assert row.total_pl_cents == 24_000 - 37_500 - 344 - 144
    assert row.settled_at == market.from_open(30)
    assert row.bot.cash_balance_cents == 2_500_000 - 13_988
    assert all(position.quantity == 0 for position in row.positions.all())


def test_a_kill_cancels_and_leaves_the_positions_to_the_close(alice, started, runner):
    session = started(put_spread({"times": ["09:30:05", "09:30:40"]}))
    driver = runner()
    market.publish(ticks(2, 45))
    drive(driver)

    services.request_stop(user=alice, session=session, flatten=False, now=market.from_open(45))
    market.publish(ticks(46, 50))
    drive(driver)
    killed = fresh(session)
    market.close(settlement_cents=595_000)
    drive(driver)

    assert (killed.status, killed.settled_at, killed.total_pl_cents) == ("killed", None, None)
    assert killed.bot.cash_balance_cents == 2_500_000
    assert list(killed.orders.order_by("number").values_list("status", flat=True)) == [
        "filled",
        "canceled",
    ]
    settled = fresh(session)
    assert (settled.status, settled.total_pl_cents) == ("killed", 24_156)
    assert settled.bot.cash_balance_cents == 2_524_156
    assert statuses(settled)[-2:] == ["killing", "killed"]


def test_a_kill_with_flatten_closes_at_market_first(alice, started, runner):
    session = started()
    driver = runner()
    market.publish(ticks(2, 45))
    drive(driver)

    services.request_stop(user=alice, session=session, flatten=True, now=market.from_open(45))
    market.publish(ticks(46, 50))
    drive(driver)

    row = fresh(session)
    # 2.45 in, 3.10 - 0.50 = 2.60 out, 4 × (1.72 or 0.72).
    assert (row.status, row.total_pl_cents) == ("killed", 24_500 - 26_000 - 344 - 144)
    assert row.settled_at is not None


def test_a_stop_is_obeyed_although_no_tick_comes(alice, started, runner, monkeypatch):
    monkeypatch.setattr("sessions.runner.OBEY_WITHOUT_TICK_AFTER_SECONDS", 0.0)
    session = started()
    driver = runner()
    market.publish(ticks(2, 10))
    drive(driver)

    services.request_stop(user=alice, session=session, flatten=False, now=market.from_open(10))
    drive(driver)

    row = fresh(session)
    assert (row.status, row.orders.get().status) == ("killed", "canceled")
    assert SessionRequest.objects.get().obeyed_seq == 10


def test_cancel_all_keeps_the_session_running(alice, started, runner):
    session = started()
    driver = runner()
    market.publish(ticks(2, 10))
    drive(driver)

    services.request_cancel_all(user=alice, session=session, now=market.from_open(10))
    market.publish(ticks(11, 60))
    drive(driver)

    row = fresh(session)
    assert (row.status, row.orders.get().status) == ("running", "canceled")
    assert SessionRequest.objects.get().obeyed_seq == 11


def test_a_stale_episode_is_one_error_and_the_budget_halts(started, runner):
    session = started(policy=policy_with(error_budget=0))
    # 3 s is the threshold: ticks at :09 and :13 have 4 s of silence between them.
    market.publish(ticks(2, 10))
    market.publish([market.tick(11, second=13), market.tick(12, second=14)])

    drive(runner())

    row = fresh(session)
    kinds = set(row.events.values_list("kind", flat=True))
    assert (row.status, row.error_count) == ("halted", 1)
    assert row.status_reason == "error_budget: 1 errors, the budget is 0"
    assert {"stale_started", "stale_ended", "error_counted", "budget_exceeded"} <= kinds


def test_without_auto_pause_it_goes_on_and_says_so_once(started, runner):
    session = started(policy=policy_with(error_budget=0, auto_pause_on_error=False))
    seconds = [1, 2, 8, 9, 15, 16]
    market.publish([market.tick(seq, second=second) for seq, second in enumerate(seconds, start=2)])

    drive(runner())

    row = fresh(session)
    assert (row.status, row.error_count) == ("running", 2)
    assert row.events.filter(kind="budget_exceeded").count() == 1


def test_a_program_that_raises_is_a_soft_error_with_its_line(started, runner):
    session = started("def on_tick(ctx):\n    ctx.log('before')\n    return 1 / 0\n")
    market.publish(ticks(2, 3))

    drive(runner())

    row = fresh(session)
    first = row.events.filter(kind="error_counted").order_by("tick_seq").first()
    assert (row.status, row.error_count) == ("running", 2)
    assert (first.data["source"], first.data["line"]) == ("strategy", 3)


def test_a_pinned_program_that_cannot_load_fails_its_session_only(alice, make_bot, started, runner):
    good = started()
    bad_bot = make_bot("def at(ctx:\n")
    bad = BotSession.objects.create(
        bot=bad_bot,
        trading_date=market.DAY,
        status=Status.SCHEDULED,
        strategy=bad_bot.strategy,
        strategy_name="bad",
        created_at=market.OPEN_AT,
    )
    market.publish(ticks(2, 5))

    drive(runner())

    assert fresh(bad).status == Status.FAILED
    assert fresh(bad).status_reason.startswith("strategy_cannot_load")
    assert fresh(good).status == Status.RUNNING


def test_a_scheduled_session_starts_at_the_first_tick_of_the_day(alice, make_bot, runner):
    day = market.announce()
    bot = make_bot(put_spread())
    session = services.schedule_session(bot=bot, day=day, now=market.OPEN_AT)
    driver = runner()
    drive(driver)
    before = fresh(session)
    bot.policy = {**bot.policy, "error_budget": 9}
    bot.save()

    market.publish(ticks(1, 5))
    drive(driver)

    row = fresh(session)
    assert (before.status, before.policy) == ("scheduled", None)
    assert (row.status, row.first_seq, row.tick_count) == ("running", 1, 5)
    assert row.policy["error_budget"] == 9  # frozen at the open, not when it was scheduled


def test_a_scheduled_session_can_be_stopped_before_the_open(alice, make_bot, runner, monkeypatch):
    monkeypatch.setattr("sessions.runner.OBEY_WITHOUT_TICK_AFTER_SECONDS", 0.0)
    day = market.announce()
    bot = make_bot(put_spread())
    session = services.schedule_session(bot=bot, day=day, now=market.OPEN_AT)

    services.request_stop(user=alice, session=session, flatten=False, now=market.OPEN_AT)
    drive(runner())

    row = fresh(session)
    assert (row.status, row.total_pl_cents, row.final_nlv_cents) == ("killed", 0, 2_500_000)
    assert row.settled_at is not None


def test_a_session_that_caught_up_goes_on_with_the_others_while_ticks_come_in(
    started, runner, monkeypatch
):
    driver, other = runner(), runner()
    started()
    drive(driver)
    started()
    drive(other)
    market.publish(ticks(2, 20))
    drive(driver)
    ownership.release(owners=[other.owner])
    read = ticklog.read

    def read_while_ticks_come_in(*given):
        market.publish([market.tick(MarketDay.objects.get().last_seq + 1)])
        return read(*given)

    monkeypatch.setattr(ticklog, "read", read_while_ticks_come_in)
    driver._claimed_at = 0.0
    for _ in range(4):
        driver.turn()

    places = [hosted.state.last_seq for hosted in driver._hosted.values()]

    assert len(places) == 2
    assert places[0] == places[1] > 20


@pytest.mark.parametrize("news", ["a tick", "the close", "a stop", "a session"])
def test_a_runner_at_rest_looks_through_its_sessions_only_when_there_is_news(
    news, alice, started, runner, monkeypatch
):
    monkeypatch.setattr("sessions.runner.OBEY_WITHOUT_TICK_AFTER_SECONDS", 0.0)
    session, driver, looks = started(), runner(), []
    drive(driver)
    monkeypatch.setattr(
        "sessions.runner.has_work", lambda *given: looks.append(1) or has_work(*given)
    )

    assert not driver.turn()
    assert looks == []

    match news:
        case "a tick":
            market.publish([market.tick(2)])
        case "the close":
            market.close(settlement_cents=595_000)
        case "a stop":
            services.request_stop(
                user=alice, session=session, flatten=False, now=market.from_open(1)
            )
        case "a session":
            started()
            driver._claimed_at = 0.0
    assert driver.turn()


def test_no_tick_waits_for_claims_or_renewals(started, runner, monkeypatch):
    started()
    driver, done = runner(), []
    drive(driver)
    for module, name in [(runners, "commit"), (ownership, "claim"), (ownership, "renew")]:
        monkeypatch.setattr(module, name, noted(done, name, getattr(module, name)))
    market.publish([market.tick(2)])
    driver._claimed_at = 0.0
    driver._renewed_at = time.monotonic() - 0.3 * settings.LEASE_SECONDS  # both are due

    driver.turn()

    assert done == ["commit", "claim", "renew"]


def noted(done: list[str], name: str, function: Callable) -> Callable:
    def note(*given: object, **named: object) -> object:
        done.append(name)
        return function(*given, **named)

    return note


def test_a_long_turn_renews_before_its_end(started, runner, monkeypatch):
    started()
    driver, done = runner(), []
    drive(driver)
    for module, name in [(runners, "commit"), (ownership, "renew")]:
        monkeypatch.setattr(module, name, noted(done, name, getattr(module, name)))
    market.publish([market.tick(2)])
    driver._renewed_at = time.monotonic() - 0.5 * settings.LEASE_SECONDS

    driver.turn()

    assert done == ["renew", "commit"]


def test_every_fill_has_its_transactions_and_cash_moves_by_their_sum(started, runner):
    session = started()
    market.publish(ticks(2, 60))
    market.close(settlement_cents=594_000)

    drive(runner())

    row = fresh(session)
    signs = {"credit": 1, "debit": -1}
    moved = sum(
        signs[item.effect] * item.value_cents - item.fees_cents
        for item in Transaction.objects.filter(session=row)
    )
    assert row.final_nlv_cents - row.opening_balance_cents == moved
    order = Order.objects.get(session=row)
    assert row.transactions.filter(order_number=order.number).count() == len(order.legs)


def policy_with(**fields):
    return merged({}, fields)


def test_a_runner_with_room_stays_while_another_drives_and_takes_over_without_a_hint(
    alice, make_bot, open_market, sandbox
):
    session = services.start_session(user=alice, bot_id=make_bot(put_spread()).pk)
    BotSession.objects.update(owner=uuid.uuid4(), lease_until=timezone.now() + timedelta(hours=1))
    looks = []

    def stop_requested() -> bool:
        """The other owner vanishes while this runner has long had nothing to do."""
        looks.append(1)
        if len(looks) == 5:
            BotSession.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        claimed = BotSession.objects.filter(pk=session.pk, takeovers=1).exists()
        return claimed or len(looks) > 50

    standby = Runner(
        registrar=Registrar(sandbox), stop_requested=stop_requested, capacity=5, idle_seconds=0.0
    )
    standby.run()

    session.refresh_from_db()
    assert session.takeovers == 1


def test_a_runner_leaves_once_nothing_is_left_for_anybody(alice, open_market, sandbox):
    kept_apart = BotSessionFactory(bot__owner=alice, status="failed")
    ownership.quarantine(kept_apart)
    looks = []
    runner = Runner(
        registrar=Registrar(sandbox),
        stop_requested=lambda: len(looks) > 50 or looks.append(1) is not None,
        capacity=5,
        idle_seconds=0.0,
    )

    runner.run()

    assert len(looks) < 50
