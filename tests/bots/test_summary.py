from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis.strategies import integers, lists

from bots.summary import Day, SparklinePoint, Summary, divided, summarise
from sessions.lifecycle import LIVE, Status
from tests.factories import TODAY, BotFactory, BotSessionFactory

MONDAY = date(2026, 5, 4)


def days_of(*totals: int, opening: int = 2_500_000) -> list[Day]:
    days = []
    for age, total in enumerate(totals):
        days.append(Day(MONDAY + timedelta(days=age), opening, total))
        opening += total
    return days


def ran(bot, *totals: int) -> None:
    for day in days_of(*totals):
        BotSessionFactory(
            bot=bot,
            trading_date=day.trading_date,
            opening_balance_cents=day.opening_balance_cents,
            total_pl_cents=day.total_pl_cents,
            settled=True,
        )


def test_without_a_day_the_counts_are_zero_and_the_rest_is_none():
    assert summarise([]) == Summary()


def test_a_roll_up_computed_by_hand():
    win, loss, flat = days_of(10_001, -4_000, 0)

    assert summarise([win, loss, flat]) == Summary(
        total_sessions=3,
        win_count=1,
        loss_count=1,
        win_rate_bp=3333,
        total_pl_cents=6001,
        best_day=win,
        worst_day=loss,
        average_day_pl_cents=2000,
        sparkline=(
            SparklinePoint(win, 10_001),
            SparklinePoint(loss, 6001),
            SparklinePoint(flat, 6001),
        ),
    )


def test_of_equal_days_the_earliest_is_best_and_worst():
    first, second = days_of(500, 500)

    summary = summarise([first, second])

    assert (summary.best_day, summary.worst_day) == (first, first)


@pytest.mark.parametrize(
    ("amount", "count", "rounded"),
    [(1, 2, 1), (-1, 2, -1), (1, 3, 0), (2, 3, 1), (-2, 3, -1), (5, 1, 5), (0, 7, 0), (-7, 2, -4)],
)
def test_division_rounds_half_away_from_zero(amount, count, rounded):
    assert divided(amount, count) == rounded


@given(lists(integers(-(10**9), 10**9), min_size=1, max_size=300))
def test_the_roll_up_agrees_with_its_days(totals):
    days = days_of(*totals)

    summary = summarise(days)

    last = summary.sparkline[-1]
    assert last.cumulative_pl_cents == summary.total_pl_cents == sum(totals)
    assert last.day.closing_balance_cents == days[0].opening_balance_cents + sum(totals)
    assert abs(summary.average_day_pl_cents - Fraction(sum(totals), len(totals))) <= Fraction(1, 2)
    assert summary.win_count + summary.loss_count + totals.count(0) == len(totals)
    assert summary.worst_day.total_pl_cents <= summary.best_day.total_pl_cents


def test_the_answer_is_the_roll_up_of_the_contract(owner, bot):
    ran(bot, 24_020, -8_000, 15_220)

    response = owner.get(f"/api/bots/{bot.pk}/summary")

    assert response.status_code == 200
    assert response.json() == {
        "total_sessions": 3,
        "win_count": 2,
        "loss_count": 1,
        "win_rate_pct": "66.67",
        "total_pl": "312.40",
        "best_day": {"date": "2026-05-04", "total_pl": "240.20"},
        "worst_day": {"date": "2026-05-05", "total_pl": "-80"},
        "average_day_pl": "104.13",
        "sparkline": [
            {
                "date": "2026-05-04",
                "total_pl": "240.20",
                "cumulative_pl": "240.20",
                "closing_balance": "25240.20",
            },
            {
                "date": "2026-05-05",
                "total_pl": "-80",
                "cumulative_pl": "160.20",
                "closing_balance": "25160.20",
            },
            {
                "date": "2026-05-06",
                "total_pl": "152.20",
                "cumulative_pl": "312.40",
                "closing_balance": "25312.40",
            },
        ],
    }


def test_without_a_settled_session_the_answer_is_zeros_and_nulls(owner, bot):
    BotSessionFactory(bot=bot)

    response = owner.get(f"/api/bots/{bot.pk}/summary")

    assert response.json() == {
        "total_sessions": 0,
        "win_count": 0,
        "loss_count": 0,
        "win_rate_pct": None,
        "total_pl": None,
        "best_day": None,
        "worst_day": None,
        "average_day_pl": None,
        "sparkline": [],
    }


@pytest.mark.parametrize("status", sorted({*LIVE, Status.KILLED, Status.HALTED}))
def test_only_settled_sessions_count(owner, bot, status):
    ran(bot, 100)
    BotSessionFactory(bot=bot, trading_date=TODAY, status=status)

    summary = owner.get(f"/api/bots/{bot.pk}/summary").json()

    assert (summary["total_sessions"], summary["total_pl"]) == (1, "1")


@pytest.mark.parametrize("status", [Status.KILLED, Status.HALTED, Status.FAILED])
def test_a_session_that_ended_early_counts_once_it_is_settled(owner, bot, status):
    BotSessionFactory(bot=bot, settled=True, status=status, total_pl_cents=-250)

    summary = owner.get(f"/api/bots/{bot.pk}/summary").json()

    assert (summary["loss_count"], summary["total_pl"]) == (1, "-2.50")


def test_an_archived_bot_keeps_its_summary(owner, alice):
    bot = BotFactory(owner=alice, archived=True)
    ran(bot, 100)

    response = owner.get(f"/api/bots/{bot.pk}/summary")

    assert (response.status_code, response.json()["total_sessions"]) == (200, 1)


def test_a_strangers_summary_does_not_exist(stranger, bot):
    response = stranger.get(f"/api/bots/{bot.pk}/summary")

    assert (response.status_code, response.json()["error"]) == (404, "not_found")


def test_without_a_token_there_is_no_summary(anonymous, bot):
    response = anonymous.get(f"/api/bots/{bot.pk}/summary")

    assert (response.status_code, response.json()["error"]) == (401, "unauthorized")
