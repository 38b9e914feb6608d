from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.models import User


@pytest.fixture
def operator(db, client):
    client.force_login(User.objects.create_superuser("operator@example.com", "x"))
    return client


def page_of(bot) -> str:
    return reverse("admin:bots_bot_change", args=[bot.pk])


def test_the_list_of_bots_is_shown(operator, bot):
    response = operator.get(reverse("admin:bots_bot_changelist"), {"q": bot.owner.email})

    assert response.status_code == 200
    assert bot.name in response.content.decode()


def test_an_operator_renames_a_bot_and_cannot_touch_its_money(operator, bot):
    response = operator.post(
        page_of(bot),
        {"name": "renamed", "description": "", "cash_balance_cents": "1", "status": "archived"},
    )

    bot.refresh_from_db()
    assert response.status_code == 302
    assert (bot.name, bot.cash_balance_cents, bot.status) == ("renamed", 2_500_000, "idle")


def test_an_operator_neither_adds_nor_deletes_bots(operator, bot):
    add = operator.get(reverse("admin:bots_bot_add"))
    delete = operator.get(reverse("admin:bots_bot_delete", args=[bot.pk]))

    assert (add.status_code, delete.status_code) == (403, 403)
