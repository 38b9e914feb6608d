"""Health, readiness, the OpenAPI document, the docs, llms.txt: for everybody, without a token."""

import pytest
import yaml
from django.db import OperationalError

from common import health

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("probes")]


@pytest.fixture(autouse=True)
def check(monkeypatch):
    """The market's own check is left out here; this registers another one in its place."""
    others = {name: check for name, check in health._checks.items() if name != "market"}
    monkeypatch.setattr(health, "_checks", others)

    def register(answer):
        health.register("market", answer)

    return register


@pytest.mark.parametrize("path", ["/api/health", "/health", "/api/health/"])
def test_health_says_alive_without_a_query(anonymous, path, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = anonymous.get(path)

    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("path", ["/api/ready", "/ready"])
def test_ready_names_what_was_checked(anonymous, check, path):
    check(lambda: None)

    answer = anonymous.get(path)

    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "checks": ["database", "redis", "market"]}


def test_not_ready_names_what_is_down_and_why(anonymous, check):
    check(lambda: "no heartbeat for 12 s")

    answer = anonymous.get("/api/ready")

    assert answer.status_code == 503
    assert answer.json() == {
        "error": "not_ready",
        "message": "Not ready: market: no heartbeat for 12 s.",
        "fields": {"market": ["no heartbeat for 12 s"]},
    }


def test_a_check_that_breaks_counts_as_down_and_gives_nothing_away(anonymous, check):
    def broken():
        raise RuntimeError("secret")

    check(broken)

    answer = anonymous.get("/api/ready")

    assert answer.json()["fields"] == {"market": ["the check failed (RuntimeError)"]}


def test_a_silent_redis_is_named(anonymous, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    answer = anonymous.get("/api/ready")

    assert answer.json()["fields"] == {"redis": ["does not answer"]}


def test_a_silent_database_is_named(anonymous, monkeypatch):
    def refuse():
        raise OperationalError("secret")

    monkeypatch.setattr(health.connection, "cursor", refuse)

    answer = anonymous.get("/api/ready")

    assert answer.json()["fields"] == {"database": ["does not answer"]}


def test_a_bad_token_does_not_close_what_is_open(anonymous):
    answer = anonymous.get("/api/health", headers={"Authorization": "nonsense"})

    assert answer.status_code == 200


def test_the_document_is_yaml_with_paths_relative_to_the_base_url(anonymous):
    answer = anonymous.get("/api/openapi.yaml")

    document = yaml.safe_load(answer.content)
    assert answer["Content-Type"].startswith("application/yaml")
    assert document["servers"][0]["url"] == "/api"
    assert "/health" in document["paths"]
    assert not any(path.startswith("/api") or path.endswith("/") for path in document["paths"])


def test_the_docs_page_loads_only_files_of_our_own(anonymous):
    answer = anonymous.get("/api/docs")

    page = answer.content.decode()
    assert answer["Content-Type"].startswith("text/html")
    assert "default-src 'self'" in answer["Content-Security-Policy"]
    assert 'data-document="/api/openapi.yaml"' in page
    assert "://" not in page
    assert "<style" not in page
    assert "<script>" not in page


def test_a_wrong_method_on_the_docs_is_json_like_everything_else(anonymous):
    answer = anonymous.post("/api/docs")

    assert (answer.status_code, answer.json()["error"]) == (405, "method_not_allowed")


def test_llms_txt_is_short_plain_text_with_the_base_url(anonymous):
    answer = anonymous.get("/llms.txt")

    assert answer["Content-Type"].startswith("text/plain")
    assert answer.content.decode().startswith("# Zerohour")
    assert "http://testserver/api/openapi.yaml" in answer.content.decode()
    assert len(answer.content) < 4000
