from __future__ import annotations

import json

import pytest

from strategies.models import StrategyLink
from strategies.templates import TEMPLATES
from tests.factories import PROGRAM, BotFactory, StrategyLinkFactory

FORM = json.dumps(TEMPLATES[2].config)


def post(browser, source: str, kind: str = "form", **more: str):
    body = {"kind": kind, "name": "Mine", "description": "", "source": source, **more}
    return browser.post("/strategies/new", body, follow=True)


def problems(answer) -> dict[str, tuple[str, ...]]:
    return {field.name: field.errors for field in answer.context["form"].wrong_fields}


def test_the_list_shows_ones_own_and_offers_every_template(browser, alice, bob) -> None:
    StrategyLinkFactory(owner=alice, name="Mine")
    StrategyLinkFactory(owner=bob, name="Not mine")

    page = browser.get("/strategies").content.decode()

    assert "Not mine" not in page
    assert ">Mine</a>" in page
    assert all(f"?template={template.id}" in page for template in TEMPLATES)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.id)
def test_every_template_fills_a_form_that_can_be_saved_as_it_is(browser, alice, template) -> None:
    page = browser.get(f"/strategies/new?kind=form&template={template.id}")
    fields = page.context["form"].groups[0].fields
    typed = {field.name: field.value for field in fields}

    browser.post("/strategies/new", {"kind": "form", **typed})

    assert StrategyLink.objects.get(owner=alice).name == template.name


def test_a_saved_form_leads_to_its_page_with_the_compiled_program(browser) -> None:
    page = post(browser, FORM).content.decode()

    assert "Mine is saved" in page
    assert "Compiled from the form" in page
    assert "times =" in page


def test_a_saved_form_is_shown_in_the_order_people_write_it(browser) -> None:
    page = post(browser, FORM)

    shown = page.context["config"]
    assert list(shown) == ["legs", "entry", "exit", "sizing"]
    assert list(shown["legs"][0]) == ["direction", "type", "qty", "strike"]
    assert shown == StrategyLink.objects.get().config


def test_a_program_is_saved_with_the_line_ends_of_everybody(browser) -> None:
    post(browser, PROGRAM.replace("\n", "\r\n"), "program")

    assert StrategyLink.objects.get().strategy.program == PROGRAM


def test_a_form_that_is_no_json_is_refused_with_the_place(browser) -> None:
    answer = post(browser, '{"legs": [}')

    (why,) = problems(answer)["source"]
    assert answer.status_code == 400
    assert "line 1 column 11" in why
    assert not StrategyLink.objects.exists()


def test_a_form_with_a_wrong_value_is_refused_with_its_path(browser) -> None:
    config = {**TEMPLATES[2].config, "sizing": {"contracts": 0}}

    answer = post(browser, json.dumps(config))

    assert problems(answer)["source"] == (
        "sizing.contracts: must be a whole number from 1 to 1000",
    )


def test_a_program_that_does_not_parse_is_refused_with_its_line(browser) -> None:
    answer = post(browser, "times = [\n", "program")

    assert "line" in problems(answer)["source"][0]
    assert "times = [" in answer.content.decode()


def test_a_name_is_needed(browser) -> None:
    assert "name" in problems(post(browser, FORM, name=""))


def test_checking_shows_the_program_and_saves_nothing(browser) -> None:
    page = post(browser, FORM, action="check").content.decode()

    assert "Nothing is wrong with it" in page
    assert "def at(" in page
    assert not StrategyLink.objects.exists()


def test_checking_names_what_saving_would_refuse(browser) -> None:
    answer = post(browser, "{}", action="check")

    assert answer.status_code == 400
    assert "source" in problems(answer)


def test_a_strategys_page_names_only_ones_own_bots(browser, alice, bob) -> None:
    link = StrategyLinkFactory(owner=alice, privacy="public")
    BotFactory(owner=alice, strategy_link=link, name="Mine")
    BotFactory(owner=bob, strategy_link=link, name="Hers")

    page = browser.get(f"/strategies/{link.pk}").content.decode()

    assert "Mine" in page
    assert "Hers" not in page


def test_a_public_strategy_of_somebody_else_can_be_read_and_cloned(browser, alice, bob) -> None:
    link = StrategyLinkFactory(owner=bob, privacy="public", name="Shared")

    page = browser.get(f"/strategies/{link.pk}").content.decode()
    answer = browser.post(f"/strategies/{link.pk}/clone")

    clone = StrategyLink.objects.get(owner=alice)
    assert "New bot with it" not in page
    assert answer["Location"] == f"/strategies/{clone.pk}"
    assert (clone.strategy_id, clone.privacy) == (link.strategy_id, "private")


def test_a_private_strategy_of_somebody_else_cannot_be_cloned(browser, alice, bob) -> None:
    link = StrategyLinkFactory(owner=bob)

    answer = browser.post(f"/strategies/{link.pk}/clone")

    assert answer.status_code == 404
    assert not StrategyLink.objects.filter(owner=alice).exists()
