from __future__ import annotations

import pytest
from django.test import Client
from knox.models import AuthToken

from dashboard.forms import account as account_forms


def save(browser, alice, **changes: str):
    typed = account_forms.values_of(alice) | {
        name.replace("__", "."): value for name, value in changes.items()
    }
    return browser.post("/account", typed, follow=True)


def test_a_new_token_is_shown_once_and_opens_the_api(browser) -> None:
    answer = browser.post("/account/tokens")
    token = answer.context["new_token"]
    again = browser.get("/account").content.decode()

    assert token in answer.content.decode()
    assert token not in again
    assert Client().get("/api/user", headers={"Authorization": token}).status_code == 200


def test_a_revoked_token_opens_nothing_any_more(browser, alice) -> None:
    token, text = AuthToken.objects.create(alice)

    browser.post(f"/account/tokens/{token.details.pk}/revoke")

    assert Client().get("/api/user", headers={"Authorization": text}).status_code == 401


def test_nobody_revokes_somebody_elses_token(browser, bob) -> None:
    token, _ = AuthToken.objects.create(bob)

    answer = browser.post(f"/account/tokens/{token.details.pk}/revoke")

    assert answer.status_code == 404
    assert AuthToken.objects.filter(user=bob).exists()


def test_a_token_that_may_only_read_is_listed_so_and_cannot_start_anything(browser) -> None:
    answer = browser.post("/account/tokens", {"name": "Monitor", "scope": "read"})
    page = answer.content.decode()

    refused = Client().post("/api/bots", headers={"Authorization": answer.context["new_token"]})

    assert "Monitor" in page
    assert "read only" in page
    assert refused.status_code == 403


def test_only_ones_own_tokens_are_listed(browser, alice, bob) -> None:
    AuthToken.objects.create(bob)

    assert "No token yet." in browser.get("/account").content.decode()


def test_fees_and_slippage_are_saved_in_cents(browser, alice) -> None:
    save(browser, alice, fee_schedule__open="1.10", slippage="0")

    alice.refresh_from_db()
    assert (alice.open_fee_cents, alice.close_fee_cents, alice.slippage_cents) == (110, 72, 0)


MONEY_RULE = 'must be dollars and whole cents, like "12.50", from 0 to'


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("fee_schedule__open", "101", f"{MONEY_RULE} 100"),
        ("fee_schedule__close", "much", f"{MONEY_RULE} 100"),
        ("slippage", "0.005", f"{MONEY_RULE} 5"),
        ("slippage", "", f"{MONEY_RULE} 5"),
    ],
)
def test_a_wrong_amount_is_said_beside_its_field(browser, alice, field, value, reason) -> None:
    answer = save(browser, alice, **{field: value})

    wrong = {item.name: item.errors for item in answer.context["form"].wrong_fields}
    before = (alice.open_fee_cents, alice.close_fee_cents, alice.slippage_cents)
    alice.refresh_from_db()
    assert answer.status_code == 400
    assert wrong == {field.replace("__", "."): (reason,)}
    assert (alice.open_fee_cents, alice.close_fee_cents, alice.slippage_cents) == before
