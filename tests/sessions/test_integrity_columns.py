"""Whatever column of whatever row is changed: a check turns red, the database refuses the change,
or it is said here why nobody can tell.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import Error as DatabaseError
from django.db import connection, models, transaction

from sessions import financials, ownership, services
from sessions.integrity.verify import RULES, verify
from sessions.models import BotSession, SessionEvent
from sessions.stored import TABLES
from tests.sessions import market, recount
from tests.sessions.conftest import drive

pytestmark = pytest.mark.django_db

# Who runs it, under which conditions (`bin/manage replay` needs those as they are) and later notes.
NOT_OF_THE_BOOKS = {
    BotSession: {
        *("owner", "epoch", "lease_until", "takeovers", "poison_seq", "poison_count"),
        *("strategy_name", "engine_version", "slippage_cents", "tape_digest", "trimmed_at"),
    }
}


@pytest.fixture
def running(alice, make_bot, open_market, runner) -> BotSession:
    services.start_session(user=alice, bot_id=make_bot(recount.TALKATIVE).pk)
    recount.trade(runner)
    return BotSession.objects.get()


def changed(field: models.Field, value: Any) -> Any:
    """Another value that the column could hold."""
    kind = field.get_internal_type()
    if kind in ("DateTimeField", "DateField"):
        return (value or market.OPEN_AT) + timedelta(days=kind == "DateField", seconds=1)
    if kind == "UUIDField":
        return "00000000-0000-4000-8000-000000000000"
    if kind == "JSONField":
        return {"other": 1} if not isinstance(value, list) else [*value, {"other": 1}]
    if kind == "BooleanField":
        return not value
    if kind == "BinaryField":
        return bytes(value)[:-1] + bytes([bytes(value)[-1] ^ 1]) if value else b"\1" * 80
    if kind in ("CharField", "TextField"):
        other = [word for word, _ in field.choices or () if word != value]
        return other[0] if other else f"{value or ''}x"[-(field.max_length or 10**6) :]
    return (value or 0) + 1


def unnoticed(session: BotSession, model: type[models.Model]) -> set[str]:
    own = {"pk": session.pk} if model is BotSession else {"session": session}
    row = model._default_manager.filter(**own).order_by("pk").last()
    assert row is not None, model
    return {
        field.attname
        for field in model._meta.concrete_fields
        if not field.is_relation and not notices(session, row, field)
    }


def notices(session: BotSession, row: models.Model, field: models.Field) -> bool:
    try:
        with transaction.atomic():
            value = changed(field, getattr(row, field.attname))
            assert type(row)._default_manager.filter(pk=row.pk).update(**{field.attname: value})
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            is_sound = verify(session.pk).is_sound
            transaction.set_rollback(True)
    except DatabaseError:
        return True
    return not is_sound


@pytest.mark.parametrize("model", [*TABLES, BotSession])
def test_every_other_value_of_a_row_is_noticed(running, model):
    assert verify(running.pk).is_sound

    assert unnoticed(running, model) == NOT_OF_THE_BOOKS.get(model, set())


def scheduled_and_settled(alice, bot, runner) -> None:
    """From before the open to the settlement; the runner loses its place in between."""
    day = market.announce()
    services.schedule_session(bot=bot, day=day, now=market.from_open(-60))
    market.publish([market.tick(1)])
    recount.finish(recount.trade(runner))


def started_and_stopped(alice, bot, runner) -> None:
    """Stopped between two ticks."""
    market.announce()
    market.publish([market.tick(1)])
    session = services.start_session(user=alice, bot_id=bot.pk)
    driver = recount.trade(runner)
    services.request_cancel_all(user=alice, session=session, now=market.from_open(91))
    services.request_stop(user=alice, session=session, flatten=False, now=market.from_open(92))
    recount.finish(driver)


def stopped_before_the_open(alice, bot, runner) -> None:
    day = market.announce()
    session = services.schedule_session(bot=bot, day=day, now=market.from_open(-60))
    services.request_stop(user=alice, session=session, flatten=False, now=market.from_open(-30))
    drive(runner())
    market.publish([market.tick(1)])


def failed(alice, bot, runner) -> None:
    """A new owner is not to drive it any more."""
    market.announce()
    market.publish([market.tick(1)])
    services.start_session(user=alice, bot_id=bot.pk)
    recount.trade(runner)
    BotSession.objects.update(
        owner=None, lease_until=None, poison_count=ownership.POISONED_AFTER_OWNERS
    )
    recount.finish(runner())


@pytest.mark.parametrize(
    "live", [scheduled_and_settled, started_and_stopped, stopped_before_the_open, failed]
)
def test_another_time_of_any_event_is_noticed(alice, make_bot, runner, monkeypatch, live):
    monkeypatch.setattr("sessions.runner.OBEY_WITHOUT_TICK_AFTER_SECONDS", 0.0)
    live(alice, make_bot(recount.TALKATIVE), runner)
    session = BotSession.objects.get()
    assert [check.name for check in verify(session.pk).broken] == []

    at = SessionEvent._meta.get_field("at")
    unseen = [row for row in session.events.all() if not notices(session, row, at)]

    assert [(row.tick_seq, row.index, row.kind, row.data) for row in unseen] == []


MAKES_NO_SENSE = [
    ("bot_sessions_sessionevent", "data = '{}' WHERE kind = 'booked'", "data"),
    ("bot_sessions_sessionevent", "data = '[]' WHERE kind = 'filled'", "data"),
    ("bot_sessions_sessionevent", "kind = 'dreamt' WHERE kind = 'started'", "kind"),
    ("bot_sessions_transaction", "instrument = 'SPX' WHERE number = 1", "instrument"),
    ("bot_sessions_order", "legs = '7' WHERE number = 1", "legs"),
    ("bot_sessions_order", """legs = '[{"leg": 1}]' WHERE number = 1""", "legs"),
    ("bot_sessions_botsession", "policy = '{\"max\": 1}'", "policy"),
    ("bot_sessions_botsession", "fee_schedule = '{}'", "fee_schedule"),
    ("bot_sessions_botsession", "state = '{}'", "state"),
]


@pytest.mark.parametrize(("table", "change", "column"), MAKES_NO_SENSE)
def test_a_value_that_makes_no_sense_is_named_and_ends_no_recount(running, table, change, column):
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {change}")

    report = verify(running.pk)

    first = report.broken[0]
    assert (first.name, first.first_break.table, first.first_break.column) == (
        "readable",
        table,
        column,
    )
    assert len(report.checks) == len(RULES)


def test_an_amount_that_is_no_number_breaks_its_check_and_not_the_recount(running):
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE bot_sessions_sessionevent SET data = jsonb_set(data, '{price_cents}', '\"x\"')"
            " WHERE kind = 'booked' AND data->>'number' = '1'"
        )

    report = verify(running.pk)

    (rows,) = [check for check in report.broken if check.name == "transactions"]
    assert not rows.is_sound


def test_the_newest_seconds_are_recounted_where_they_stand(running):
    """A running session's newest points are in its own row, not in a chunk."""
    points = financials.tail_matrix(running.tail)
    points[0, financials.COLUMNS.index("cash")] += 1
    wrong = b"".join(row.astype(">i8").tobytes() for row in points[::-1])
    BotSession.objects.update(tail=wrong)

    (check,) = verify(running.pk).broken

    assert (check.name, check.first_break.column) == ("cash", "cash")
    assert check.first_break.id.endswith(f"/{points[0, 0]}")
