"""A prepared query gives the rows of its QuerySet, compiled once and planned once."""

from __future__ import annotations

import pytest
from django.db import connection, models
from django.db.models import F
from django.db.models.query import QuerySet
from django.db.models.signals import post_init
from django.test.utils import CaptureQueriesContext
from knox.models import AuthToken

from accounts.authentication import _token
from accounts.services import create_token
from bots import queries as bots
from bots.models import Bot
from common.prepared import Prepared
from marketdata import queries as market_queries
from sessions import financials, queries
from sessions.models import BotSession
from simengine.step import Financials
from tests.factories import TODAY, BotFactory, BotSessionFactory, UserFactory
from tests.sessions import market

pytestmark = pytest.mark.django_db


@Prepared
def sessions_of(bot: object, least: int) -> QuerySet[BotSession]:
    rows = BotSession.objects.select_related("bot__owner").filter(bot=bot, tick_count__gte=least)
    return rows.annotate(twice=F("tick_count") * 2).defer("state").order_by("-trading_date")


@pytest.fixture
def bot() -> Bot:
    bot = BotFactory()
    for day in range(3):
        BotSessionFactory(
            bot=bot,
            settled=True,
            trading_date=TODAY.replace(day=1 + day),
            tick_count=day,
            policy={"reprice_step": "0.05", "of": [day, None, True]},
            tail=bytes([0, 255, day]),
        )
    BotSessionFactory(tick_count=9)  # somebody else's
    return bot


def shown(rows: list[models.Model]) -> list[dict]:
    """All that was read of each row, and of the rows that came with it."""
    return [of_one(row, set()) for row in rows]


def of_one(row: models.Model, seen: set[int]) -> dict:
    seen.add(id(row))
    read = {name: value for name, value in row.__dict__.items() if name != "_state"}
    beside = {
        f"{name} beside": of_one(other, seen)
        for name, other in row._state.fields_cache.items()
        if id(other) not in seen
    }
    return {name: as_bytes(value) for name, value in read.items()} | beside


def as_bytes(value: object) -> object:
    return bytes(value) if isinstance(value, memoryview) else value


def test_its_rows_are_those_of_the_queryset(bot):
    asked = sessions_of(bot=bot.pk, least=1)

    rows = asked.rows()

    assert [row.tick_count for row in rows] == [2, 1]
    assert shown(rows) == shown(list(asked.queryset()))
    assert rows[0].get_deferred_fields() == {"state"}
    assert (rows[0].twice, rows[0].policy["of"], bytes(rows[0].tail)) == (
        4,
        [2, None, True],
        b"\0\xff\2",
    )
    with CaptureQueriesContext(connection) as captured:
        assert rows[0].bot.owner == bot.owner
    assert len(captured) == 0  # select_related


def test_every_value_is_asked_for_anew(bot):
    asked = [sessions_of(bot=bot.pk, least=least) for least in (0, 1, 2, 3)]

    assert [len(each.rows()) for each in asked] == [3, 2, 1, 0]
    assert [each.first() and each.first().tick_count for each in asked] == [2, 2, 2, None]
    assert len(asked[0].rows(at_most=2)) == 2


def test_a_value_is_never_read_as_sql(bot):
    @Prepared
    def named(name: str) -> QuerySet[Bot]:
        return Bot.objects.filter(name=name)

    assert named(name=bot.name).rows() == [bot]
    assert named(name="' OR true --").rows() == []
    assert named(name="100%s").rows() == []


@pytest.mark.parametrize(
    "value",
    [2**63 - 1, -(2**63), 2**64, -(10**30), 1e300, 0.1, 1.0, 0, True, None, "1" * 40, "ü\u2028"],
)
def test_what_json_holds_is_read_as_django_reads_it(bot, value):
    session = bot.sessions.latest("trading_date")
    session.policy = {"it": [value]}
    session.save()

    (read,) = queries._session(user=bot.owner_id, bot=bot.pk, session=session.pk).rows()
    (expected,) = BotSession.objects.filter(pk=session.pk)

    assert read.policy == expected.policy
    assert type(read.policy["it"][0]) is type(expected.policy["it"][0])


