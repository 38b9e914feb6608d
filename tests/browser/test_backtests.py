"""A backtest from the button to the curve, and a program's wrong line, in a real browser."""

from __future__ import annotations

from datetime import date

import pytest
from playwright.sync_api import Page, expect

from backtests import runner
from marketdata.models import MarketDay
from strategies.models import StrategyLink
from strategies.services import save_strategy
from tests.backtests.conftest import NEVER, packed
from tests.sessions import market
from tests.sessions.test_simulate import SPREAD

pytestmark = pytest.mark.browser


DAYS = ("2026-05-05", "2026-05-06", "2026-05-07")


@pytest.fixture
def link(owner, tmp_path) -> StrategyLink:
    """With three finished market days."""
    for day in DAYS:
        name, content = packed(day, "5960.00")
        path = tmp_path / name
        path.write_bytes(content)
        market.announce(date.fromisoformat(day))
        market.close(date.fromisoformat(day))
        MarketDay.objects.filter(pk=day).update(tape_digest="f" * 64, tape_path=str(path))
    return save_strategy(owner=owner, name="Spread", config=SPREAD)


def test_a_backtest_is_asked_for_followed_and_read(page: Page, sign_in, link) -> None:
    sign_in()
    page.goto(f"/strategies/{link.pk}")
    page.get_by_label("First day").select_option(DAYS[0])
    page.get_by_label("Last day").select_option(DAYS[-1])
    page.get_by_role("button", name="Backtest", exact=True).click()
    expect(page.get_by_text("0 of 3 days")).to_be_visible()

    runner.run_waiting(NEVER)

    report = page.locator("#backtest-report[data-status=done]")
    expect(report).to_contain_text("100.00 %")
    expect(page.locator("#equity-chart canvas")).to_be_visible()
    expect(report.locator(".cards tbody tr")).to_have_count(3)
    expect(page.get_by_role("button", name="Backtest", exact=True)).to_be_visible()


def test_the_editor_numbers_the_lines_and_marks_the_wrong_one(page: Page, sign_in, owner) -> None:
    sign_in()
    page.goto("/strategies/new?kind=program")
    source = page.locator("#field-source")

    source.fill("times = []\n\ndef at(ctx, time):\n    return (\n")
    expect(page.locator(".gutter mark")).to_have_text("✕ 4")
    page.locator("#preview mark").click()

    assert source.evaluate("area => area.value.slice(area.selectionStart, area.selectionEnd)") == (
        "    return ("
    )
    source.fill('times = ["10:00"]\n\n\ndef at(ctx, time):\n    return None\n')
    expect(page.locator(".gutter mark")).to_have_count(0)
    expect(page.locator(".gutter span")).to_have_count(6)


def test_a_leg_asks_only_for_what_its_method_needs(page: Page, sign_in, owner) -> None:
    sign_in()
    page.goto("/strategies/new?template=put-credit-spread")
    value, source = (page.locator(f"#field-legs-0-strike-{name}") for name in ("value", "from"))
    expect(value).to_be_visible()
    expect(source).to_be_hidden()

    page.locator("#field-legs-0-strike-method").select_option("atm")
    expect(value).to_be_hidden()
    page.locator("#field-legs-0-strike-method").select_option("offset")

    expect(value).to_be_visible()
    expect(source).to_be_visible()
