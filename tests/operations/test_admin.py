"""The admin site: ledgers are for looking, lists stay quick, orders leave who, when and why."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from alerts.models import Delivery
from bots.models import BalanceAdjustment, Bot, SettlementCorrection
from common.models import Job, JobRun
from marketdata import queries as market_queries
from marketdata.models import MarketControl, MarketDay
from sessions import halts
from sessions.models import (
    BotSession,
    DayRollUp,
    Decision,
    Entry,
    Order,
    Position,
    SessionEvent,
    SessionRequest,
    Trade,
    TradingHalt,
    Transaction,
)
from strategies.models import Strategy, StrategyLink
from tests.dashboard.conftest import make_order, make_trade, write_line
from tests.factories import BotSessionFactory, UserFactory
from tests.operations.rows import fill
from tests.sessions import market

pytestmark = pytest.mark.django_db
LEDGER = [Order, Transaction, Trade, Position, Decision, Entry, SessionEvent, SessionRequest]
RECORDS = [
    *LEDGER,
    BotSession,
    TradingHalt,
    DayRollUp,
    BalanceAdjustment,
    SettlementCorrection,
    MarketDay,
    Strategy,
    Job,
    JobRun,
    LogEntry,
]


def url(model: type, page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def page_url(name: str, query: str = "") -> str:
    return reverse(f"admin:{name}") + query


def as_root(root) -> object:
    request = RequestFactory().get("/admin/")
    request.user = root
    return request


@pytest.mark.parametrize("model", RECORDS, ids=lambda model: model.__name__)
def test_a_record_can_be_neither_added_nor_changed_nor_deleted(root, desk, model):
    site = admin.site._registry[model]
    request = as_root(root)

    allowed = (
        site.has_add_permission(request),
        site.has_change_permission(request),
        site.has_delete_permission(request),
    )

    assert allowed == (False, False, False)
    assert desk.get(url(model, "changelist")).status_code == 200
    assert desk.get(url(model, "add")).status_code == 403


def test_no_page_of_the_admin_site_deletes_a_ledger_by_deleting_what_it_hangs_on(root):
    request = as_root(root)
    deletable = {
        model.__name__
        for model, site in admin.site._registry.items()
        if site.has_delete_permission(request)
    }

    assert not deletable & {"User", "Bot", "BotSession", "Strategy", "MarketDay", "MarketControl"}


def test_a_ledger_row_can_be_looked_at_but_neither_changed_nor_deleted(desk):
    order = make_order(BotSessionFactory())

    shown = desk.get(url(Order, "change", order.pk))
    changed = desk.post(url(Order, "change", order.pk), {"status": "filled"})
    deleted = desk.post(url(Order, "delete", order.pk), {"post": "yes"})

    order.refresh_from_db()
    assert shown.status_code == 200
    assert (changed.status_code, deleted.status_code) == (403, 403)
    assert order.status == "pending"


def test_a_session_can_be_looked_at_without_the_engines_snapshot(desk):
    session = BotSessionFactory(state={"portfolio": {"needle": 1}})

    page = desk.get(url(BotSession, "change", session.pk)).content.decode()

    assert session.bot.name in page
    assert "needle" not in page


def test_who_is_no_operator_sees_nothing_of_it(client, alice):
    client.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")

    assert client.get(url(BotSession, "changelist")).status_code == 302


def test_everything_below_a_session_is_registered():
    below = {relation.related_model for relation in BotSession._meta.related_objects}
    not_shown = {model.__name__ for model in below - admin.site._registry.keys()}

    assert not_shown == {"FinancialChunk"}  # packed, nothing to look at


def test_a_session_shows_status_lag_owner_lease_and_profit(desk):
    market.announce()
    market.publish([market.tick(seq) for seq in range(1, 31)])
    session = BotSessionFactory(
        trading_date=market.DAY,
        last_tick_seq=10,
        epoch=7,
        takeovers=3,
        owner=uuid4(),
        lease_until=timezone.now() + timedelta(seconds=60),
        bot__owner__email="who@example.com",
    )
    write_line(session, 0, 12_345)

    page = desk.get(url(BotSession, "changelist")).content.decode()

    for text in ("running", "who@example.com", "123.45", str(session.owner)[:8], ">20<", ">7<"):
        assert text in page, text


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("q={id}", True),
        ("q={bot_id}", True),
        ("q=who@example.com", True),
        ("q=2026-05-07", True),
        ("q=2026-05-08", False),
        ("q=nobody@example.com", False),
        ("q=rubbish", False),
        ("status=live", True),
        ("status=running", True),
        ("status=unsettled", True),
        ("status=completed", False),
    ],
)
def test_sessions_are_found_by_what_an_index_holds(desk, query, shown):
    session = BotSessionFactory(bot__owner__email="who@example.com", bot__name="needle")

    query = query.format(id=session.pk, bot_id=session.bot_id)
    page = desk.get(f"{url(BotSession, 'changelist')}?{query}").content.decode()

    assert ("needle" in page) is shown


def test_selected_sessions_are_stopped_with_a_reason_that_is_kept(desk, root):
    sessions = [BotSessionFactory(), BotSessionFactory()]
    ids = [str(session.pk) for session in sessions]

    chosen = desk.post(
        url(BotSession, "changelist"), {"action": "stop_selected", "_selected_action": ids}
    )
    done = desk.post(chosen["Location"], {"sessions": ",".join(ids), "reason": "looks wrong"})

    assert chosen.status_code == done.status_code == 302
    assert set(BotSession.objects.values_list("status", flat=True)) == {"killing"}
    assert set(SessionRequest.objects.values_list("requested_by", flat=True)) == {root.pk}
    entries = LogEntry.objects.filter(user=root)
    assert {entry.object_id for entry in entries} == set(ids)
    assert {entry.change_message for entry in entries} == {"Stop asked for: looks wrong"}


def test_all_of_a_user_are_stopped_positions_first(desk, alice, bob):
    mine, other = BotSessionFactory(bot__owner=alice), BotSessionFactory(bot__owner=bob)

    desk.post(page_url("stop"), {"user": "Alice@example.com", "reason": "asked", "flatten": "on"})

    assert SessionRequest.objects.get().kind == "kill_flat"
    mine.refresh_from_db()
    other.refresh_from_db()
    assert (mine.status, other.status) == ("killing", "running")


def test_a_users_own_page_leads_to_stopping_all_of_that_user(desk, alice, bob):
    mine, other = BotSessionFactory(bot__owner=alice), BotSessionFactory(bot__owner=bob)
    stop = reverse("admin:accounts_user_stop_sessions", args=[alice.pk])

    page = desk.get(url(User, "change", alice.pk)).content.decode()
    asked = desk.get(stop, follow=True)
    desk.post(asked.redirect_chain[-1][0], {"user": alice.email, "reason": "asked"})

    mine.refresh_from_db()
    other.refresh_from_db()
    assert stop in page
    assert 'value="alice@example.com"' in asked.content.decode()
    assert (mine.status, other.status) == ("killing", "running")


def test_who_may_not_stop_sessions_is_not_offered_it_on_a_users_page(client, alice):
    clerk = UserFactory(is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_user"))
    client.force_login(clerk, backend="django.contrib.auth.backends.ModelBackend")
    stop = reverse("admin:accounts_user_stop_sessions", args=[alice.pk])

    page = client.get(url(User, "change", alice.pk))

    assert page.status_code == 200
    assert stop not in page.content.decode()
    assert client.get(stop).status_code == 403


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"reason": "why"}, "Name a user, or select sessions"),
        ({"reason": "why", "user": "no@example.com"}, "There is no user with this address"),
        ({"reason": "why", "sessions": "x"}, "Select the sessions in their list"),
        ({"user": "alice@example.com"}, "This field is required"),
    ],
)
def test_an_order_that_is_not_clear_stops_nobody(desk, alice, given, said):
    BotSessionFactory(bot__owner=alice)

    answer = desk.post(page_url("stop"), given)

    assert (answer.status_code, said in answer.content.decode()) == (200, True)
    assert not SessionRequest.objects.exists()


def test_the_kill_switch_is_thrown_shown_and_lifted(desk, root, open_market):
    session = BotSessionFactory(trading_date=market.DAY)

    desk.post(page_url("halt"), {"reason": "bad quotes"})
    shown = desk.get(page_url("health")).content.decode()
    again = desk.post(page_url("halt"), {"reason": "bad quotes"})
    desk.post(page_url("lift"), {"reason": "good quotes"})

    session.refresh_from_db()
    halt = TradingHalt.objects.get()
    assert session.status == "killing"
    assert "bad quotes" in shown
    assert "something needs you" in shown
    assert "Trading is halted already" in again.content.decode()
    assert (halt.ordered_by, halt.lifted_by, halt.lift_reason) == (root, root, "good quotes")
    assert halts.current() is None
    assert LogEntry.objects.filter(user=root, object_id=str(halt.pk)).count() == 2


@pytest.mark.parametrize("name", ["health", "stop", "halt", "lift", "settle"])
def test_the_desk_is_for_staff_with_the_right(client, alice, name):
    clerk = UserFactory(is_staff=True)

    client.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    stranger = client.get(page_url(name)).status_code
    client.force_login(clerk, backend="django.contrib.auth.backends.ModelBackend")

    assert stranger == 302
    assert client.get(page_url(name)).status_code == 403


def test_a_settlement_is_entered_with_its_reason(desk, root):
    market.announce()
    market.publish([market.tick(1)])
    market.close(settlement_cents=None)
    told = desk.get(page_url("health")).content.decode()

    desk.post(
        page_url("settle"), {"trading_date": "2026-05-07", "value": "5951.87", "reason": "Cboe"}
    )

    assert "Enter a settlement" in told
    assert MarketDay.objects.get().settlement_cents == 595_187
    entered = SettlementCorrection.objects.get()
    assert (entered.entered_by, entered.reason) == (root.email, "Cboe")


def test_the_market_clock_is_steered_and_that_is_written_down(desk, root):
    opened = desk.get(url(MarketControl, "changelist"), follow=True)
    desk.post(url(MarketControl, "change", 1), {"is_paused": "on", "speed": "12.5"})

    wish = market_queries.control()
    assert opened.status_code == 200
    assert (wish.is_paused, wish.speed, wish.is_looping) == (True, 12.5, False)
    assert LogEntry.objects.get(user=root).content_type.model == "marketcontrol"


@pytest.mark.parametrize("speed", ["0", "-1", "1000000", "nan"])
def test_a_speed_that_is_none_is_refused(desk, speed):
    desk.get(url(MarketControl, "changelist"))

    answer = desk.post(url(MarketControl, "change", 1), {"speed": speed})

    assert answer.status_code == 200
    assert market_queries.control().speed is None


def test_letting_the_market_go_on_forgets_steps_that_are_left(desk):
    MarketControl.objects.create(pk=1, is_paused=True, steps_left=4, speed=2.0)

    desk.post(url(MarketControl, "change", 1), {"speed": "2.0"})

    wish = market_queries.control()
    assert (wish.is_paused, wish.steps_left, wish.speed) == (False, 0, 2.0)


def test_the_health_page_shows_what_there_is(desk):
    market.announce()
    market.publish([market.tick(1)])
    BotSessionFactory(trading_date=market.DAY, owner=uuid4(), lease_until=timezone.now())
    Job.objects.create(name="a.job", last_error="ValueError: x", run_count=3, failure_count=1)

    page = desk.get(page_url("health")).content.decode()

    for text in ("database", "a.job", "1 of 3", "marketdata_tick_20260507", "running", "nobody"):
        assert text in page, text


LISTS = [*LEDGER, BotSession, Bot, JobRun]


@pytest.mark.parametrize("model", LISTS, ids=lambda model: model.__name__)
def test_a_list_counts_nothing_and_asks_no_more_for_more_rows(desk, model):
    def asked() -> list[str]:
        with CaptureQueriesContext(connection) as caught:
            desk.get(url(model, "changelist"))
        return [query["sql"] for query in caught if "django_session" not in query["sql"]]

    def add_one() -> None:
        session = BotSessionFactory()
        make_order(session)
        make_trade(session)
        write_line(session, 0)
        session.requests.create(
            kind="kill", requested_by=session.bot.owner, requested_at=market.OPEN_AT
        )
        JobRun.objects.create(name="x", started_at=timezone.now(), process="h:1")

    add_one()
    asked()  # content types are remembered from the first on
    for_one = asked()
    for _ in range(3):
        add_one()

    for_four = asked()

    assert len(for_four) == len(for_one)
    assert not [sql for sql in for_four if "COUNT(" in sql]
    assert not [sql for sql in for_four if '"state"' in sql]


ROWS = 20_000


@pytest.fixture
def many_rows(db) -> BotSession:
    """20,000 of everything that grows: enough for the planner to prefer what scales."""
    session = BotSessionFactory(settled=True)
    fill(session, ROWS)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return session


GROWING = [*LEDGER, BotSession, Bot, JobRun, Delivery, LogEntry, User, Strategy, StrategyLink]


def test_with_many_rows_no_list_sorts_or_scans_the_table(many_rows, desk):
    for model in GROWING:
        for query in ("", "?p=3", f"?q={many_rows.pk}"):
            for sql in _listing(desk, model, query):
                plan = _plan(sql)

                assert f"Seq Scan on {model._meta.db_table}" not in plan, plan
                assert "?q=" in query or not re.search(r"(^|-> +)Sort", plan), plan

    # The control: an order that no index has.
    plan = _plan("SELECT * FROM bot_sessions_order ORDER BY at DESC LIMIT 50")
    assert "Seq Scan on bot_sessions_order" in plan
    assert re.search(r"(^|-> +)Sort", plan)


def _listing(desk, model: type, query: str) -> list[str]:
    """The statements that read the rows of a list's page."""
    with CaptureQueriesContext(connection) as caught:
        assert desk.get(url(model, "changelist") + query).status_code == 200
    table = model._meta.db_table
    found = [q["sql"] for q in caught if f'FROM "{table}"' in q["sql"] and "ORDER BY" in q["sql"]]
    assert found
    return found


def _plan(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        return "\n".join(row[0] for row in cursor.fetchall())
