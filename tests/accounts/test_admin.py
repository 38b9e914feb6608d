"""The admin site: for staff, with a lock against guessing."""

import pytest
from django.test import Client
from knox.models import AuthToken

from accounts.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]
PASSWORD = "correct horse battery"


@pytest.fixture
def operator(db):
    return User.objects.create_superuser("operator@example.com", PASSWORD)


@pytest.fixture
def desk(operator):
    client = Client()
    client.force_login(operator)
    return client


def log_in(client, password, name="operator@example.com"):
    body = {"username": name, "password": password}
    return client.post("/admin/login/?next=/admin/", body)


def test_the_list_and_the_forms_of_users_open(desk, alice):
    paths = [
        "/admin/accounts/user/?q=alice@example.com",
        "/admin/accounts/user/add/",
        f"/admin/accounts/user/{alice.pk}/change/",
        f"/admin/accounts/user/{alice.pk}/password/",
    ]

    codes = [desk.get(path).status_code for path in paths]

    assert codes == [200] * 4


def test_a_user_can_be_added(desk):
    body = {"email": "carol@example.com", "password1": PASSWORD, "password2": PASSWORD}

    answer = desk.post("/admin/accounts/user/add/", body)

    assert answer.status_code == 302, answer.content.decode()
    assert User.objects.get(email="carol@example.com").check_password(PASSWORD)


def test_an_operator_can_sign_a_user_out_everywhere(desk, alice, bob):
    for user in (alice, alice, bob):
        AuthToken.objects.create(user)
    body = {"action": "revoke_tokens", "_selected_action": [str(alice.pk)]}

    desk.post("/admin/accounts/user/", body)

    assert AuthToken.objects.get().user == bob


def test_hashes_of_tokens_are_not_on_show(desk):
    assert desk.get("/admin/knox/authtoken/").status_code == 404


def test_who_is_no_staff_stays_outside(alice):
    client = Client()
    client.force_login(alice)

    answer = client.get("/admin/accounts/user/")

    assert answer.status_code == 302


def test_five_wrong_passwords_lock_the_log_in_even_for_the_right_one(operator):
    client = Client()
    for _ in range(5):
        log_in(client, "wrong")

    locked = log_in(client, PASSWORD)

    assert locked.status_code == 429
    assert client.get("/admin/").status_code == 302


def test_other_capitals_are_the_same_account_for_the_lock(operator):
    client = Client()
    for name in ("operator@example.com", "OPERATOR@example.com", "Operator@Example.com") * 2:
        log_in(client, "wrong", name)

    assert log_in(client, PASSWORD).status_code == 429


def test_capitals_do_not_matter_for_logging_in(operator):
    assert log_in(Client(), PASSWORD, "Operator@EXAMPLE.com").status_code == 302


def test_four_wrong_passwords_do_not(operator):
    client = Client()
    for _ in range(4):
        log_in(client, "wrong")

    answer = log_in(client, PASSWORD)

    assert (answer.status_code, answer["Location"]) == (302, "/admin/")


def test_wrong_passwords_at_the_api_do_not_lock_the_admin_site(operator, anonymous):
    for _ in range(6):
        anonymous.post("/api/auth/sessions", {"email": "operator@example.com", "password": "wrong"})

    answer = log_in(Client(), PASSWORD)

    assert answer.status_code == 302
