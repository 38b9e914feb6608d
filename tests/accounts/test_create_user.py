"""`bin/manage create_user`: for operators; the token is the last line."""

import re
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from accounts.models import User

pytestmark = pytest.mark.django_db
ADDRESS = "carol@example.com"


@pytest.fixture
def create_user(capsys):
    def run(*arguments):
        call_command("create_user", *arguments)
        return capsys.readouterr().out.splitlines()

    return run


def works(token):
    return APIClient().get("/api/user", headers={"Authorization": token}).status_code == 200


def test_the_last_line_is_a_token_that_works(create_user):
    lines = create_user(ADDRESS, "--password", "pw")

    assert re.fullmatch("[0-9a-f]{32}", lines[-1])
    assert works(lines[-1])


def test_the_new_user_can_sign_in_and_has_no_rights(create_user, anonymous):
    create_user("Carol@Example.com", "--password", "pw")

    user = User.objects.get()
    answer = anonymous.post("/api/auth/sessions", {"email": ADDRESS, "password": "pw"})
    assert answer.status_code == 201
    assert not user.is_staff
    assert not user.is_superuser


def test_staff_may_use_the_admin_site(create_user):
    create_user(ADDRESS, "--password", "pw", "--staff")

    user = User.objects.get()
    assert user.is_staff
    assert user.is_superuser


def test_token_only_prints_a_further_token_and_nothing_else(create_user):
    first = create_user(ADDRESS, "--password", "pw")[-1]

    lines = create_user(ADDRESS.upper(), "--token-only")

    assert len(lines) == 1
    assert lines[0] != first
    assert works(first)
    assert works(lines[0])


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["nobody@example.com", "--token-only"], "there is no user nobody@example.com"),
        (["alice@example.com", "--password", "pw"], "exists; --token-only"),
        (["ALICE@example.com", "--password", "pw"], "exists; --token-only"),
        (["carol", "--password", "pw"], "'carol' is not an e-mail address"),
        ([ADDRESS], "needs --password"),
        ([ADDRESS, "--password", ""], "needs --password"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(create_user, alice, arguments, reason):
    with pytest.raises(CommandError) as refused:
        create_user(*arguments)

    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.returncode == 2
    assert User.objects.count() == 1


def test_the_process_exits_with_2_and_one_line_on_stderr():
    run = subprocess.run(
        [sys.executable, "manage.py", "create_user", "carol", "--password", "pw"],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 2
    assert run.stdout == ""
    assert run.stderr.strip().splitlines() == ["CommandError: 'carol' is not an e-mail address"]
