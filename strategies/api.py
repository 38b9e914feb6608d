"""Saved strategies (contract.md section 3)."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from common.idempotency import idempotent
from common.paging import page
from common.schema import errors, paging
from common.shapes import refuse_body
from common.views import ApiView
from strategies import examples, queries, services, shapes
from strategies.form_schema import form_schema
from strategies.templates import TEMPLATES

TAGS = ["strategies"]
INVALID = ["invalid_input", "invalid_config", "invalid_program"]


def _caller(request: Request) -> User:
    return cast(User, request.user)  # IsAuthenticated let nobody else in


class Strategies(ApiView):
    query = {"GET": ("limit", "after")}

    @extend_schema(
        summary="List your saved strategies",
        description="Newest first.",
        tags=TAGS,
        parameters=paging(),
        responses={200: shapes.SavedStrategy(many=True), **errors(400)},
        examples=[examples.SAVED],
    )
    def get(self, request: Request) -> Response:
        links = page(queries.links_of(_caller(request)), request, key=("-created_at", "-id"))
        answer = shapes.SavedStrategy(links.rows, many=True).data
        return Response(answer, headers=links.headers)

    @extend_schema(
        summary="Save a strategy",
        description=(
            "A form (`config`) or a program. `fields` of a refusal gives the path in the form, "
            "such as `legs[0].strike.value`, or the line and column in the program."
        ),
        tags=TAGS,
        request=shapes.CreateStrategyInput,
        responses={
            201: shapes.SavedStrategy,
            **errors(codes={400: INVALID, 503: ["sandbox_unavailable"]}),
        },
        examples=[examples.SAVE_A_FORM, examples.SAVE_A_PROGRAM, examples.SAVED],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        body = shapes.CreateStrategyInput(data=request.data)
        body.is_valid(raise_exception=True)
        link = services.save_strategy(owner=_caller(request), **body.validated_data)
        return Response(shapes.SavedStrategy(link).data, status=status.HTTP_201_CREATED)


class SavedStrategyDetail(ApiView):
    def get_permissions(self) -> list[BasePermission]:
        is_reading = self.request is not None and self.request.method == "GET"
        return [AllowAny()] if is_reading else cast(list[BasePermission], super().get_permissions())

    @extend_schema(
        summary="Get a saved strategy",
        description="A public one can be read by whoever has its id, without a token.",
        tags=TAGS,
        responses={200: shapes.SavedStrategy, **errors(401, 404)},
        examples=[examples.SAVED],
    )
    def get(self, request: Request, strategy_id: UUID) -> Response:
        link = queries.readable_link(request.user, strategy_id)
        return Response(shapes.SavedStrategy(link).data)

    @extend_schema(
        summary="Rename, describe or share a saved strategy",
        description="What it runs cannot be changed: save another one.",
        tags=TAGS,
        request=shapes.UpdateStrategyInput,
        responses={200: shapes.SavedStrategy, **errors(400, 404)},
        examples=[examples.UPDATE, examples.SAVED],
    )
    def patch(self, request: Request, strategy_id: UUID) -> Response:
        link = queries.link_of(_caller(request), strategy_id)
        body = shapes.UpdateStrategyInput(data=request.data)
        body.is_valid(raise_exception=True)
        changed = services.update_link(link=link, changes=body.validated_data)
        return Response(shapes.SavedStrategy(changed).data)

    @extend_schema(
        summary="Delete a saved strategy",
        description="Bots that pinned it keep running what it pointed at.",
        tags=TAGS,
        request=None,
        responses={204: None, **errors(404)},
    )
    def delete(self, request: Request, strategy_id: UUID) -> Response:
        link = queries.link_of(_caller(request), strategy_id)
        refuse_body(request)
        services.delete_link(link=link)
        return Response(status=status.HTTP_204_NO_CONTENT)


class StrategyClone(ApiView):
    @extend_schema(
        summary="Clone a strategy",
        description="Your own, private link to the same strategy: yours, or a public one.",
        tags=TAGS,
        request=None,
        responses={201: shapes.SavedStrategy, **errors(400, 404)},
        examples=[examples.SAVED],
    )
    @idempotent
    def post(self, request: Request, strategy_id: UUID) -> Response:
        link = queries.readable_link(request.user, strategy_id)
        refuse_body(request)
        clone = services.clone_strategy(link=link, owner=_caller(request))
        return Response(shapes.SavedStrategy(clone).data, status=status.HTTP_201_CREATED)


class StrategyPreview(ApiView):
    @extend_schema(
        summary="Check a form or program without saving it",
        description=(
            "The program a form compiles to and its hash, or the problems that would keep it from "
            "being saved."
        ),
        tags=TAGS,
        request=shapes.SourceInput,
        responses={
            200: shapes.PreviewShape,
            **errors(400, codes={503: ["sandbox_unavailable"]}),
        },
        examples=[examples.PREVIEW_A_FORM, examples.PREVIEWED],
    )
    def post(self, request: Request) -> Response:
        body = shapes.SourceInput(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(shapes.PreviewShape(services.preview(**body.validated_data)).data)


class FormSchema(ApiView):
    authentication_classes = []
    permission_classes = []

    @extend_schema(
        summary="The form as JSON Schema",
        description="Draft 2020-12, with a description of every field.",
        tags=TAGS,
        responses={(200, "application/json"): {"type": "object", "additionalProperties": True}},
        examples=[examples.FORM_SCHEMA],
    )
    def get(self, request: Request) -> Response:
        schema: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
        return Response({**schema, "title": "Strategy form", **form_schema()})


class StrategyTemplates(ApiView):
    authentication_classes = []
    permission_classes = []

    @extend_schema(
        summary="Ready forms of the usual structures",
        description="Send the `config` of one to POST /strategies, as it is or changed.",
        tags=TAGS,
        responses={200: shapes.TemplateShape(many=True)},
        examples=[examples.TEMPLATE],
    )
    def get(self, request: Request) -> Response:
        return Response(shapes.TemplateShape(TEMPLATES, many=True).data)