def test_a_constant_is_written_down_as_it_is(bot):
    odd = "100%s 'of' it, %% \\"
    bot.name = odd
    bot.save()

    @Prepared
    def of_that_name(pk: object) -> QuerySet[Bot]:
        return Bot.objects.filter(name=odd, pk=pk)

    assert of_that_name(pk=bot.pk).rows() == [bot]
    assert of_that_name(pk=bot.pk).first().name == odd


def test_a_plan_that_is_kept_can_use_a_partial_index(bot):
    with connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_sort = off"
        )
        for _ in range(4):
            bots._latest(bots=[bot.pk]).rows()
        cursor.execute("SELECT name FROM pg_prepared_statements WHERE statement ~ 'unnest\\(ARRAY'")
        (name,) = cursor.fetchone()
        cursor.execute(f'EXPLAIN EXECUTE "{name}" (ARRAY[%s::uuid])', [bot.pk])
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert "$1" in plan, "the plan is not the general one"
    assert "one_live_session_per_bot" in plan
    assert "Backward using one_session_per_bot_per_day" in plan


def test_rows_of_a_model_with_steps_of_its_own_are_refused(bot):
    def heard(**_details: object) -> None: ...

    @Prepared
    def those(pk: object) -> QuerySet[Bot]:
        return Bot.objects.filter(pk=pk)

    post_init.connect(heard, sender=Bot)
    try:
        with pytest.raises(AssertionError, match="listens to each row of Bot"):
            those(pk=bot.pk).rows()
    finally:
        post_init.disconnect(heard, sender=Bot)
    assert those(pk=bot.pk).rows() == [bot]


def test_a_missing_value_is_a_mistake_of_the_caller(bot):
    with pytest.raises(KeyError, match="least"):
        sessions_of(bot=bot.pk).rows()


def test_it_is_built_once_and_planned_once(bot):
    built = []

    @Prepared
    def those(bot: object) -> QuerySet[BotSession]:
        built.append(bot)
        return BotSession.objects.filter(bot=bot, status="completed")

    with CaptureQueriesContext(connection) as captured:
        for _ in range(5):
            assert len(those(bot=bot.pk).rows()) == 3

    assert len(built) == 1
    assert len(captured) == 5
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT generic_plans + custom_plans FROM pg_prepared_statements"
            ' WHERE strpos(statement, \'bot_sessions_botsession"."status" = \') > 0'
        )
        uses = [row[0] for row in cursor.fetchall()]
    assert uses == [3]  # from the third on: `prepare_threshold` is 2


def test_the_queries_of_the_busy_routes_read_what_their_querysets_do(bot):
    """Whatever Django would convert on the way, a prepared query converts as well."""
    owner = UserFactory()
    create_token(user=owner)
    market.announce()
    session = bot.sessions.latest("trading_date")
    points = [Financials(seq, seq * 1000, *[0] * 8) for seq in range(1, 40)]
    for first in (0, 15, 30):
        financials.chunk(session.pk, points[first : first + 15]).save()
    digest = AuthToken.objects.get().digest

    for asked, count in [
        (_token(digest=digest), 1),
        (market_queries._clock(), 1),
        (bots._bot(owner=bot.owner_id, bot=bot.pk), 1),
        (bots.all_bots(owner=bot.owner_id), 1),
        (bots._newest(bot=bot.pk), 3),
        (bots._latest(bots=[bot.pk, owner.pk]), 1),
        (bots._rolled_up(bot=bot.pk), 3),
        (queries._session(user=bot.owner_id, bot=bot.pk, session=session.pk), 1),
        (financials._chunks_after(session=session.pk, after_seq=16), 2),
        (financials._chunks_since(session=session.pk, at_ms=16_000), 2),
    ]:
        rows = asked.rows()
        assert len(rows) == count, asked
        assert shown(rows) == shown(list(asked.queryset())), asked
