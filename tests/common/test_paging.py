"""Plain arrays, and a Link to the rest that stays right while rows arrive."""

import re
from itertools import chain

import pytest
from django.contrib.auth.models import Group

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("probes")]


@pytest.fixture
def groups():
    return [Group.objects.create(name=f"g{number:02d}") for number in range(12)]


def next_of(answer):
    return re.fullmatch(r'<(http://testserver/[^>]+)>; rel="next"', answer["Link"]).group(1)


def walk(client, path):
    answer = client.get(path)
    pages = [answer.json()]
    while "Link" in answer:
        answer = client.get(next_of(answer))
        pages.append(answer.json())
    return pages


@pytest.mark.parametrize("path", ["/api/probe/pages?limit=5", "/api/probe/pages?limit=4"])
def test_following_the_links_gives_every_row_once_in_order(anonymous, groups, path):
    pages = walk(anonymous, path)

    assert list(chain.from_iterable(pages)) == [group.name for group in reversed(groups)]
    assert len(pages) == 3


def test_a_sequence_is_paged_the_same_way(anonymous):
    pages = walk(anonymous, "/api/probe/rows")

    assert [[row["seq"] for row in rows] for rows in pages] == [[1, 2, 3], [4, 5, 6], [7]]


def test_the_last_page_has_no_link(anonymous):
    answer = anonymous.get("/api/probe/rows?limit=5")

    answer = anonymous.get(next_of(answer))

    assert "Link" not in answer


def test_rows_that_arrive_meanwhile_shift_nothing(anonymous, groups):
    first = anonymous.get("/api/probe/pages?limit=5")
    Group.objects.create(name="z-newest-comes-first")

    second = anonymous.get(next_of(first))

    assert second.json() == [group.name for group in reversed(groups[2:7])]


def test_the_link_keeps_the_other_parameters(anonymous, groups):
    answer = anonymous.get("/api/probe/pages?limit=2&status=x")

    assert "status=x" in next_of(answer)
    assert "limit=2" in next_of(answer)


@pytest.mark.parametrize("limit", ["0", "6", "-1", "x", "", "1.5", "٣", "9" * 30])
def test_a_bad_limit_is_refused_by_name(anonymous, limit):
    answer = anonymous.get("/api/probe/pages", {"limit": limit})

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_input")
    assert answer.json()["fields"] == {"limit": ["must be a whole number from 1 to 5"]}


@pytest.mark.parametrize(
    "after",
    ["", "x", "é", "W10=", "WzEsMl0=", "WyJhIl0=", "WyJhIiwgIngiXQ==", "WyJcdTAwMDAiLCAiMSJd"],
)
def test_a_cursor_that_is_not_ours_is_refused_by_name(anonymous, after):
    answer = anonymous.get("/api/probe/pages", {"after": after})

    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == ["after"]


def test_a_cursor_of_another_row_is_refused_for_a_sequence(anonymous):
    answer = anonymous.get("/api/probe/rows", {"after": "WyI5OSJd"})

    assert answer.status_code == 400
