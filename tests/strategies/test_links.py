"""Saved strategies listed, read, changed, cloned and deleted, by whom they belong to."""

from __future__ import annotations

import uuid

import pytest

from strategies.models import StrategyLink
from tests.factories import BotFactory, StrategyLinkFactory
from tests.strategies.answers import refusal

PROGRAM = "def on_tick(ctx):\n    ctx.state = 1\n"


def test_the_list_is_ones_own_newest_first(owner, alice, bob):
    links = [StrategyLinkFactory(owner=alice, name=f"{n}") for n in range(3)]
    StrategyLinkFactory(owner=bob, privacy="public")

    rows = owner.get("/api/strategies").json()

    assert [row["id"] for row in rows] == [str(link.pk) for link in reversed(links)]


def test_a_long_list_comes_in_pages(owner, alice):
    for _ in range(3):
        StrategyLinkFactory(owner=alice)

    first = owner.get("/api/strategies?limit=2")
    following = owner.get(first["Link"].split(">")[0].lstrip("<"))

    assert (len(first.json()), len(following.json())) == (2, 1)


def test_a_list_costs_the_same_however_long(owner, alice, django_assert_max_num_queries):
    for _ in range(5):
        StrategyLinkFactory(owner=alice)

    with django_assert_max_num_queries(3):
        owner.get("/api/strategies")


def test_a_link_is_read_by_its_owner(owner, link):
    assert owner.get(f"/api/strategies/{link.pk}").json()["id"] == str(link.pk)


def test_a_public_link_is_read_without_a_token_and_by_strangers(anonymous, stranger, alice):
    public = StrategyLinkFactory(owner=alice, privacy="public")

    for client in (anonymous, stranger):
        assert client.get(f"/api/strategies/{public.pk}").status_code == 200


def test_a_private_link_cannot_be_told_from_none(anonymous, stranger, link):
    for link_id in (link.pk, uuid.uuid4()):
        assert refusal(anonymous.get(f"/api/strategies/{link_id}")) == (401, "unauthorized")
        assert refusal(stranger.get(f"/api/strategies/{link_id}")) == (404, "not_found")


def test_a_link_is_renamed_described_and_shared(owner, link):
    changes = {"name": "new", "description": "better", "privacy": "public"}

    response = owner.patch(f"/api/strategies/{link.pk}", changes)

    assert response.status_code == 200
    assert response.json().items() >= changes.items()


@pytest.mark.parametrize("field", ["config", "program", "kind", "source_hash", "id"])
def test_what_a_strategy_runs_cannot_be_patched(owner, link, field):
    response = owner.patch(f"/api/strategies/{link.pk}", {field: PROGRAM})

    assert refusal(response) == (400, "invalid_input")
    assert field in response.json()["fields"]


def test_a_deleted_link_is_gone_and_its_bots_run_on(owner, alice):
    bot = BotFactory(owner=alice)

    assert owner.delete(f"/api/strategies/{bot.strategy_link_id}").status_code == 204

    assert owner.get(f"/api/strategies/{bot.strategy_link_id}").status_code == 404
    pinned = owner.get(f"/api/bots/{bot.pk}").json()["bot"]
    assert pinned["strategy_id"] is None
    assert pinned["strategy"]["source_hash"] == bot.strategy_id


def test_ones_own_and_public_links_are_cloned(owner, stranger, alice):
    public = StrategyLinkFactory(owner=alice, privacy="public")

    clones = [client.post(f"/api/strategies/{public.pk}/clone") for client in (owner, stranger)]

    assert [clone.status_code for clone in clones] == [201, 201]
    assert {clone.json()["source_hash"] for clone in clones} == {public.strategy_id}
    assert {clone.json()["privacy"] for clone in clones} == {"private"}
    assert stranger.get(f"/api/strategies/{clones[1].json()['id']}").status_code == 200


def test_a_clone_takes_no_fields(owner, link):
    response = owner.post(f"/api/strategies/{link.pk}/clone", {"name": "mine"})

    assert refusal(response) == (400, "invalid_input")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", ""),
        ("post", ""),
        ("post", "/preview"),
        ("patch", "/{id}"),
        ("delete", "/{id}"),
        ("post", "/{id}/clone"),
    ],
)
def test_without_a_token_nothing_is_done(anonymous, link, method, path):
    response = getattr(anonymous, method)(f"/api/strategies{path.format(id=link.pk)}", {})

    assert refusal(response) == (401, "unauthorized")
    assert StrategyLink.objects.count() == 1


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("get", "", None),
        ("patch", "", {"name": "mine"}),
        ("delete", "", None),
        ("post", "/clone", {}),
    ],
)
def test_somebody_elses_link_does_not_exist(stranger, link, method, path, body):
    response = getattr(stranger, method)(f"/api/strategies/{link.pk}{path}", body)

    assert refusal(response) == (404, "not_found")
    assert StrategyLink.objects.get(pk=link.pk).name == link.name


@pytest.mark.parametrize(("method", "body"), [("patch", {"name": "mine"}), ("delete", None)])
def test_a_public_link_is_still_its_owners_alone(stranger, alice, method, body):
    public = StrategyLinkFactory(owner=alice, privacy="public")

    response = getattr(stranger, method)(f"/api/strategies/{public.pk}", body)

    assert refusal(response) == (404, "not_found")


def test_a_malformed_id_is_not_found(owner):
    assert refusal(owner.get("/api/strategies/latest")) == (404, "not_found")


def test_the_admin_site_only_shows_strategies(alice, client, link):
    alice.is_staff = alice.is_superuser = True
    alice.save()
    client.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")

    page = client.get(f"/admin/strategies/strategy/{link.strategy_id}/change/")
    refused = client.post(
        f"/admin/strategies/strategy/{link.strategy_id}/change/", {"program": "x"}
    )
    gone = client.post(f"/admin/strategies/strategy/{link.strategy_id}/delete/", {"post": "yes"})

    assert page.status_code == 200
    assert (refused.status_code, gone.status_code) == (403, 403)
    assert client.get("/admin/strategies/strategylink/").status_code == 200
