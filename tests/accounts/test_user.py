"""GET and PATCH /user: who you are, and what trading costs you."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(alice, client_for):
    return client_for(alice)


def test_the_user_has_the_contracts_defaults(client, alice):
    answer = client.get("/api/user")

    assert answer.status_code == 200
    assert answer.json() == {
        "id": str(alice.pk),
        "email": "alice@example.com",
        "fee_schedule": {"open": "1.72", "close": "0.72", "exercise": "5.00"},
        "slippage": "0.05",
    }


@pytest.mark.parametrize("method", ["get", "patch"])
def test_nobody_signed_in_is_unauthorized(anonymous, method):
    refused = getattr(anonymous, method)("/api/user")

    assert (refused.status_code, refused.json()["error"]) == (401, "unauthorized")


def test_a_change_of_one_fee_leaves_the_others(client):
    answer = client.patch("/api/user", {"fee_schedule": {"close": "0.5"}})

    assert answer.status_code == 200
    assert answer.json()["fee_schedule"] == {"open": "1.72", "close": "0.50", "exercise": "5.00"}
    assert client.get("/api/user").json() == answer.json()


def test_everything_can_be_changed_at_once(client):
    fees = {"open": "0", "close": 1, "exercise": "100"}

    answer = client.patch("/api/user", {"fee_schedule": fees, "slippage": 0.1})

    assert answer.json()["fee_schedule"] == {"open": "0.00", "close": "1.00", "exercise": "100.00"}
    assert answer.json()["slippage"] == "0.10"


def test_an_empty_change_changes_nothing(client):
    before = client.get("/api/user").json()

    answer = client.patch("/api/user", {})

    assert (answer.status_code, answer.json()) == (200, before)


def test_a_change_is_ones_own(client, bob):
    client.patch("/api/user", {"slippage": "1"})

    bob.refresh_from_db()
    assert bob.slippage_cents == 5


@pytest.mark.parametrize("fee", ["open", "close", "exercise"])
@pytest.mark.parametrize(("value", "cents"), [("0", 0), ("0.01", 1), ("99.99", 9999), (100, 10000)])
def test_fees_on_and_inside_their_bounds_are_accepted(client, alice, fee, value, cents):
    answer = client.patch("/api/user", {"fee_schedule": {fee: value}})

    alice.refresh_from_db()
    assert answer.status_code == 200
    assert getattr(alice, f"{fee}_fee_cents") == cents


@pytest.mark.parametrize("fee", ["open", "close", "exercise"])
@pytest.mark.parametrize("value", ["-0.01", "100.01", "1.005", "free", None, True, [], "1e1"])
def test_fees_outside_are_refused_under_their_path(client, fee, value):
    refused = client.patch("/api/user", {"fee_schedule": {fee: value}})

    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_input")
    assert list(refused.json()["fields"]) == [f"fee_schedule.{fee}"]


@pytest.mark.parametrize(("value", "cents"), [("0", 0), ("0.05", 5), ("4.99", 499), (5, 500)])
def test_slippage_on_and_inside_its_bounds_is_accepted(client, alice, value, cents):
    answer = client.patch("/api/user", {"slippage": value})

    alice.refresh_from_db()
    assert answer.status_code == 200
    assert alice.slippage_cents == cents


@pytest.mark.parametrize("value", ["-0.01", "5.01", "0.001", None, {}])
def test_slippage_outside_is_refused(client, value):
    refused = client.patch("/api/user", {"slippage": value})

    assert (refused.status_code, list(refused.json()["fields"])) == (400, ["slippage"])


def test_one_bad_field_leaves_the_good_ones_unwritten(client, alice):
    client.patch("/api/user", {"slippage": "1", "fee_schedule": {"open": "-1"}})

    alice.refresh_from_db()
    assert alice.slippage_cents == 5


@pytest.mark.parametrize("value", [None, [], "1.72", 5])
def test_a_fee_schedule_is_an_object(client, value):
    refused = client.patch("/api/user", {"fee_schedule": value})

    assert (refused.status_code, list(refused.json()["fields"])) == (400, ["fee_schedule"])


@pytest.mark.parametrize(
    "field", ["id", "email", "password", "is_staff", "is_superuser", "is_active", "slippage_cents"]
)
def test_nothing_else_can_be_written(client, alice, field):
    refused = client.patch("/api/user", {field: "1", "slippage": "1"})

    before = {name: getattr(alice, name) for name in (field, "slippage_cents")}
    alice.refresh_from_db()
    assert (refused.status_code, list(refused.json()["fields"])) == (400, [field])
    assert {name: getattr(alice, name) for name in before} == before


@pytest.mark.django_db(transaction=True)
def test_parallel_changes_of_different_fields_lose_nothing(alice, client_for):
    changes = [
        {"slippage": "1"},
        {"fee_schedule": {"open": "2"}},
        {"fee_schedule": {"close": "3"}},
        {"fee_schedule": {"exercise": "4"}},
    ]
    clients = [client_for(alice) for _ in changes]
    start = threading.Barrier(len(changes))

    def patch(client, change):
        start.wait()
        try:
            return client.patch("/api/user", change).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(changes)) as pool:
        codes = list(pool.map(patch, clients, changes))

    user = User.objects.get()
    assert codes == [200] * 4
    assert user.slippage_cents == 100
    assert (user.open_fee_cents, user.close_fee_cents, user.exercise_fee_cents) == (200, 300, 400)
