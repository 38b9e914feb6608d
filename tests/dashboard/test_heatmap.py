from __future__ import annotations

from datetime import date, timedelta

from bots.summary import Day
from dashboard.reads.heatmap import WEEKS_SHOWN, Cell, heatmap

THURSDAY = date(2026, 5, 7)


def day(trading_date: date, total_pl_cents: int) -> Day:
    return Day(trading_date, 2_500_000, total_pl_cents)


def test_without_a_settled_day_there_is_nothing_to_draw() -> None:
    assert heatmap([]) is None


def test_a_day_stands_in_the_row_of_its_weekday_and_the_last_week_is_the_last_column() -> None:
    rows = dict(heatmap([day(THURSDAY - timedelta(days=7), -2_500), day(THURSDAY, 10_000)]).rows)

    assert rows["Thu"][-1] == Cell(THURSDAY, 10_000, shade=4)
    assert rows["Thu"][-2] == Cell(THURSDAY - timedelta(days=7), -2_500, shade=1)
    assert rows["Fri"][-1] == Cell(THURSDAY + timedelta(days=1))
    assert {len(cells) for cells in rows.values()} == {WEEKS_SHOWN}


def test_the_shade_is_the_share_of_the_largest_day_in_quarters_rounded_up() -> None:
    results = [4_000, 3_001, 3_000, -1_000, 1]
    days = [
        day(THURSDAY - timedelta(days=3 - number), result) for number, result in enumerate(results)
    ]

    cells = [cell for _, row in heatmap(days).rows for cell in row if cell.shade]

    assert {cell.total_pl_cents: cell.shade for cell in cells} == {
        4_000: 4,
        3_001: 4,
        3_000: 3,
        -1_000: 1,
        1: 1,
    }


def test_a_flat_day_is_a_day_though() -> None:
    (flat,) = [cell for _, row in heatmap([day(THURSDAY, 0)]).rows for cell in row if cell.shade]

    assert flat == Cell(THURSDAY, 0, shade=1)


def test_days_before_the_weeks_shown_do_not_set_the_shades() -> None:
    old = day(THURSDAY - timedelta(weeks=40), 1_000_000)

    (cell,) = [c for _, row in heatmap([old, day(THURSDAY, 50)]).rows for c in row if c.shade]

    assert cell.shade == 4


def test_a_month_is_named_above_its_first_week() -> None:
    months = heatmap([day(THURSDAY, 1)]).months

    assert months[-1] == "May"  # Monday 4 May
    assert months[-2] == ""  # 27 April
    assert months[-5] == "Apr"  # 6 April
