"""Limits, against the real Redis: bursts, refills, Retry-After, and life without Redis."""

import hashlib
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from common import redis_client, throttles
from common.throttles import LocalBuckets, Rate, take

pytestmark = [pytest.mark.django_db]
DEAD_REDIS = "redis://127.0.0.1:1/0"


@pytest.fixture
def rates(settings):
    def narrow(**scopes):
        settings.THROTTLE_RATES = settings.THROTTLE_RATES | {
            scope: {"burst": burst, "refill_per_minute": refill}
            for scope, (burst, refill) in scopes.items()
        }

    return narrow


@pytest.fixture
def ident():
    return str(uuid4())


def codes_of(client, path, times):
    return [client.get(path).status_code for _ in range(times)]


@pytest.mark.usefixtures("probes")
def test_a_user_beyond_the_burst_is_told_when_to_come_back(alice, client_for, rates):
    rates(user=(3, 30))
    client = client_for(alice)
    codes_of(client, "/api/probe/limited", 3)

    refused = client.get("/api/probe/limited")

    assert (refused.status_code, refused.json()["error"]) == (429, "rate_limit_exceeded")
    assert refused["Retry-After"] == "2"
    assert refused.json()["message"] == "Too many requests; try again in 2 s."


@pytest.mark.usefixtures("probes")
def test_all_tokens_of_a_user_share_one_limit(alice, client_for, rates):
    rates(user=(2, 1))
    codes_of(client_for(alice), "/api/probe/limited", 2)

    codes = codes_of(client_for(alice), "/api/probe/limited", 1)

    assert codes == [429]


@pytest.mark.usefixtures("probes")
def test_one_user_does_not_spend_the_limit_of_another(alice, bob, client_for, rates):
    rates(user=(1, 1))
    codes_of(client_for(alice), "/api/probe/limited", 2)

    codes = codes_of(client_for(bob), "/api/probe/limited", 1)

    assert codes == [200]


@pytest.mark.usefixtures("probes")
def test_health_is_never_limited(anonymous, rates):
    rates(user=(1, 1))

    codes = codes_of(anonymous, "/api/health", 5)

    assert codes == [200] * 5


def test_the_auth_limit_is_per_address_over_all_its_calls(anonymous, rates):
    rates(auth_ip=(2, 10))
    anonymous.post("/api/auth/sessions", {})
    anonymous.post("/api/auth/register", {})

    refused = anonymous.post("/api/auth/verify-email", {})

    assert (refused.status_code, refused["Retry-After"]) == (429, "6")


def test_a_forwarded_address_is_not_believed(anonymous, rates):
    rates(auth_ip=(1, 1))
    anonymous.post("/api/auth/sessions", {}, headers={"X-Forwarded-For": "10.0.0.1"})

    refused = anonymous.post("/api/auth/sessions", {}, headers={"X-Forwarded-For": "10.0.0.2"})

    assert refused.status_code == 429


def test_clients_without_an_address_share_one_limit(rates):
    rates(auth_ip=(1, 1))
    nowhere = APIClient(REMOTE_ADDR="")
    nowhere.post("/api/auth/sessions", {})

    refused = nowhere.post("/api/auth/sessions", {})

    assert refused.status_code == 429


def test_guesses_at_one_account_from_many_addresses_are_limited(rates, ident):
    rates(auth_account=(2, 1))
    guesses = [
        APIClient(REMOTE_ADDR=str(uuid4())).post(
            "/api/auth/sessions", {"email": f"{spelling}@example.com", "password": "x"}
        )
        for spelling in (ident, ident.upper(), ident)
    ]

    assert [guess.status_code for guess in guesses] == [401, 401, 429]


def test_a_bucket_refills_with_time(ident):
    rate = Rate(burst=1, refill_per_minute=600)
    take(scope="test", ident=ident, rate=rate)
    wait_ms = take(scope="test", ident=ident, rate=rate)

    time.sleep(wait_ms / 1000 + 0.01)

    assert 0 < wait_ms <= 100
    assert take(scope="test", ident=ident, rate=rate) == 0


def test_a_refused_request_does_not_push_the_end_of_the_wait_away(ident):
    rate = Rate(burst=1, refill_per_minute=60)
    take(scope="test", ident=ident, rate=rate)

    waits = [take(scope="test", ident=ident, rate=rate) for _ in range(20)]

    assert waits == sorted(waits, reverse=True)


def test_a_bucket_never_holds_more_than_its_burst(ident):
    rate = Rate(burst=2, refill_per_minute=6000)
    take(scope="test", ident=ident, rate=rate)
    time.sleep(0.1)

    waits = [take(scope="test", ident=ident, rate=Rate(2, 0.1)) for _ in range(3)]

    assert [wait > 0 for wait in waits] == [False, False, True]


def test_parallel_requests_get_exactly_the_burst(ident):
    rate = Rate(burst=10, refill_per_minute=0.1)

    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda _: take(scope="test", ident=ident, rate=rate), range(60)))

    assert waits.count(0) == 10


def test_a_full_bucket_leaves_no_key_behind(ident):
    take(scope="test", ident=ident, rate=Rate(burst=1, refill_per_minute=60))

    key = next(iter(redis_client.client().scan_iter(f"zerohour:throttle:test:{hashed(ident)}")))

    assert 0 < redis_client.client().pttl(key) <= 1000


def hashed(ident):
    return hashlib.sha256(ident.encode()).hexdigest()[:32]


@pytest.mark.usefixtures("probes")
def test_without_redis_users_are_served_and_it_is_logged(
    alice, client_for, rates, settings, caplog
):
    rates(user=(1, 1))
    settings.REDIS_URL = DEAD_REDIS

    with caplog.at_level(logging.WARNING, logger="common.throttles"):
        codes = codes_of(client_for(alice), "/api/probe/limited", 3)

    assert codes == [200] * 3
    assert "the user limit runs without Redis" in caplog.text


def test_without_redis_the_auth_limit_holds_in_this_process(anonymous, rates, settings):
    rates(auth_ip=(2, 10))
    settings.REDIS_URL = DEAD_REDIS

    codes = [anonymous.post("/api/auth/sessions", {}).status_code for _ in range(3)]

    assert codes == [400, 400, 429]


def test_local_buckets_refill_and_do_not_grow_without_end(monkeypatch):
    clock = iter([0.0, 0.0, 1.0, 1.0, 1.0])
    monkeypatch.setattr(throttles.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(LocalBuckets, "MOST", 2)
    buckets = LocalBuckets()
    rate = Rate(burst=1, refill_per_minute=60)

    waits = [buckets.take(scope="s", ident=name, rate=rate) for name in ("a", "a", "a", "b", "c")]

    assert waits == [0, 1000, 0, 0, 0]
    assert len(buckets._buckets) == 1
