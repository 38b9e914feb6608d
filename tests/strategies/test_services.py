"""Saving: content-addressed, shared, immutable, and safe when two save at once."""

from __future__ import annotations

import threading

import pytest
from django.db import IntegrityError, connection, transaction

from common.errors import InvalidInput
from strategies import queries, services
from strategies.models import Strategy, StrategyLink
from strategies.runtime import shared
from strategies.runtime.sandbox import SandboxUnavailable
from tests.factories import BotFactory, StrategyFactory, StrategyLinkFactory, UserFactory

PROGRAM = "def on_tick(ctx):\n    ctx.state = 1\n"

pytestmark = pytest.mark.django_db


def test_a_form_is_saved_with_what_it_compiles_to(alice, form):
    link = services.save_strategy(owner=alice, name="spread", config=form)

    assert (link.kind, link.config) == ("form", form)
    assert link.strategy.program.startswith('"""Compiled from a form.')
    assert link.strategy_id == services.source_hash(link.strategy.program)


def test_a_program_is_saved_as_it_is(alice):
    link = services.save_strategy(owner=alice, name="by hand", program=PROGRAM, privacy="public")

    assert (link.kind, link.config, link.privacy) == ("program", None, "public")
    assert link.strategy.program == PROGRAM


def test_equal_programs_of_two_users_are_one_strategy(alice, bob, form):
    of_alice = services.save_strategy(owner=alice, name="mine", config=form)
    of_bob = services.save_strategy(owner=bob, name="his", program=of_alice.strategy.program)

    assert of_alice.strategy == of_bob.strategy
    assert (of_alice.kind, of_bob.kind) == ("form", "program")
    assert Strategy.objects.count() == 1


def test_a_form_with_problems_is_refused_by_path(alice, form):
    form["legs"][0]["strike"]["value"] = 5

    with pytest.raises(services.InvalidConfig) as caught:
        services.save_strategy(owner=alice, name="bad", config=form)

    assert list(caught.value.fields) == ["legs[0].strike.value"]
    assert not StrategyLink.objects.exists()


def test_a_program_that_does_not_load_is_refused_by_place(alice):
    with pytest.raises(services.ProgramRefused) as caught:
        services.save_strategy(owner=alice, name="bad", program="import os\n")

    assert caught.value.fields["program"][0].startswith("line 1, column 1: `os` cannot")


@pytest.mark.parametrize("given", [{}, {"config": {}, "program": PROGRAM}])
def test_exactly_one_source_is_wanted(alice, given):
    with pytest.raises(InvalidInput, match="either config"):
        services.save_strategy(owner=alice, name="both", **given)


def test_without_a_sandbox_nothing_is_saved(alice, monkeypatch):
    def down():
        raise SandboxUnavailable("no worker")

    monkeypatch.setattr(services, "shared_sandbox", down)

    with pytest.raises(services.SandboxDown):
        services.save_strategy(owner=alice, name="x", program=PROGRAM)
    assert not Strategy.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_who_save_the_same_at_once_share_one_row():
    users = [UserFactory() for _ in range(4)]
    barrier = threading.Barrier(len(users))
    failures = []

    def save(user):
        try:
            barrier.wait()
            services.save_strategy(owner=user, name="same", program=PROGRAM)
        except Exception as error:  # told below
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=save, args=(user,)) for user in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert Strategy.objects.count() == 1
    assert StrategyLink.objects.count() == len(users)


@pytest.mark.parametrize(
    "change",
    [
        lambda row: Strategy.objects.filter(pk=row.pk).update(program="x"),
        lambda row: Strategy.objects.filter(pk=row.pk).update(created_at="2020-01-01T00:00Z"),
        lambda row: _save_with(row, program="def on_tick(ctx): pass"),
        lambda row: _sql("UPDATE strategies_strategy SET program = program || ' '"),
        lambda row: _sql("UPDATE strategies_strategy SET source_hash = md5(program)"),
    ],
)
def test_a_strategy_row_can_never_be_changed(change):
    row = StrategyFactory()
    before = Strategy.objects.values().get()

    with pytest.raises(IntegrityError, match="immutable"), transaction.atomic():
        change(row)

    assert Strategy.objects.values().get() == before


def test_a_row_under_another_programs_name_is_refused():
    with pytest.raises(IntegrityError, match="named_by_its_program"), transaction.atomic():
        StrategyFactory(source_hash="0" * 64)


def test_what_a_bot_pinned_outlives_every_link(alice):
    bot = BotFactory(owner=alice)

    services.delete_link(link=bot.strategy_link)
    bot.refresh_from_db()

    assert (bot.strategy_link, bot.strategy.program) == (None, bot.strategy.program)


def test_a_clone_is_private_and_points_at_the_same(alice, bob):
    link = StrategyLinkFactory(owner=alice, privacy="public", description="good")

    clone = services.clone_strategy(link=link, owner=bob)

    assert clone.pk != link.pk
    assert (clone.owner, clone.privacy, clone.description) == (bob, "private", "good")
    assert clone.strategy_id == link.strategy_id


def test_an_update_writes_only_what_was_sent(link):
    StrategyLink.objects.filter(pk=link.pk).update(description="changed meanwhile")

    services.update_link(link=link, changes={"name": "renamed"})
    link.refresh_from_db()

    assert (link.name, link.description) == ("renamed", "changed meanwhile")


def test_an_update_of_nothing_changes_nothing(link):
    before = StrategyLink.objects.values().get()

    services.update_link(link=link, changes={})

    assert StrategyLink.objects.values().get() == before


def test_the_preview_saves_nothing(form):
    shown = services.preview(config=form)

    assert shown.source_hash == services.source_hash(shown.program)
    assert shown.problems == []
    assert not Strategy.objects.exists()


def test_the_preview_lists_the_problems_of_a_form(form):
    form["legs"][0]["qty"] = 0
    form["entry"]["order"] = "moon"

    shown = services.preview(config=form)

    assert (shown.source_hash, shown.program) == (None, None)
    assert [problem.path for problem in shown.problems] == ["legs[0].qty", "entry.order"]


def test_the_preview_names_the_place_in_a_program():
    (problem,) = services.preview(program="def on_tick(ctx):\n    eval('1')\n").problems

    assert (problem.path, problem.line, problem.column) == ("program", 2, 5)


def test_one_sandbox_serves_the_process():
    assert shared.shared_sandbox() is shared.shared_sandbox()


def test_links_are_found_by_their_owner_only(alice, bob, link):
    assert queries.link_of(alice, link.pk) == link
    assert list(queries.links_of(bob)) == []


def _save_with(row, **changes):
    for name, value in changes.items():
        setattr(row, name, value)
    row.save()


def _sql(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
