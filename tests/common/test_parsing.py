"""JSON bodies are read strictly; each refusal is one sentence."""

import pytest
from rest_framework.exceptions import ParseError

from common.parsing import parse_json


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "not JSON: Expecting property name"),
        (b"", "not JSON"),
        (b"[1] 2", "Extra data at line 1 column 5"),
        (b"\xff", "not UTF-8"),
        (b"NaN", "NaN is not a JSON value"),
        (b"[-Infinity]", "-Infinity is not a JSON value"),
        (b"[1e400]", "1e400 is out of range"),
        (b"1" * 5000, "not acceptable JSON"),
        (b'{"a": 1, "b": 2, "a": 3}', "the name 'a' occurs twice"),
        (b'{"a": "\\u0000"}', "NUL"),
        (b'{"\\ud800": 1}', "surrogate"),
        (b"[" * 200 + b"]" * 200, "nested too deeply"),
        (b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_not_acceptable_json_is_refused(body, reason):
    with pytest.raises(ParseError) as refused:
        parse_json(body)

    assert reason in str(refused.value.detail)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"null", None),
        (b' {"a": [1, 2.5, "x"]} ', {"a": [1, 2.5, "x"]}),
        ('"é 🙂"'.encode(), "é 🙂"),
        (b'"\\ud83d\\ude42"', "🙂"),
        (b"[" * 90 + b"]" * 90, None),
    ],
)
def test_sound_json_is_read(body, value):
    parsed = parse_json(body)

    assert parsed == value or value is None


@pytest.mark.usefixtures("probes")
@pytest.mark.django_db
def test_a_body_that_is_no_json_is_invalid_input_about_the_body(anonymous):
    answer = anonymous.post("/api/probe/raw", "{", content_type="application/json")

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_input")
    assert list(answer.json()["fields"]) == ["body"]
