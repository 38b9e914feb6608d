"""Which events are told, to whom, and that each is told once."""

from __future__ import annotations

import threading
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from alerts import services
from alerts.models import Delivery, Kind
from alerts.relay import _events_of, relay
from sessions.models import BotSession, SessionEvent
from tests.factories import BotSessionFactory
from tests.sessions import market


@pytest.fixture
def session(alice, open_market) -> BotSession:
    return BotSessionFactory(bot__owner=alice, bot__name="Spread")


def write(session: BotSession, kind: str, second: int = 5, **data: Any) -> SessionEvent:
    return SessionEvent.objects.create(
        id=uuid4(),
        session=session,
        at=market.from_open(second),
        tick_seq=second + 1,
        index=SessionEvent.objects.count(),
        kind=kind,
        data=data,
    )


FILL = {"order": 3, "order_kind": "opening", "price_cents": -245, "units": 2}


@pytest.fixture
def open_market(db) -> None:
    market.announce()
    market.publish([market.tick(1)])


def told() -> list[tuple[str, str]]:
    rows = Delivery.objects.order_by("created_at", "body__at")
    return [(row.kind, row.body["text"]) for row in rows]


@pytest.mark.parametrize(
    ("kind", "data", "expected"),
    [
        ("status", {"status": "running"}, ("started", "Spread: the session runs")),
        (
            "status",
            {"status": "halted", "reason": "daily_loss_cap: drawdown 2.03 %"},
            ("halted", "Spread: the session halted (daily_loss_cap: drawdown 2.03 %)"),
        ),
        (
            "status",
            {"status": "failed", "reason": "poison_tick"},
            ("failed", "Spread: the session failed (poison_tick)"),
        ),
        (
            "filled",
            FILL,
            ("filled", "Spread: opening order 3 filled, 2 at a credit of $2.45"),
        ),
        (
            "filled",
            {**FILL, "order_kind": "closing", "price_cents": 120},
            ("filled", "Spread: closing order 3 filled, 2 at a debit of $1.20"),
        ),
    ],
)
def test_a_change_of_state_is_told_in_words(channel, session, kind, data, expected) -> None:
    write(session, kind, **data)

    relay(now=timezone.now())

    assert told() == [expected]


def test_a_session_that_fails_before_it_ran_did_not_start(channel, session) -> None:
    BotSession.objects.update(started_at=None)
    write(session, "status", status="failed", reason="no_data")

    relay(now=timezone.now())

    assert told() == [("not_started", "Spread: the session did not start (no_data)")]


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("status", {"status": "settling"}),
        ("status", {"status": "completed"}),
        ("repriced", {"order": 3}),
        ("logged", {}),
    ],
)
def test_what_is_no_change_to_be_told_is_not(channel, session, kind, data) -> None:
    write(session, kind, **data)

    assert relay(now=timezone.now()) == 0


def test_an_event_is_told_once(channel, session) -> None:
    write(session, "filled", **FILL)

    assert [relay(now=timezone.now()) for _ in range(3)] == [1, 0, 0]


def test_what_happened_before_the_channel_was_added_is_not_told(channel, session) -> None:
    channel.since = market.from_open(60)
    channel.save()
    write(session, "filled", second=59, **FILL)
    write(session, "filled", second=60, **FILL)

    assert relay(now=timezone.now()) == 1


def test_a_kind_that_is_not_wanted_is_not_told(channel, session) -> None:
    channel.kinds = [Kind.HALTED.value]
    channel.save()
    write(session, "filled", **FILL)
    write(session, "status", status="halted", reason="")

    relay(now=timezone.now())

    assert [kind for kind, _ in told()] == ["halted"]


def test_nobody_is_told_of_somebody_elses_session(channel, bob, open_market) -> None:
    write(BotSessionFactory(bot__owner=bob), "filled", **FILL)

    assert relay(now=timezone.now()) == 0


def test_a_late_event_of_an_earlier_tick_is_told_though_a_later_one_was(channel, session) -> None:
    write(session, "filled", second=10, **FILL)
    relay(now=timezone.now())

    write(session, "status", second=9, status="halted", reason="")

    assert relay(now=timezone.now()) == 1


@pytest.mark.django_db(transaction=True)
def test_two_relays_at_once_tell_each_event_once(channel, session) -> None:
    for _ in range(20):
        write(session, "filled", **FILL)
    gate = threading.Barrier(4)

    def run() -> None:
        gate.wait()
        relay(now=timezone.now())
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert Delivery.objects.count() == 20


def test_where_no_market_ever_ran_there_is_nothing_to_tell(db) -> None:
    assert relay(now=timezone.now()) == 0


def test_a_channel_with_every_kind_has_every_kind(channel) -> None:
    assert channel.kinds == list(Kind.values)
    assert services.CHANNELS_LIMIT == 10


def test_the_events_of_interest_are_found_by_an_index_of_their_own(channel, session) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")

    plan = _events_of(channel, market.DAY).explain()

    assert "events_that_are_told" in plan
