"""The OpenAPI document: error responses of every operation, and how our own fields look in it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema as SpectacularAutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from common.money import PLAIN_DECIMAL, usd
from common.shapes import Money, StrictSerializer
from common.views import ApiView

Stream = TypeVar("Stream", bound=Callable[..., Any])

# What a status means when an operation names no code of its own.
DEFAULT_CODES = {
    400: "invalid_input",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "body_too_large",
    415: "unsupported_media_type",
    422: "unprocessable",
    429: "rate_limit_exceeded",
    500: "internal_error",
    503: "unavailable",
}

IDEMPOTENCY_KEY = OpenApiParameter(
    name="Idempotency-Key",
    location=OpenApiParameter.HEADER,
    required=False,
    type={"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    description=(
        "Any text of your choice, such as a UUID. Within 24 hours the same key returns the first "
        "answer, with `Idempotent-Replayed: true`, and has no further effect."
    ),
)
REPLAYED = OpenApiParameter(
    name="Idempotent-Replayed",
    location=OpenApiParameter.HEADER,
    type=str,
    enum=["true"],
    response=[200, 201, 202],
    description="Present when this is the stored answer of an earlier request.",
)
RETRY_AFTER = OpenApiParameter(
    name="Retry-After",
    location=OpenApiParameter.HEADER,
    type=int,
    response=[429],
    description="Seconds to wait before trying again.",
)


ETAG = OpenApiParameter(
    name="ETag",
    location=OpenApiParameter.HEADER,
    type=str,
    response=[200, 304],
    description="Once nothing can change any more: send it back in If-None-Match.",
)
IF_NONE_MATCH = OpenApiParameter(
    name="If-None-Match",
    location=OpenApiParameter.HEADER,
    type=str,
    description="An ETag of this answer; 304 without a body if it still holds.",
)
NOT_MODIFIED = {304: OpenApiResponse(description="What you have still holds.")}


def paging(*, limit_default: int = 100, limit_max: int = 1000) -> list[OpenApiParameter]:
    """Parameters and header of a list that goes through `common.paging.page`."""
    limit = {"type": "integer", "minimum": 1, "maximum": limit_max}
    return [
        OpenApiParameter("limit", limit, default=limit_default),
        OpenApiParameter("after", str, description="A cursor from the Link header of this list."),
        OpenApiParameter(
            "Link",
            str,
            OpenApiParameter.HEADER,
            response=[200],
            description='`<…>; rel="next"` leads to the next page; absent on the last.',
        ),
    ]


class StreamDescription(APIView):
    """Describes a plain asynchronous view to the document, and is never called.

    A subclass annotates `get`; `described_by` ties it to the view that answers.
    """

    throttle_classes = []

    def get(self, request: Request) -> None:
        raise NotImplementedError


def described_by(description: type[StreamDescription]) -> Callable[[Stream], Stream]:
    def mark(view: Stream) -> Stream:
        # A mark for common.discovery, which lists the streams by it.
        view.described_by = description  # type: ignore[attr-defined]
        return view

    return mark


def last_event_id(example: str) -> OpenApiParameter:
    return OpenApiParameter(
        name="Last-Event-ID",
        location=OpenApiParameter.HEADER,
        type=str,
        description=f"Go on right after this event, such as `{example}`.",
    )


class Error(serializers.Serializer):
    """Every answer outside 2xx."""

    error = serializers.CharField(help_text="A machine code that does not change.")
    message = serializers.CharField(help_text="One sentence a person can act on.")
    fields = serializers.DictField(  # type: ignore[assignment]  # the class keeps its own there
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="For a refused body: dotted path of each field, and why.",
    )


def errors(
    *statuses: int, codes: Mapping[int, Sequence[str]] | None = None
) -> dict[int, OpenApiResponse]:
    """The error part of `extend_schema(responses={200: Shape, **errors(400, 404)})`.

    `codes` names the machine codes of a status: `errors(codes={409: ["name_taken"]})`; its statuses
    need not be repeated before it. 401, 429, 500 and, where there is a body, 400, 413 and 415 are
    added to every operation that can answer them.
    """
    named = dict(codes or {})
    return {
        status: error_response(status, named.get(status) or [DEFAULT_CODES[status]])
        for status in sorted({*statuses, *named})
    }


def error_response(status: int, codes: Sequence[str]) -> OpenApiResponse:
    phrase = HTTPStatus(status).phrase
    listed = ", ".join(f"`{code}`" for code in codes)
    examples = [
        OpenApiExample(
            code,
            value={"error": code, "message": f"{phrase}: what was refused, and what would do."},
            response_only=True,
            status_codes=[str(status)],
        )
        for code in codes
    ]
    return OpenApiResponse(response=Error, description=f"{phrase}: {listed}", examples=examples)


def _add_codes(body: dict[str, Any], more: dict[str, Any]) -> None:
    """Join the codes of another error of the same status to those a response has."""
    examples = body["content"]["application/json"]["examples"]
    for name, example in more["content"]["application/json"]["examples"].items():
        if name not in examples:
            examples[name] = example
            body["description"] += f", `{example['value']['error']}`"


class AutoSchema(SpectacularAutoSchema):
    """Names shapes after the view they belong to, and adds what every operation may answer."""

    def get_operation_id(self) -> str:
        """`get_bots_by_bot_id`: unique, and stable for generated clients."""
        words = [
            f"by_{token[1:-1]}" if token.startswith("{") else token.replace("-", "_")
            for token in self.path.removeprefix("/api").strip("/").replace(".", "_").split("/")
        ]
        return "_".join([self.method.lower(), *words])

    # The base says str | None, and never needs the None.
    def get_description(self) -> str:  # type: ignore[override]
        """What the method says of itself; a view's docstring is for its readers."""
        return inspect.getdoc(getattr(self.view, self.method.lower(), None)) or ""

    def get_serializer_name(self, serializer: serializers.Serializer, direction: Any) -> str:
        """`Registration.Input` becomes RegistrationInput: `Input` alone would be a dozen shapes."""
        return type(serializer).__qualname__.replace(".<locals>", "").replace(".", "")

    def get_override_parameters(self) -> list[Any]:
        added = [RETRY_AFTER] if self.view.get_throttles() else []
        if self._is_idempotent():
            added += [IDEMPOTENCY_KEY, REPLAYED]
        return [*super().get_override_parameters(), *added]

    def _is_idempotent(self) -> bool:
        handler = getattr(self.view, self.method.lower(), None)
        return bool(getattr(handler, "is_idempotent", False))

    def _common_codes(self) -> dict[int, list[str]]:
        """What an operation can answer whatever it does."""
        codes = {500: ["internal_error"], 503: ["unavailable"]}
        is_write = self.method != "GET"
        if self.get_auth():
            codes[401] = ["unauthorized"]
            codes |= {403: ["insufficient_scope"]} if is_write else {}
        if self.view.get_throttles():
            codes[429] = ["rate_limit_exceeded"]
        if is_write or isinstance(self.view, (ApiView, StreamDescription)):
            codes[400] = ["invalid_input"]  # a body where there is none, an unknown parameter
        if is_write:
            codes |= {status: [DEFAULT_CODES[status]] for status in (413, 415)}
        if self._is_idempotent():
            codes[422] = ["idempotency_key_reused"]
        return codes

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        for status, response in errors(codes=self._common_codes()).items():
            added = self._get_response_for_code(
                response, str(status), ["application/json"], direction
            )
            if str(status) in bodies:
                _add_codes(bodies[str(status)], added)
            else:
                bodies[str(status)] = added
        return dict(sorted(bodies.items()))

    def _map_serializer(
        self, serializer: Any, direction: Any, bypass_extensions: bool = False
    ) -> dict[str, Any]:
        schema = super()._map_serializer(serializer, direction, bypass_extensions)
        if direction == "request" and isinstance(serializer, StrictSerializer):
            schema = {**schema, "additionalProperties": False}
        return schema


class MoneyField(OpenApiSerializerFieldExtension):
    """Written as a decimal string; read from a string or a number."""

    target_class = "common.shapes.Money"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        field: Money = self.target
        bounds = [
            f"at {word} {usd(cents)}"
            for word, cents in (("least", field.min_cents), ("most", field.max_cents))
            if cents is not None
        ]
        text = f"Dollars, a plain decimal string{': ' if bounds else ''}{', '.join(bounds)}"
        if direction == "response":
            pattern = r"^-?[0-9]+\.[0-9]{2}$" if field.two_decimals else r"^-?[0-9]+(\.[0-9]{2})?$"
            return {"type": "string", "pattern": pattern, "description": text}
        limits = {
            key: cents / 100
            for key, cents in (("minimum", field.min_cents), ("maximum", field.max_cents))
            if cents is not None
        }
        text_form = {"type": "string", "pattern": PLAIN_DECIMAL}
        return {"oneOf": [text_form, {"type": "number", **limits}], "description": text}
