from __future__ import annotations

import pytest
from django.test import Client

from bots.models import Bot
from dashboard.forms import bot as bot_forms
from simengine.policy import Policy
from tests.factories import BotFactory, StrategyLinkFactory


@pytest.fixture
def link(alice):
    return StrategyLinkFactory(owner=alice, name="Condor")


@pytest.fixture
def bot(alice, link):
    return BotFactory(owner=alice, name="Spread", strategy_link=link)


def typed(values: dict, **changes: object) -> dict:
    """What a browser posts of the form: an unticked box is not sent at all."""
    merged = {**values, **{name.replace("__", "."): value for name, value in changes.items()}}
    return {
        name: "on" if value is True else value
        for name, value in merged.items()
        if value is not False
    }


def edit(browser: Client, bot: Bot, **changes: object):
    return browser.post(
        f"/bots/{bot.pk}/edit", typed(bot_forms.values_of(bot), **changes), follow=True
    )


def create(browser: Client, link, **changes: object):
    values = bot_forms.new_values(str(link.pk))
    return browser.post("/bots/new", typed(values, **{"name": "Fresh", **changes}), follow=True)


def test_a_new_bot_has_what_was_typed_and_the_defaults(browser, link) -> None:
    create(browser, link, starting_capital="50000", max_daily_loss_pct="2", description="A\r\nB")

    bot = Bot.objects.get(name="Fresh")
    assert bot.starting_capital_cents == 5_000_000
    assert bot.description == "A\nB"
    assert Policy.from_json(bot.policy) == Policy(max_daily_loss_e4=200)
    assert not bot.auto_start


def test_the_form_of_a_new_bot_is_filled_with_the_apis_own_defaults() -> None:
    values = bot_forms.new_values()
    checked = {name: value for name, value in values.items() if name != "strategy_id"}

    body = bot_forms.body_of(checked, is_new=False)

    policy = {name: body[name] for name in Policy().as_json()}
    assert Policy.from_json(policy) == Policy()


def test_without_a_strategy_the_page_leads_to_saving_one_first(browser) -> None:
    assert "Save a strategy first" in browser.get("/bots/new").content.decode()


def test_the_strategy_a_link_names_is_chosen_already(browser, link) -> None:
    page = browser.get(f"/bots/new?strategy={link.pk}").content.decode()

    assert f'<option value="{link.pk}" selected>Condor</option>' in page


def test_somebody_elses_strategy_is_refused_beside_the_field(browser, link) -> None:
    foreign = StrategyLinkFactory()

    answer = create(browser, foreign)

    assert answer.status_code == 403
    assert "You have no saved strategy with this id." in answer.content.decode()
    assert not Bot.objects.filter(name="Fresh").exists()


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("max_daily_loss_pct", "60", bot_forms.DAILY_LOSS_RULE),
        ("max_daily_loss_pct", "much", bot_forms.DAILY_LOSS_RULE),
        ("max_daily_loss_pct", "1.005", bot_forms.DAILY_LOSS_RULE),
        ("max_open_positions", "0", "must be a whole number from 1 to 100"),
        ("max_open_orders", "", "must be a whole number from 1 to 50"),
        ("reprice__opening__max_concession", "0.07", "must be a multiple of 0.05 from 0 to 10"),
        ("reprice__closing__nudge_after_seconds", "601", "must be a whole number from 1 to 600"),
        ("name", "", "must be a string of 1 to 80 characters"),
        (
            "schedule__weekdays",
            [],
            "must be one or more of mon, tue, wed, thu, fri, each once",
        ),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_saved(
    browser, bot, field, value, reason
) -> None:
    before = Policy.from_json(bot.policy)

    answer = edit(browser, bot, **{field: value})

    name = field.replace("__", ".")
    form = answer.context["form"]
    bot.refresh_from_db()
    assert answer.status_code == 400
    assert {item.name: item.errors for item in form.wrong_fields} == {name: (reason,)}
    assert f'id="field-{name.replace(".", "-")}-error"' in answer.content.decode()
    assert (Policy.from_json(bot.policy), bot.name) == (before, "Spread")


def test_what_was_typed_stays_when_it_is_refused(browser, bot) -> None:
    page = edit(browser, bot, max_open_positions="zero", error_budget="7").content.decode()

    assert 'value="zero"' in page
    assert 'value="7"' in page


def test_an_edit_changes_the_bot_and_says_from_when_on(browser, bot) -> None:
    answer = edit(
        browser,
        bot,
        max_daily_loss_pct="1.5",
        auto_pause_on_error=False,
        reprice__opening__enabled=False,
        reprice__opening__max_concession="0.10",
        schedule__auto_start=True,
        schedule__weekdays=["mon", "fri"],
    )

    bot.refresh_from_db()
    policy = Policy.from_json(bot.policy)
    assert policy.max_daily_loss_e4 == 150
    assert not policy.auto_pause_on_error
    assert (policy.opening.enabled, policy.opening.max_concession_cents) == (False, 10)
    assert policy.closing == Policy().closing
    assert (bot.auto_start, bot.weekdays) == (True, ["mon", "fri"])
    assert "Changes take effect with the next session" in answer.content.decode()


def test_saving_the_form_untouched_changes_nothing(browser, bot) -> None:
    before = (bot.name, bot.description, bot.policy, bot.auto_start, bot.weekdays)

    edit(browser, bot)

    bot.refresh_from_db()
    assert (bot.name, bot.description, bot.policy, bot.auto_start, bot.weekdays) == before


def test_a_taken_name_is_said_beside_the_name(browser, bot, alice) -> None:
    BotFactory(owner=alice, name="Taken")

    answer = edit(browser, bot, name="Taken")

    (field,) = answer.context["form"].wrong_fields
    assert answer.status_code == 409
    assert field.name == "name"


@pytest.mark.parametrize("percent", ["0.5", "50", "2.25"])
def test_the_daily_loss_rule_states_the_bounds_that_hold(browser, bot, percent) -> None:
    assert edit(browser, bot, max_daily_loss_pct=percent).status_code == 200


@pytest.mark.parametrize("percent", ["0.49", "50.01", "-2"])
def test_one_step_outside_the_stated_bounds_is_refused(browser, bot, percent) -> None:
    assert edit(browser, bot, max_daily_loss_pct=percent).status_code == 400


def test_a_name_that_is_markup_is_shown_as_text(browser, bot) -> None:
    edit(browser, bot, name="<script>alert(1)</script>")

    page = browser.get("/").content.decode()

    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
