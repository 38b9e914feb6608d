"""The OpenAPI document says of bots what the code does."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from drf_spectacular.generators import SchemaGenerator

from bots import examples, inputs, policy_schema, schema
from simengine.policy import Policy, PolicyError
from tests.factories import BotSessionFactory

OPERATIONS = [
    ("/bots", "get"),
    ("/bots", "post"),
    ("/bots/{bot_id}", "get"),
    ("/bots/{bot_id}", "patch"),
    ("/bots/{bot_id}", "delete"),
    ("/bots/{bot_id}/summary", "get"),
]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return SchemaGenerator().get_schema(request=None, public=True)


def blocks() -> list[tuple[str, dict[str, Any]]]:
    """Every bounded value of the policy with its path and its schema."""
    reprice = policy_schema.INPUT["reprice"]["properties"]
    flat = [(name, inner) for name, inner in policy_schema.INPUT.items() if name != "reprice"]
    return flat + [
        (f"reprice.{kind}.{name}", inner)
        for kind in reprice
        for name, inner in reprice[kind]["properties"].items()
    ]


def at(path: str, policy: dict[str, Any]) -> Any:
    value: Any = policy
    for name in path.split("."):
        value = value[name]
    return value


def nested(path: str, value: Any) -> dict[str, Any]:
    for name in reversed(path.split(".")):
        value = {name: value}
    return value


def is_taken(path: str, value: Any) -> bool:
    try:
        Policy.from_json(nested(path, value))
    except PolicyError:
        return False
    return True


@pytest.mark.parametrize(("path", "described"), blocks())
def test_the_documented_default_is_the_engines(path, described):
    assert described["default"] == at(path, Policy().as_json())


def test_every_value_of_the_policy_is_documented():
    def paths(policy: dict[str, Any], prefix: str = "") -> set[str]:
        return {
            path
            for name, value in policy.items()
            for path in (
                paths(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name}
            )
        }

    assert {path for path, _ in blocks()} == paths(Policy().as_json())


@pytest.mark.parametrize(
    ("path", "described"), [block for block in blocks() if block[1].get("type") == "integer"]
)
def test_the_documented_bounds_are_the_engines(path, described):
    low, high = described["minimum"], described["maximum"]

    assert is_taken(path, low)
    assert is_taken(path, high)
    assert not is_taken(path, low - 1)
    assert not is_taken(path, high + 1)


@pytest.mark.parametrize("decimals", range(5))
def test_the_pattern_of_the_daily_loss_takes_what_the_engine_takes(decimals):
    described = policy_schema.INPUT["max_daily_loss_pct"]
    values = [f"{value / 10_000:.{decimals}f}" for value in range(0, 6000, 1)]

    disagreed = [
        value
        for value in values
        if matches(value, described) != is_taken("max_daily_loss_pct", value)
    ]

    assert disagreed == []


@pytest.mark.parametrize("decimals", range(4))
def test_the_pattern_of_the_concession_takes_what_the_engine_takes(decimals):
    path = "reprice.opening.max_concession"
    values = [f"{cents / 100:.{decimals}f}" for cents in range(1100)]

    disagreed = [
        value
        for value in values
        if matches(value, policy_schema.MAX_CONCESSION) and not is_taken(path, value)
    ]

    assert disagreed == []
    assert all(
        matches(f"{cents / 100:.2f}", policy_schema.MAX_CONCESSION) for cents in range(0, 1005, 5)
    )


def matches(value: Any, described: dict[str, Any]) -> bool:
    return jsonschema.Draft202012Validator(described).is_valid(value)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_operation_is_documented_with_its_refusals(document, path, method):
    operation = document["paths"][path][method]

    assert operation["summary"]
    assert {"401", "429"} <= operation["responses"].keys()
    assert ("404" in operation["responses"]) == ("{bot_id}" in path)


@pytest.mark.parametrize(
    ("path", "method", "status", "codes"),
    [
        ("/bots", "get", "400", {"invalid_input", "invalid_strategy_id"}),
        (
            "/bots",
            "post",
            "400",
            {
                "invalid_input",
                "invalid_strategy_id",
                "invalid_starting_capital",
                "invalid_reprice",
            },
        ),
        ("/bots", "post", "403", {"strategy_not_found_or_not_owned"}),
        ("/bots", "post", "409", {"engine_not_available", "name_taken"}),
        ("/bots", "post", "422", {"idempotency_key_reused"}),
        ("/bots/{bot_id}", "patch", "400", {"invalid_input", "invalid_reprice"}),
        ("/bots/{bot_id}", "patch", "409", {"bot_has_active_session", "name_taken"}),
        ("/bots/{bot_id}", "delete", "409", {"bot_has_active_session"}),
    ],
)
def test_the_codes_of_the_page_are_documented(document, path, method, status, codes):
    response = document["paths"][path][method]["responses"][status]

    assert set(response["content"]["application/json"]["examples"]) >= {
        # Examples are keyed by their name in camel case.
        "".join(word.title() for word in code.split("_"))
        for code in codes
    }


def resolved(document: dict[str, Any], part: Any) -> Any:
    """The schema with its references followed, and OpenAPI's `nullable` said in JSON Schema."""
    if isinstance(part, list):
        return [resolved(document, inner) for inner in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        name = part["$ref"].rsplit("/", 1)[1]
        return resolved(document, document["components"]["schemas"][name])
    inner = {key: resolved(document, value) for key, value in part.items() if key != "nullable"}
    return {"anyOf": [inner, {"type": "null"}]} if part.get("nullable") else inner


def assert_as_documented(document, path: str, method: str, status: str, answer: Any) -> None:
    content = document["paths"][path][method]["responses"][status]["content"]
    described = resolved(document, content["application/json"]["schema"])
    jsonschema.Draft202012Validator(described).validate(answer)


def test_the_answers_are_as_documented(document, owner, bot):
    BotSessionFactory(bot=bot, settled=True, total_pl_cents=-12_345)
    one = f"/api/bots/{bot.pk}"

    listed, shown, summed = (owner.get(url).json() for url in ("/api/bots", one, f"{one}/summary"))

    assert_as_documented(document, "/bots", "get", "200", listed)
    assert_as_documented(document, "/bots/{bot_id}", "get", "200", shown)
    assert_as_documented(document, "/bots/{bot_id}/summary", "get", "200", summed)
    assert set(listed[0]) == set(schema.Bot().fields)
    assert set(summed) == set(schema.BotSummary().fields)


def test_the_examples_of_requests_are_accepted_as_they_stand(owner, link):
    inputs.read_body(inputs.CreateBotInput, examples.CREATE_BOT_BODY)
    inputs.read_body(inputs.UpdateBotInput, examples.UPDATE_BOT_BODY)

    response = owner.post("/api/bots", {**examples.CREATE_BOT_BODY, "strategy_id": str(link.pk)})

    assert response.status_code == 201
    assert set(response.json()) == set(examples.BOT_ANSWER)
    assert response.json()["reprice"] == examples.BOT_ANSWER["reprice"]


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/bots", "get", "200"),
        ("/bots", "post", "201"),
        ("/bots/{bot_id}", "get", "200"),
        ("/bots/{bot_id}", "patch", "200"),
        ("/bots/{bot_id}/summary", "get", "200"),
    ],
)
def test_the_examples_of_answers_are_as_documented(document, path, method, status):
    content = document["paths"][path][method]["responses"][status]["content"]["application/json"]

    assert content["examples"]
    for example in content["examples"].values():
        assert_as_documented(document, path, method, status, example["value"])


def test_a_patch_documents_no_defaults_that_a_client_might_send(document):
    described = resolved(document, {"$ref": "/PatchedUpdateBotInputRequest"})

    assert "default" not in str(described)
    assert "default" in str(resolved(document, {"$ref": "/CreateBotInputRequest"}))
