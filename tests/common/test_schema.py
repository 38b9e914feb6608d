"""The OpenAPI document says what an operation takes and every way it can answer."""

import pytest
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.validation import validate_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from common.idempotency import idempotent
from common.routing import route
from common.schema import errors
from common.shapes import Money, StrictSerializer, Text


class Things(APIView):
    class Input(StrictSerializer):
        name = Text(max_length=9)
        price = Money(min_cents=0, max_cents=10_000, required=False)

    class Output(StrictSerializer):
        price = Money(two_decimals=True)

    @extend_schema(
        request=Input,
        responses={201: Output, **errors(404, codes={409: ["name_taken", "full"]})},
    )
    @idempotent
    def post(self, request, thing_id):
        return Response({})

    @extend_schema(responses={204: None})
    def delete(self, request, thing_id):
        return Response(status=204)


@pytest.fixture(scope="module")
def document():
    patterns = route("api/things/<uuid:thing_id>", Things.as_view())
    return SchemaGenerator(patterns=patterns).get_schema(request=None, public=True)


@pytest.fixture(scope="module")
def creation(document):
    return document["paths"]["/things/{thing_id}"]["post"]


def test_the_document_is_valid_openapi(document):
    validate_schema(document)


def test_an_operation_lists_every_status_it_can_answer(creation):
    assert list(creation["responses"]) == [
        "201", "400", "401", "403", "404", "409", "413", "415", "422", "429", "500", "503",
    ]  # fmt: skip


def test_a_write_without_a_body_may_refuse_one_and_a_token_that_only_reads(document):
    deletion = document["paths"]["/things/{thing_id}"]["delete"]

    assert list(deletion["responses"]) == [
        "204", "400", "401", "403", "413", "415", "429", "500", "503",
    ]  # fmt: skip


def test_every_error_is_the_one_error_shape_with_its_codes_as_examples(creation):
    content = creation["responses"]["409"]["content"]["application/json"]

    assert content["schema"] == {"$ref": "#/components/schemas/Error"}
    assert {example["value"]["error"] for example in content["examples"].values()} == {
        "name_taken",
        "full",
    }


def test_a_limit_says_when_to_come_back(creation):
    assert "Retry-After" in creation["responses"]["429"]["headers"]


def test_an_idempotent_operation_takes_the_header(creation):
    header = next(p for p in creation["parameters"] if p["name"] == "Idempotency-Key")

    assert header["in"] == "header"
    assert not header.get("required", False)


def test_a_body_is_closed_to_unknown_fields_and_named_after_its_view(document):
    shape = document["components"]["schemas"]["ThingsInputRequest"]

    assert shape["additionalProperties"] is False


def test_money_is_read_from_a_string_or_a_number_and_written_as_a_string(document):
    shapes = document["components"]["schemas"]

    read = shapes["ThingsInputRequest"]["properties"]["price"]
    written = shapes["ThingsOutput"]["properties"]["price"]
    assert [form["type"] for form in read["oneOf"]] == ["string", "number"]
    assert read["oneOf"][1] == {"type": "number", "minimum": 0, "maximum": 100}
    assert written["type"] == "string"


def test_operations_are_named_after_method_and_path(creation):
    assert creation["operationId"] == "post_things_by_thing_id"


def test_the_token_is_a_plain_header(document):
    assert document["components"]["securitySchemes"]["token"]["name"] == "Authorization"
