"""POST /auth/register: the code is good once, for 15 minutes, and dead after five wrong tries."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import codes, tasks
from accounts.models import EmailCode, User

pytestmark = pytest.mark.django_db
ADDRESS = "carol@example.com"
CODE = "042042"
PASSWORD = "correct horse battery"
WRONG = "999999"


@pytest.fixture
def code():
    codes.send_code(email=ADDRESS, now=timezone.now(), make_code=lambda: CODE)


def register(client, email=ADDRESS, code=CODE, password=PASSWORD, **more):
    body = {"email": email, "verification_code": code, "password": password, **more}
    return client.post("/api/auth/register", body)


def refused_for_code(answer):
    return (answer.status_code, answer.json()["error"]) == (400, "invalid_verification_code")


def age(**by):
    EmailCode.objects.update(sent_at=timezone.now() - timedelta(**by))


def test_the_right_code_makes_a_user_and_a_token_that_works(anonymous, code):
    answer = register(anonymous)

    token = answer.json()["token"]
    assert answer.status_code == 201
    assert anonymous.get("/api/user", headers={"Authorization": token}).json()["email"] == ADDRESS


def test_the_address_is_the_same_in_any_capitals_and_stored_in_small_ones(anonymous, code):
    register(anonymous, email="Carol@EXAMPLE.com")

    assert User.objects.get().email == ADDRESS


def test_the_password_is_kept_as_typed_and_hashed(anonymous, code):
    register(anonymous, password="  spaces and ünïcode  ")

    user = User.objects.get()
    assert user.check_password("  spaces and ünïcode  ")
    assert "spaces" not in user.password


def test_a_new_user_has_the_default_costs_and_no_rights(anonymous, code):
    register(anonymous)

    user = User.objects.get()
    assert (user.open_fee_cents, user.close_fee_cents) == (172, 72)
    assert (user.exercise_fee_cents, user.slippage_cents) == (500, 5)
    assert not user.is_staff
    assert not user.is_superuser


def test_a_wrong_code_is_refused_by_name(anonymous, code):
    answer = register(anonymous, code=WRONG)

    assert refused_for_code(answer)
    assert list(answer.json()["fields"]) == ["verification_code"]
    assert not User.objects.exists()


def test_a_code_of_another_address_is_refused(anonymous, code):
    assert refused_for_code(register(anonymous, email="dave@example.com"))


def test_the_right_code_after_four_wrong_tries_is_accepted(anonymous, code):
    for _ in range(4):
        register(anonymous, code=WRONG)

    assert register(anonymous).status_code == 201


def test_five_wrong_tries_lock_the_code(anonymous, code):
    for _ in range(5):
        register(anonymous, code=WRONG)

    assert refused_for_code(register(anonymous))
    assert not User.objects.exists()


def test_a_code_lives_fifteen_minutes_and_not_a_second_longer(anonymous, code):
    age(minutes=15)
    late = register(anonymous)
    age(minutes=14, seconds=58)

    in_time = register(anonymous)

    assert refused_for_code(late)
    assert in_time.status_code == 201


def test_a_code_is_good_for_one_registration(anonymous, code):
    register(anonymous)

    assert refused_for_code(register(anonymous))


def test_a_weak_password_is_refused_and_costs_no_try(anonymous, code):
    answers = [register(anonymous, password=weak) for weak in ("short", "password123", ADDRESS) * 2]

    assert {answer.status_code for answer in answers} == {400}
    assert {answer.json()["error"] for answer in answers} == {"invalid_input"}
    assert {tuple(answer.json()["fields"]) for answer in answers} == {("password",)}
    assert register(anonymous).status_code == 201


def test_an_address_with_an_account_is_told_so_only_with_the_right_code(anonymous, alice):
    codes.send_code(email=alice.email, now=timezone.now(), make_code=lambda: CODE)

    guessed = register(anonymous, email=alice.email, code=WRONG)
    proved = register(anonymous, email=alice.email)

    assert refused_for_code(guessed)
    assert (proved.status_code, proved.json()["error"]) == (409, "email_taken")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("code", "12345"),
        ("code", "1234567"),
        ("code", "12345a"),
        ("code", "123 456"),
        ("code", "٠٤٢٠٤٢"),
        ("code", 123456),
        ("code", None),
        ("password", ""),
        ("password", None),
        ("password", 12345678),
        ("password", "x" * 129),
        ("email", "x"),
        ("email", None),
    ],
)
def test_a_malformed_field_is_refused_by_name_and_costs_no_try(anonymous, code, field, value):
    answer = register(anonymous, **{field: value})

    name = "verification_code" if field == "code" else field
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_input")
    assert list(answer.json()["fields"]) == [name]
    assert EmailCode.objects.get().tries == 0


@pytest.mark.parametrize("field", ["is_staff", "is_superuser", "id", "open_fee_cents"])
def test_nobody_can_write_what_is_ours(anonymous, code, field):
    answer = register(anonymous, **{field: 1})

    assert list(answer.json()["fields"]) == [field]
    assert not User.objects.exists()


def test_cleaning_up_forgets_codes_that_are_over_and_only_those(code):
    codes.send_code(email="dave@example.com", now=timezone.now())
    EmailCode.objects.filter(email=ADDRESS).update(sent_at=timezone.now() - timedelta(minutes=15))

    tasks.clean_up(newer="argument")

    assert EmailCode.objects.get().email == "dave@example.com"


def in_parallel(calls):
    start = threading.Barrier(len(calls))

    def run(call):
        start.wait()
        try:
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@pytest.mark.django_db(transaction=True)
def test_parallel_registrations_with_one_code_make_one_user(code):
    answers = in_parallel([lambda: register(APIClient())] * 5)

    codes_seen = sorted(answer.status_code for answer in answers)
    assert codes_seen[0] == 201
    assert set(codes_seen[1:]) <= {400, 409}
    assert User.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_parallel_guesses_get_five_tries_together(code):
    in_parallel([lambda: register(APIClient(), code=WRONG)] * 10)

    assert EmailCode.objects.get().tries == 5


@pytest.mark.django_db(transaction=True)
def test_parallel_requests_send_one_mail(mailoutbox):
    answers = in_parallel(
        [lambda: APIClient().post("/api/auth/verify-email", {"email": ADDRESS})] * 5
    )

    assert sorted(answer.status_code for answer in answers) == [204, 429, 429, 429, 429]
    assert len(mailoutbox) == 1
