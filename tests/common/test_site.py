"""The real site: where the discovery routes are, and that its errors below /api are JSON."""

import pytest
import yaml
from drf_spectacular.validation import validate_schema


@pytest.mark.parametrize(
    "path", ["/api/health", "/health", "/api/openapi.yaml", "/api/docs", "/llms.txt"]
)
def test_discovery_is_where_the_contract_says(anonymous, path):
    assert anonymous.get(path).status_code == 200


def test_an_unknown_route_of_the_api_is_json(anonymous):
    answer = anonymous.get("/api/nothing/here")

    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
    assert "/api/nothing/here" in answer.json()["message"]


def test_a_very_long_address_is_named_in_part(anonymous):
    answer = anonymous.get(f"/api/{'x' * 5000}")

    assert answer.status_code == 404
    assert len(answer.json()["message"]) < 400


def test_the_page_on_docs_may_load_its_own_files_and_the_document(anonymous):
    policy = anonymous.get("/api/docs")["Content-Security-Policy"]

    assert "default-src 'self'" in policy
    assert "img-src 'self' data:" in policy
    assert "script-src" not in policy


def test_the_whole_document_is_valid_and_every_operation_has_its_own_name(anonymous):
    document = yaml.safe_load(anonymous.get("/api/openapi.yaml").content)

    names = [
        operation["operationId"]
        for path in document["paths"].values()
        for operation in path.values()
    ]
    validate_schema(document)
    assert len(names) == len(set(names)) > 0
