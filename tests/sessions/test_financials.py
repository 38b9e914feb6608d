"""The per-second line as it is stored: chunks, the tail of the row, and the view over both."""

from __future__ import annotations

import numpy as np
import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from common.times import from_ms
from sessions import financials, services
from sessions.models import FinancialChunk
from simengine.step import Financials
from tests.factories import BotSessionFactory
from tests.sessions import market
from tests.sessions.conftest import drive, put_spread

CENTS = st.integers(-(2**61), 2**61)
SMALL = st.integers(-300, 300)


def point(seq: int, *amounts: int) -> Financials:
    return Financials(seq, 1_000_000 + 1000 * seq, *amounts, *[0] * (8 - len(amounts)))


@pytest.mark.parametrize(
    ("amounts", "width"),
    [
        ([0, 32_767], 2),
        ([0, -32_767], 2),
        ([0, 32_768], 4),
        ([0, 2**31 - 1], 4),
        ([0, 2**31], 8),
        ([5], 2),
    ],
)
def test_a_chunk_is_as_wide_as_its_largest_difference(amounts, width) -> None:
    points = [point(seq, amount) for seq, amount in enumerate(amounts)]

    packed = financials.pack(points)

    # one byte, ten int64, ten differences for each point but the first
    assert packed[0] == width
    assert len(packed) == 1 + 80 + 10 * width * (len(amounts) - 1)
    assert financials.unpack(packed).tolist() == [list(row) for row in points]


@given(st.lists(st.tuples(*[CENTS] * 8) | st.tuples(*[SMALL] * 8), min_size=1, max_size=40))
def test_what_is_packed_comes_back(rows) -> None:
    points = [point(seq, *amounts) for seq, amounts in enumerate(rows)]

    assert financials.unpack(financials.pack(points)).tolist() == [list(row) for row in points]


@given(st.lists(st.integers(0, 30), max_size=20), st.uuids())
def test_every_point_of_a_line_is_in_one_place(sizes, session_id) -> None:
    """However commits cut a line, chunks and tail hold each point once and the tail stays short."""
    stored: list[Financials] = []
    tail: list[Financials] = []
    row = b""
    seq = 0
    for size in sizes:
        new = [point(seq + place) for place in range(size)]
        seq += size
        grown = financials.growth(session_id, tail, new, is_last=False)
        stored += grown.chunk
        row = grown.added_bytes + (b"" if grown.is_filled else row)
        tail = grown.tail

        assert [item.seq for item in stored + tail] == list(range(seq))
        assert financials.tail_points(row) == tail
        assert len(tail) <= financials.TAIL_POINTS
        assert bool(tail) == (seq > 0)  # the newest second is always in the row

    grown = financials.growth(session_id, tail, [], is_last=True)
    assert [item.seq for item in stored + grown.chunk] == list(range(seq))
    assert grown.tail == []


def test_sessions_that_began_together_fill_their_chunks_at_different_ticks() -> None:
    def first_filled(session_id) -> int:
        tail: list[Financials] = []
        for seq in range(100):
            grown = financials.growth(session_id, tail, [point(seq)], is_last=False)
            if grown.is_filled:
                return seq
            tail = grown.tail
        raise AssertionError("never filled")

    ids = [session.pk for session in BotSessionFactory.build_batch(200)]

    ticks = [first_filled(session_id) for session_id in ids]

    assert len(set(ticks)) == financials.TAIL_POINTS


def test_a_line_that_became_longer_since_the_row_was_read_has_no_second_twice(db) -> None:
    session = BotSessionFactory()
    session.tail = financials.Growth([], [point(3), point(4)], False, []).added_bytes
    financials.chunk(session.pk, [point(seq) for seq in range(1, 8)]).save()

    assert financials.line(session)[:, 0].tolist() == list(range(1, 8))


@pytest.mark.parametrize("stored", [0, 1, 14, 15, 16, 31, 40])
def test_the_line_since_a_time_is_the_end_of_the_line(db, django_assert_max_num_queries, stored):
    """Chunks of 15 points, the rest in the tail; ticks every second but for a hole of ten."""
    session = BotSessionFactory()
    points = [
        Financials(seq, 1_000_000 + 1000 * (seq if seq < 20 else seq + 10), *[0] * 8)
        for seq in range(1, 41)
    ]
    for first in range(0, stored, 15):
        financials.chunk(session.pk, points[first : min(first + 15, stored)]).save()
    session.tail = financials.Growth([], points[stored:], False, []).added_bytes
    whole = financials.line(session)
    assert len(whole) == 40

    for at_ms in range(999_500, 1_052_000, 250):
        with django_assert_max_num_queries(1):
            since = financials.line_since(session, at_ms)
        assert since.tolist() == whole[whole[:, financials.AT_MS] > at_ms].tolist(), at_ms


def test_the_last_minute_is_read_from_the_chunks_that_hold_it(db):
    session = BotSessionFactory()
    points = [Financials(seq, 1000 * seq, *[0] * 8) for seq in range(150)]
    for first in range(0, 150, 15):
        financials.chunk(session.pk, points[first : first + 15]).save()

    chunks = financials._chunks_since(session=session.pk, at_ms=100_000).rows()

    assert [chunk.first_seq for chunk in chunks] == [90, 105, 120, 135]


@pytest.mark.django_db(transaction=True)
def test_the_view_shows_every_second_of_a_running_session(alice, make_bot, runner) -> None:
    market.announce()
    market.publish([market.tick(1)])
    session = services.start_session(user=alice, bot_id=make_bot(put_spread()).pk)
    driver = runner()
    for seq in range(2, 60):
        market.publish([market.tick(seq, put_up_cents=seq % 7)])
        drive(driver)
    session.refresh_from_db()
    assert FinancialChunk.objects.count() > 2
    assert session.tail

    assert seconds_in_sql(session) == seconds_in_python(session)
    market.close()
    drive(driver)
    session.refresh_from_db()
    assert (FinancialChunk.objects.count(), bytes(session.tail)) == (1, b"")
    assert seconds_in_sql(session) == seconds_in_python(session)


def test_the_view_reads_every_width(db) -> None:
    for amounts in ([0, -1, 32_767], [0, -40_000, 5], [0, -(2**40), 2**40]):
        session = BotSessionFactory()
        points = [point(seq, *[amount] * 8) for seq, amount in enumerate(amounts, start=1)]
        financials.chunk(session.pk, points).save()

        assert seconds_in_sql(session) == seconds_in_python(session)


def seconds_in_sql(session) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq, at, net_liquidation_value_cents, cash_cents,"
            " unrealized_profit_loss_cents, realized_profit_loss_cents, profit_loss_cents,"
            " fees_cents, available_buying_power_cents, maintenance_margin_cents"
            " FROM bot_sessions_second WHERE session_id = %s ORDER BY seq",
            [session.pk],
        )
        return cursor.fetchall()


def seconds_in_python(session) -> list[tuple]:
    line = financials.line(session)
    assert len(line) == len(np.unique(line[:, 0])) > 0
    return [(seq, from_ms(at_ms), *amounts) for seq, at_ms, *amounts in line.tolist()]
