from __future__ import annotations

from itertools import pairwise
from uuid import uuid4

import pytest

from dashboard.sparkline import HEIGHT, MARGIN, WIDTH, sparkline
from sessions import financials
from tests.dashboard.conftest import write_line
from tests.factories import BotSessionFactory


def test_the_line_runs_from_the_left_to_the_right_between_its_extremes() -> None:
    line = sparkline([0, 1_000, -1_000])

    # 2,000 cents over 24 pixels: zero in the middle, the gain on top, the loss at the bottom
    assert line.points == f"0,14 60,{MARGIN} {WIDTH},{HEIGHT - MARGIN}"
    assert line.zero_y == 14
    assert not line.is_gain


def test_zero_is_in_sight_though_the_day_never_came_back_to_it() -> None:
    line = sparkline([500, 1_000])

    assert line.zero_y == HEIGHT - MARGIN
    assert line.is_gain


def test_a_flat_day_is_drawn_flat() -> None:
    assert sparkline([0, 0]).points == f"0,{MARGIN} {WIDTH},{MARGIN}"


def test_a_single_second_is_no_line() -> None:
    assert sparkline([5]) is None


def points_of(session, count: int) -> list[int]:
    lines = financials.sampled({session.pk: session.last_tick_seq}, count)
    return lines[session.pk][:, financials.COLUMNS.index("profit_loss")].tolist()


@pytest.mark.parametrize("is_folded", [False, True], ids=["live", "settled"])
def test_a_sample_of_a_line_ends_with_its_last_second(db, is_folded) -> None:
    session = BotSessionFactory(last_tick_seq=1_000)
    write_line(session, *range(1_000))
    if is_folded:
        financials.fold(session)

    sampled = points_of(session, 50)

    assert sampled[-1] == 999
    assert sampled == sorted(set(sampled))
    assert 45 <= len(sampled) <= 50
    assert max(b - a for a, b in pairwise(sampled)) <= 2 * 1_000 / 50


def test_a_short_line_is_sampled_whole(db) -> None:
    session = BotSessionFactory(last_tick_seq=3)
    write_line(session, 0, 10, 20)

    assert points_of(session, 50) == [0, 10, 20]


def test_lines_of_several_sessions_are_not_mixed(db, django_assert_num_queries) -> None:
    first, second = BotSessionFactory(last_tick_seq=2), BotSessionFactory(last_tick_seq=2)
    write_line(first, 1, 2)
    write_line(second, 3, 4)

    with django_assert_num_queries(1):
        lines = financials.sampled({first.pk: 2, second.pk: 2, uuid4(): 2}, 10)

    column = financials.COLUMNS.index("profit_loss")
    assert {pk: line[:, column].tolist() for pk, line in lines.items()} == {
        first.pk: [1, 2],
        second.pk: [3, 4],
    }
