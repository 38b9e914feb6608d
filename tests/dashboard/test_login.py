from __future__ import annotations

import pytest
from django.test import Client

from tests.factories import PASSWORD


def sign_in(browser: Client, email: str, password: str = PASSWORD, **more: str):
    return browser.post("/login", {"username": email, "password": password, **more})


def test_a_user_signs_in_by_e_mail_however_it_is_capitalised(alice) -> None:
    browser = Client()

    answer = sign_in(browser, "Alice@Example.com")

    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert browser.get("/").status_code == 200


def test_a_wrong_password_says_so_without_telling_which_was_wrong(alice) -> None:
    known = sign_in(Client(), alice.email, "wrong")
    unknown = sign_in(Client(), "nobody@example.com", "wrong")

    for answer in (known, unknown):
        assert "The e-mail address or the password is wrong." in answer.content.decode()


def test_five_wrong_passwords_lock_the_log_in_on_a_page_that_says_so(alice) -> None:
    browser = Client()
    for _ in range(5):
        answer = sign_in(browser, alice.email, "wrong")

    assert "Too many wrong passwords" in answer.content.decode()
    assert sign_in(browser, alice.email).status_code == 429


@pytest.mark.parametrize(
    ("wanted", "lands_on"),
    [("/market", "/market"), ("https://evil.example/", "/"), ("//evil.example", "/")],
)
def test_signing_in_leads_back_but_never_to_another_site(alice, wanted, lands_on) -> None:
    answer = sign_in(Client(), alice.email, next=wanted)

    assert answer["Location"] == lands_on


def test_signing_out_takes_a_post_and_ends_the_session(browser) -> None:
    by_link = browser.get("/logout")
    still_in = browser.get("/").status_code
    by_form = browser.post("/logout")

    assert (by_link.status_code, still_in) == (405, 200)
    assert by_form["Location"] == "/login"
    assert browser.get("/").status_code == 302
