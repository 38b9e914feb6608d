"""Every answer outside 2xx is `{"error", "message", "fields"?}`, whatever went wrong."""

import logging

import pytest

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("probes")]


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("refusal", 409, "full"),
        ("soon", 429, "rate_limit_exceeded"),
        ("permission", 403, "forbidden"),
        ("suspicious", 400, "invalid_input"),
        ("http404", 404, "not_found"),
        ("throttled", 429, "rate_limit_exceeded"),
        ("api", 500, "error"),
        ("database", 503, "unavailable"),
        ("bug", 500, "internal_error"),
    ],
)
def test_each_failure_has_its_status_and_code_and_gives_nothing_away(anonymous, kind, status, code):
    answer = anonymous.get(f"/api/probe/fail/{kind}")

    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert answer["Content-Type"] == "application/json"
    assert "secret" not in answer.content.decode()
    assert answer.json()["message"]


def test_a_refusal_carries_its_own_message_and_fields(anonymous):
    answer = anonymous.get("/api/probe/fail/refusal")

    assert answer.json() == {
        "error": "full",
        "message": "There is no room.",
        "fields": {"room": ["is full"]},
    }


@pytest.mark.parametrize(
    ("kind", "seconds"), [("soon", "7"), ("throttled", "3"), ("database", "1")]
)
def test_what_is_worth_trying_again_says_when(anonymous, kind, seconds):
    answer = anonymous.get(f"/api/probe/fail/{kind}")

    assert answer["Retry-After"] == seconds


def test_a_bug_is_logged_with_its_traceback(anonymous, caplog):
    with caplog.at_level(logging.ERROR, logger="common.api"):
        anonymous.get("/api/probe/fail/bug")

    (record,) = [record for record in caplog.records if record.name == "common.api"]
    assert record.exc_info[0] is RuntimeError
    assert "GET /api/probe/fail/bug" in record.getMessage()


def test_a_wrong_method_is_told_the_right_ones(anonymous):
    answer = anonymous.get("/api/probe/echo")

    assert (answer.status_code, answer.json()["error"]) == (405, "method_not_allowed")
    assert answer["Allow"] == "POST, OPTIONS"
    assert answer.json()["message"] == "GET is not allowed here; allowed: POST, OPTIONS."


def test_a_lookup_that_fails_names_the_kind_of_thing_and_nothing_else(anonymous):
    answer = anonymous.get("/api/probe/lookup")

    assert answer.status_code == 404
    assert answer.json()["message"] == "You have no group with this id."


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/nothing", "/api/bots/no-uuid/x"])
def test_an_unknown_route_below_api_is_json(anonymous, path):
    answer = anonymous.get(path)

    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


def test_an_unknown_route_elsewhere_is_a_page(anonymous):
    answer = anonymous.get("/nothing")

    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("path", ["/api/probe/raw", "/nothing"])
def test_a_forged_host_is_refused_in_the_language_of_the_path(anonymous, path):
    answer = anonymous.get(path, headers={"Host": "evil.example.com"})

    assert answer.status_code == 400
    assert (answer["Content-Type"] == "application/json") == path.startswith("/api")


def test_a_route_takes_a_trailing_slash_without_a_redirect(anonymous):
    answer = anonymous.post("/api/probe/raw/", {"a": 1})

    assert (answer.status_code, answer.json()) == (200, {"seen": {"a": 1}})


def test_form_data_is_refused_with_what_to_send_instead(anonymous):
    answer = anonymous.post(
        "/api/probe/raw", "a=1", content_type="application/x-www-form-urlencoded"
    )

    assert (answer.status_code, answer.json()["error"]) == (415, "unsupported_media_type")
    assert "application/json" in answer.json()["message"]


def test_a_body_beyond_the_limit_is_413(anonymous, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100

    answer = anonymous.post("/api/probe/raw", {"a": "x" * 200})

    assert (answer.status_code, answer.json()["error"]) == (413, "body_too_large")


def test_a_browser_that_wants_html_gets_json(anonymous):
    answer = anonymous.get("/api/probe/rows", headers={"Accept": "text/html"})

    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"


def test_a_format_parameter_is_no_trap(anonymous):
    answer = anonymous.get("/api/probe/rows?format=xml")

    assert answer.status_code == 200
