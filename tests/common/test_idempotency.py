"""The same key: one effect and one answer, also in parallel and after failures."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connections
from django.utils import timezone

from common import services, tasks
from common.models import IdempotencyKey
from tests.common import probes

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("probes")]
KEY = {"Idempotency-Key": "order-1"}


@pytest.fixture
def client(alice, client_for):
    return client_for(alice)


def make(client, body=None, path="/api/probe/groups", **headers):
    return client.post(path, body or {"name": "g"}, headers=headers or KEY)


def test_a_repeat_gets_the_first_answer_byte_for_byte_and_has_no_effect(client):
    first = make(client)

    again = make(client)

    assert (again.status_code, again.content) == (201, first.content)
    assert again["Content-Type"] == first["Content-Type"]
    assert (first.get("Idempotent-Replayed"), again["Idempotent-Replayed"]) == (None, "true")
    assert Group.objects.count() == 1


def test_a_trailing_slash_is_the_same_request(client):
    make(client)

    again = make(client, path="/api/probe/groups/")

    assert again["Idempotent-Replayed"] == "true"


def test_without_the_header_every_request_counts(client):
    client.post("/api/probe/groups", {"name": "g"})
    client.post("/api/probe/groups", {"name": "g"})

    assert Group.objects.count() == 2
    assert not IdempotencyKey.objects.exists()


@pytest.mark.parametrize(
    "other", [{"body": {"name": "h"}}, {"path": "/api/probe/other"}], ids=["body", "path"]
)
def test_the_same_key_for_another_request_is_refused(client, other):
    make(client)

    refused = make(client, **other)

    assert (refused.status_code, refused.json()["error"]) == (422, "idempotency_key_reused")
    assert Group.objects.count() == 1


def test_keys_belong_to_their_user(client, bob, client_for):
    make(client)

    make(client_for(bob))

    assert Group.objects.count() == 2


@pytest.mark.parametrize("key", ["", " ", "two words", "ü", "x" * 256, "tab\tbed"])
def test_a_malformed_key_is_refused(client, key):
    refused = make(client, **{"Idempotency-Key": key})

    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_input")
    assert not Group.objects.exists()


def test_a_refusal_is_kept_too_and_what_was_written_before_it_is_not(client):
    body = {"name": "g", "fail": "refusal"}
    first = make(client, body)

    again = make(client, body)

    assert (first.status_code, again.status_code) == (409, 409)
    assert again.content == first.content
    assert again["Idempotent-Replayed"] == "true"
    assert not Group.objects.exists()


@pytest.mark.parametrize(("kind", "status"), [("bug", 500), ("database", 503)])
def test_a_failure_of_ours_is_not_kept_and_leaves_nothing(client, kind, status):
    failed = make(client, {"name": "g", "fail": kind})

    assert failed.status_code == status
    assert not Group.objects.exists()
    assert not IdempotencyKey.objects.exists()


def test_after_a_failure_of_ours_the_key_can_be_used_again(client):
    make(client, {"name": "g", "fail": "bug"})

    retried = make(client)

    assert retried.status_code == 201


def test_a_request_that_is_not_signed_in_uses_no_key(anonymous):
    refused = make(anonymous)

    assert refused.status_code == 401
    assert not IdempotencyKey.objects.exists()


def test_after_24_hours_the_key_is_free(client):
    make(client)
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))

    again = make(client, {"name": "other"})

    assert again.status_code == 201
    assert Group.objects.count() == 2


def test_cleaning_up_forgets_what_is_older_than_24_hours_and_only_that(client):
    now = timezone.now()
    for key, age in (("old", timedelta(hours=24)), ("young", timedelta(hours=23, minutes=59))):
        make(client, **{"Idempotency-Key": key})
        IdempotencyKey.objects.filter(key=key).update(created_at=now - age)

    deleted = services.delete_expired_idempotency_keys(now=now)

    assert deleted == 1
    assert IdempotencyKey.objects.get().key == "young"


def test_the_hourly_task_cleans_up_and_tolerates_newer_arguments(client):
    make(client)
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(days=2))

    tasks.clean_up(newer="argument")

    assert not IdempotencyKey.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_parallel_repeats_have_one_effect_and_identical_answers(alice, client_for):
    clients = [client_for(alice) for _ in range(8)]
    start = threading.Barrier(len(clients))
    probes.COMMITTED.clear()

    def post(client):
        start.wait()
        try:
            return make(client, {"name": "g", "sleep": 0.3})
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(clients)) as pool:
        answers = list(pool.map(post, clients))

    assert {(answer.status_code, answer.content) for answer in answers} == {
        (201, answers[0].content)
    }
    assert sum("Idempotent-Replayed" in answer for answer in answers) == len(clients) - 1
    assert Group.objects.count() == 1
    assert len(probes.COMMITTED) == 1


@pytest.mark.django_db(transaction=True)
def test_a_repeat_that_waited_for_a_failure_goes_ahead_itself(alice, client_for):
    first, second = client_for(alice), client_for(alice)
    probes.Groups.running.clear()

    def fail_slowly():
        try:
            return make(first, {"name": "g", "sleep": 0.3, "fail": "bug"})
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        failing = pool.submit(fail_slowly)
        probes.Groups.running.wait(5)
        answer = make(second)

    assert (failing.result().status_code, answer.status_code) == (500, 201)
    assert Group.objects.count() == 1
