"""The form builder: every form there and back, legs more and less, what it would do."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import QueryDict
from hypothesis import given

from dashboard.forms import builder
from strategies.form import normalise
from strategies.models import StrategyLink
from strategies.templates import TEMPLATES
from tests.factories import BotFactory, StrategyLinkFactory
from tests.sessions.conftest import SPREAD
from tests.strategies.test_any_form import forms

CONFIG = normalise({"legs": SPREAD, "entry": {"time": "10:00"}})


def typed(config: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """What a browser sends of the filled fields: a check that is off is not sent at all."""
    values = {**builder.values_of(config, name="Mine"), "kind": "builder", **changes}
    return {name: value for name, value in values.items() if value is not False}


def sent(body: dict[str, Any]) -> dict[str, Any]:
    query = QueryDict(mutable=True)
    for name, value in body.items():
        query.setlist(name, value if isinstance(value, list) else [str(value)])
    return builder.sent_values(query)


@given(forms)
def test_any_form_comes_back_from_its_fields_as_it_was(form) -> None:
    canonical = normalise(form)

    assert normalise(builder.config_of(sent(typed(canonical)))) == canonical


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.id)
def test_every_template_fills_the_builder_and_is_saved_as_it_is(browser, alice, template) -> None:
    page = browser.get(f"/strategies/new?template={template.id}")
    fields = [field for group in page.context["form"].groups for field in group.fields]
    body = {field.name: field.value for field in fields if field.value is not False}

    browser.post(
        "/strategies/new", {**body, "kind": "builder", "legs": page.context["values"]["legs"]}
    )

    link = StrategyLink.objects.get(owner=alice)
    assert (link.name, link.config) == (template.name, normalise(template.config))


def test_what_is_wrong_stands_beside_its_field(browser) -> None:
    body = typed(
        CONFIG, **{"legs[0].strike.value": "5000", "exit.time": "25:00", "entry.times": ""}
    )

    answer = browser.post("/strategies/new", body)

    errors = {field.name: field.errors for field in answer.context["form"].wrong_fields}
    assert answer.status_code == 400
    assert errors.keys() == {"legs[0].strike.value", "exit.time", "entry.times"}
    assert 'id="field-legs-0-strike-value-error"' in answer.content.decode()


def test_a_leg_is_added_and_nothing_is_saved(browser, alice) -> None:
    answer = browser.post("/strategies/new", typed(CONFIG, action="add-leg"))

    assert answer.context["values"]["legs"] == 3
    assert "Leg 2" in answer.content.decode()
    assert not StrategyLink.objects.exists()


def test_a_removed_leg_takes_the_offsets_of_the_others_with_it() -> None:
    condor = next(t for t in TEMPLATES if t.id == "iron-condor").config

    values = sent(typed(normalise(condor), action="remove-leg-0"))

    legs = builder.config_of(values)["legs"]
    assert [(leg["direction"], leg["type"]) for leg in legs] == [
        ("buy", "put"),
        ("sell", "call"),
        ("buy", "call"),
    ]
    assert legs[2]["strike"]["from"] == 1  # was leg 2


@pytest.mark.parametrize("action", ["remove-leg-9", "remove-leg-x", "remove-leg-", "dance"])
def test_a_button_that_is_not_there_changes_nothing(action) -> None:
    assert sent(typed(CONFIG, action=action))["legs"] == 2


def test_a_count_of_legs_that_is_none_is_none() -> None:
    assert sent(typed(CONFIG, legs="many"))["legs"] == 0
    assert sent(typed(CONFIG, legs="99"))["legs"] == 8


def preview(browser, body: dict[str, Any]) -> str:
    return browser.post("/dashboard/strategy-preview", body).content.decode()


def test_the_preview_shows_the_trade_on_the_latest_chain(browser, open_market) -> None:
    page = preview(browser, typed(CONFIG))

    assert "2.45 cr" in page
    assert "$2,255.00" in page
    assert "5,942.55" in page
    assert "a daily cap of 9.02 % is one losing trade" in page
    assert "<polyline" in page
    assert "def at(ctx, time)" in page
    assert not StrategyLink.objects.exists()


def test_a_loss_beyond_the_default_cap_is_pointed_out(browser, open_market) -> None:
    page = preview(browser, typed(CONFIG))

    assert "default cap of 5.00 %, $1,250.00, halts the day before one of them" in page


def test_a_loss_below_the_default_cap_is_counted_in_it(browser, open_market) -> None:
    page = preview(browser, typed(CONFIG, balance="100000"))

    assert "default cap of 5.00 %, $5,000.00, is 2.2 of them" in page


def test_the_drawing_names_the_most_and_the_least_in_sight(browser, open_market) -> None:
    drawn = browser.post("/dashboard/strategy-preview", typed(CONFIG)).context["trial"].payoff

    most, least = drawn.levels
    assert (most.profit_cents, least.profit_cents) == (24_500, -225_500)
    assert most.y < drawn.zero_y < least.y


def test_the_preview_counts_the_account_that_was_typed(browser, open_market) -> None:
    assert "a daily cap of 2.25 % is" in preview(browser, typed(CONFIG, balance="100000"))


def test_the_preview_names_what_is_wrong(browser, open_market) -> None:
    page = preview(browser, typed(CONFIG, **{"entry.times": "noon"}))

    assert "Not ready" in page
    assert "entry.times[0]" in page


def test_before_any_market_ran_the_preview_shows_the_program(browser, db) -> None:
    page = preview(browser, typed(CONFIG))

    assert "The market has not published a tick yet" in page
    assert "def at(ctx, time)" in page


def test_a_program_that_does_not_parse_is_shown_around_its_line(browser, db) -> None:
    source = "times = []\n\n\ndef at(ctx, time):\n    return (\n"

    page = preview(browser, {"kind": "program", "name": "", "description": "", "source": source})

    assert '<mark data-line="5">5      return (</mark>' in page


def test_a_saved_form_can_be_changed_into_another(browser, alice) -> None:
    link = StrategyLinkFactory(owner=alice, kind="form", config=CONFIG, name="First")

    page = browser.get(f"/strategies/new?from={link.pk}")

    assert page.context["kind"] == "builder"
    assert page.context["values"]["name"] == "First"
    assert page.context["values"]["legs[1].strike.value"] == "-25"


def test_a_saved_program_opens_in_the_editor(browser, alice) -> None:
    link = StrategyLinkFactory(owner=alice)

    page = browser.get(f"/strategies/new?from={link.pk}")

    assert (page.context["kind"], page.context["values"]["source"]) == (
        "program",
        link.strategy.program,
    )


@pytest.mark.parametrize("origin", ["nonsense", "00000000-0000-0000-0000-000000000001"])
def test_what_is_not_there_cannot_be_changed(browser, origin) -> None:
    assert browser.get(f"/strategies/new?from={origin}").status_code == 404


def test_name_description_and_link_are_changed_and_nothing_else(browser, alice) -> None:
    link = StrategyLinkFactory(owner=alice)
    before = link.strategy_id

    browser.post(
        f"/strategies/{link.pk}/edit", {"name": "New", "description": "Why", "public": "on"}
    )

    link.refresh_from_db()
    assert (link.name, link.description, link.privacy) == ("New", "Why", "public")
    assert link.strategy_id == before


def test_a_name_that_cannot_be_is_refused_with_the_reason(browser, alice) -> None:
    link = StrategyLinkFactory(owner=alice, name="Old")

    page = browser.post(f"/strategies/{link.pk}/edit", {"name": ""}, follow=True).content.decode()

    link.refresh_from_db()
    assert link.name == "Old"
    assert "Not saved: name" in page


def test_a_public_strategy_is_read_without_signing_in(client, alice) -> None:
    public = StrategyLinkFactory(owner=alice, privacy="public", name="Shared")
    private = StrategyLinkFactory(owner=alice, name="Mine alone")

    page = client.get(f"/strategies/{public.pk}")
    refused = client.get(f"/strategies/{private.pk}")

    assert "Shared" in page.content.decode()
    assert "Clone" not in page.content.decode()
    assert refused.status_code == 302  # to the log-in: it may be the visitor's own


def test_deleting_asks_first_and_names_the_bots_that_keep_it(browser, alice) -> None:
    link = StrategyLinkFactory(owner=alice, name="Old one")
    BotFactory(owner=alice, strategy_link=link, name="Keeper")

    question = browser.get(f"/strategies/{link.pk}/delete").content.decode()
    browser.post(f"/strategies/{link.pk}/delete")

    assert "Keeper" in question
    assert not StrategyLink.objects.exists()


@pytest.mark.parametrize("action", ["edit", "delete"])
def test_what_is_somebody_elses_cannot_be_changed(strangers_browser, alice, action) -> None:
    link = StrategyLinkFactory(owner=alice, privacy="public")

    answer = strangers_browser.post(f"/strategies/{link.pk}/{action}", {"name": "Taken"})

    link.refresh_from_db()
    assert answer.status_code == 404
    assert link.name != "Taken"
