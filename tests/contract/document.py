"""The OpenAPI document as a client reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml
from jsonschema import Draft202012Validator, FormatChecker

from common.discovery import openapi_yaml


@cache
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(openapi_yaml())
    return loaded


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    """("GET /bots", its operation) of every path."""
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema a `$ref` leads to."""
    name = schema.get("$ref", "").removeprefix("#/components/schemas/")
    return document()["components"]["schemas"][name] if name else schema


def request_schema(operation: dict[str, Any]) -> dict[str, Any]:
    content = operation.get("requestBody", {}).get("content", {})
    return resolved(content.get("application/json", {}).get("schema", {}))


def error_codes(operation: dict[str, Any]) -> set[tuple[int, str]]:
    """(status, code) of every refusal the operation declares."""
    return {
        (int(status), example["value"]["error"])
        for status, response in operation["responses"].items()
        if int(status) >= 400
        for example in response["content"]["application/json"]["examples"].values()
    }


def json_schema(schema: Any) -> Any:
    """An OpenAPI 3.0 schema as JSON Schema. An object we answer has the fields described and no
    others, unless the document says so.
    """
    if isinstance(schema, list):
        return [json_schema(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return json_schema(resolved(schema))
    found = {name: json_schema(value) for name, value in schema.items() if name != "nullable"}
    if "properties" in schema and "additionalProperties" not in schema:
        found["additionalProperties"] = False
    return {"anyOf": [found, {"type": "null"}]} if schema.get("nullable") else found


def problems(value: Any, schema: dict[str, Any]) -> list[str]:
    checker = FormatChecker()
    found = Draft202012Validator(json_schema(schema), format_checker=checker).iter_errors(value)
    return [f"{error.json_path}: {error.message[:200]}" for error in found]


def answer_problems(line: str, response: Any) -> list[str]:
    """How an answer differs from what the document says of the operation; empty if nowhere."""
    declared = dict(operations())[line]["responses"].get(str(response.status_code))
    if declared is None:
        return [f"status {response.status_code} is not declared: {response.content[:200]!r}"]
    if "content" not in declared:
        return [f"a body: {response.content[:200]!r}"] if response.content else []
    media_type = response["Content-Type"].split(";")[0]
    if media_type not in declared["content"]:
        return [f"{media_type} is not declared"]
    if media_type != "application/json":
        return []
    body = json.loads(response.content)
    found = problems(body, declared["content"][media_type]["schema"])
    codes = {code for _, code in error_codes(dict(operations())[line])}
    if response.status_code >= 400 and body["error"] not in codes:
        found.append(f"the code {body['error']} is not declared")
    return found


def example_problems(operation: dict[str, Any]) -> list[str]:
    """Examples that their own schema refuses."""
    bodies = [*operation["responses"].values(), operation.get("requestBody", {})]
    return [
        f"{name}: {problem}"
        for body in bodies
        for content in body.get("content", {}).values()
        for name, example in content.get("examples", {}).items()
        for problem in problems(example["value"], content["schema"])
    ]
