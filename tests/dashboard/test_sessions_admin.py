"""Operators look at sessions and their ledgers; they edit nothing."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.dashboard.conftest import make_order
from tests.factories import TODAY, BotSessionFactory, UserFactory, at_new_york_noon

NOON = at_new_york_noon(TODAY)
LISTS = ["botsession", "order", "transaction", "sessionrequest"]


@pytest.fixture
def operator(db) -> Client:
    browser = Client()
    root = UserFactory(email="root@example.com", is_staff=True, is_superuser=True)
    browser.force_login(root, backend="django.contrib.auth.backends.ModelBackend")
    return browser


def admin_url(page: str, *args: object) -> str:
    return reverse(f"admin:bot_sessions_{page}", args=args)


def test_the_list_shows_lease_epoch_and_ticks(operator) -> None:
    session = BotSessionFactory(epoch=7, last_tick_seq=4321, bot__owner__email="who@example.com")
    make_order(session)

    page = operator.get(admin_url("botsession_changelist")).content.decode()

    assert "4321" in page
    assert "who@example.com" in page


@pytest.mark.parametrize("name", LISTS)
def test_every_list_opens_and_offers_nothing_to_add(operator, name) -> None:
    make_order(BotSessionFactory())

    assert operator.get(admin_url(f"{name}_changelist")).status_code == 200
    assert operator.get(admin_url(f"{name}_add")).status_code == 403


def test_a_ledger_row_can_be_looked_at_but_neither_changed_nor_deleted(operator) -> None:
    order = make_order(BotSessionFactory())

    shown = operator.get(admin_url("order_change", order.pk))
    changed = operator.post(admin_url("order_change", order.pk), {"status": "filled"})
    deleted = operator.post(admin_url("order_delete", order.pk), {"post": "yes"})

    order.refresh_from_db()
    assert shown.status_code == 200
    assert (changed.status_code, deleted.status_code) == (403, 403)
    assert order.status == "pending"


def test_a_session_can_be_looked_at_without_the_engines_snapshot(operator) -> None:
    session = BotSessionFactory(state={"portfolio": {"needle": 1}})

    page = operator.get(admin_url("botsession_change", session.pk)).content.decode()

    assert "needle" not in page


@pytest.mark.parametrize("name", ["botsession", "order", "sessionrequest"])
def test_a_list_reads_no_snapshot_and_asks_no_more_for_more_rows(operator, name) -> None:
    def queries() -> list[str]:
        with CaptureQueriesContext(connection) as caught:
            operator.get(admin_url(f"{name}_changelist"))
        return [query["sql"] for query in caught]

    def add_one() -> None:
        session = BotSessionFactory()
        make_order(session)
        session.requests.create(kind="kill", requested_by=session.bot.owner, requested_at=NOON)

    add_one()
    for_one = queries()
    for _ in range(4):
        add_one()

    for_five = queries()

    assert len(for_five) == len(for_one)
    assert not [sql for sql in for_five if '"state"' in sql]


def test_who_is_no_operator_sees_nothing_of_it(browser) -> None:
    assert browser.get(admin_url("botsession_changelist")).status_code == 302
