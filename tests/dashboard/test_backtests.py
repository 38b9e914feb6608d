"""A strategy's backtests on its page: asked for, followed, read, taken away; nobody else's."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest
from django.utils import timezone

from backtests import claims, runner, services
from backtests.models import Backtest, Status
from tests.backtests.conftest import (  # noqa: F401  fixtures
    DAYS,
    NEVER,
    link,
    record,
    recorded,
    start,
    tape_dir,
)
from tests.factories import BotFactory, StrategyLinkFactory

# ruff: noqa: F811  fixtures are named as they are imported


def wish(**changes: str) -> dict[str, str]:
    return {"first": DAYS[0], "last": DAYS[2], "capital": "25,000", "policy": "", **changes}


def ask(browser, link, **changes: str):
    return browser.post(f"/strategies/{link.pk}/backtests", wish(**changes))


def errors_of(answer) -> dict[str, tuple[str, ...]]:
    return {field.name: field.errors for field in answer.context["backtests"].form.wrong_fields}


@pytest.fixture
def done(start, recorded) -> Backtest:
    """Three days that were run."""
    backtest = start()
    runner.run_waiting(NEVER)
    return Backtest.objects.get(pk=backtest.pk)


def test_without_a_recorded_day_the_page_says_how_there_will_be_one(browser, link, tape_dir):
    page = browser.get(f"/strategies/{link.pk}").content.decode()

    assert "No finished market day is recorded yet" in page
    assert ">Backtest</button>" not in page


def test_every_recorded_day_is_offered_and_all_are_chosen(browser, link, recorded):
    form = browser.get(f"/strategies/{link.pk}").context["backtests"].form

    first, last, *_ = form.groups[0].fields
    assert [value for value, _ in first.options] == list(DAYS)
    assert (first.value, last.value) == (DAYS[0], DAYS[2])


def test_it_is_asked_for_and_waits_on_the_strategys_page(browser, alice, link, recorded):
    answer = ask(browser, link)

    backtest = Backtest.objects.get(owner=alice)
    page = browser.get(f"/strategies/{link.pk}").content.decode()
    assert answer["Location"] == f"/strategies/{link.pk}#backtest"
    assert (backtest.capital_cents, backtest.day_count) == (2_500_000, 3)
    assert "waiting for a process" in page
    assert "0 of 3 days, 0 %" in page
    assert f'hx-get="/dashboard/backtests/{backtest.pk}"' in page


def test_a_bots_limits_can_be_used(browser, alice, link, recorded):
    bot = BotFactory(owner=alice, name="Careful")
    bot.policy["max_open_orders"] = 2
    bot.save()

    ask(browser, link, policy=str(bot.pk))

    backtest = Backtest.objects.get()
    assert (backtest.policy["max_open_orders"], backtest.policy_name) == (2, "Careful")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"capital": "much"}, "capital"),
        ({"capital": "1"}, "capital"),
        ({"first": "yesterday"}, "first"),
        ({"first": DAYS[2], "last": DAYS[0]}, "last"),
        ({"policy": "nonsense"}, "policy"),
        ({"policy": str(uuid4())}, "policy"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(browser, link, recorded, changes, field):
    answer = ask(browser, link, **changes)

    assert answer.status_code == 400
    assert "Not started:" in answer.content.decode()
    assert errors_of(answer).keys() == {field}
    assert not Backtest.objects.exists()


def test_somebody_elses_bot_lends_no_limits(browser, bob, link, recorded):
    answer = ask(browser, link, policy=str(BotFactory(owner=bob).pk))

    assert errors_of(answer) == {"policy": ("must be one of your bots",)}


def test_a_second_one_at_once_is_refused_with_the_reason(browser, link, recorded, start):
    start()

    answer = ask(browser, link)

    assert answer.status_code == 409
    assert "under way" in answer.content.decode()
    assert Backtest.objects.count() == 1


def test_the_result_is_shown_with_its_days_and_digest(browser, link, done):
    page = browser.get(f"/strategies/{link.pk}").content.decode()

    assert 'data-status="done"' in page
    assert "66.66 %" in page
    assert all(f"{date.fromisoformat(day):%a %d %b %Y}" in page for day in DAYS)
    assert done.digest in page
    assert f'data-url="/dashboard/backtests/{done.pk}/equity"' in page
    assert "hx-get" not in page.split('id="backtest-report"')[1].split(">")[0]


def test_the_curve_is_the_balance_after_each_day(browser, done):
    line = browser.get(f"/dashboard/backtests/{done.pk}/equity").json()

    closing = list(done.days.values_list("final_nlv_cents", flat=True))
    assert line["closing_balance_cents"] == closing
    assert len(line["at"]) == 3


def test_the_days_are_a_file_in_plain_decimals(browser, done):
    answer = browser.get(f"/backtests/{done.pk}.csv")

    heading, first, *others = answer.content.decode().splitlines()
    assert heading.startswith("date,outcome,status,reason,opening_balance,total_pl,total_fees")
    assert first.startswith(f"{DAYS[0]},ran,completed,,25000,")
    assert len(others) == 2
    assert answer["Content-Type"] == "text/csv; charset=utf-8"


def test_the_page_is_read_again_when_it_has_ended(browser, start, recorded):
    backtest = start()
    running = browser.get(f"/dashboard/backtests/{backtest.pk}")
    runner.run_waiting(NEVER)

    ended = browser.get(f"/dashboard/backtests/{backtest.pk}")

    assert "HX-Refresh" not in running
    assert ended["HX-Refresh"] == "true"


def test_progress_counts_the_day_under_way(browser, start, recorded):
    backtest = start()
    claims.keep(claims.claim(now=timezone.now()), day_pct=50)

    page = browser.get(f"/dashboard/backtests/{backtest.pk}").content.decode()

    assert "0 of 3 days, 16 %" in page


def test_it_is_canceled_from_its_page(browser, link, start, recorded):
    backtest = start()

    answer = browser.post(f"/backtests/{backtest.pk}/cancel", follow=True)

    backtest.refresh_from_db()
    assert backtest.status == Status.CANCELED
    assert "is canceled" in answer.content.decode()


def test_an_earlier_one_can_be_chosen(browser, link, done, start):
    newer = start()
    services.cancel(backtest=newer, now=timezone.now())

    newest = browser.get(f"/strategies/{link.pk}")
    chosen = browser.get(f"/strategies/{link.pk}?backtest={done.pk}")

    assert newest.context["backtests"].report.backtest == newer
    assert chosen.context["backtests"].report.backtest == done


def test_anybodys_public_strategy_can_be_tested_and_the_result_is_ones_own(
    strangers_browser, browser, bob, link, recorded
):
    link.privacy = "public"
    link.save()

    ask(strangers_browser, link)

    assert Backtest.objects.get().owner == bob
    assert browser.get(f"/strategies/{link.pk}").context["backtests"].report is None


def test_what_is_somebody_elses_is_not_there(strangers_browser, done, alice):
    private = StrategyLinkFactory(owner=alice)

    for address in (
        f"/dashboard/backtests/{done.pk}",
        f"/dashboard/backtests/{done.pk}/equity",
        f"/backtests/{done.pk}.csv",
    ):
        assert strangers_browser.get(address).status_code == 404, address
    assert strangers_browser.post(f"/backtests/{done.pk}/cancel").status_code == 404
    assert ask(strangers_browser, private).status_code == 404


def test_without_signing_in_a_public_strategy_shows_no_backtest(client, link, done):
    link.privacy = "public"
    link.save()

    page = client.get(f"/strategies/{link.pk}").content.decode()

    assert "Backtest" not in page
    assert client.get(f"/backtests/{done.pk}.csv").status_code == 302
