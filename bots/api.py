"""The bot endpoints of the page; those below /bots/{id}/sessions are the sessions app's."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from bots import examples, inputs, queries, schema, services, shapes
from common.idempotency import idempotent
from common.paging import page
from common.schema import errors, paging
from common.shapes import refuse_body
from common.views import ApiView

ROWS_SHOWN = 1000  # at once; more are a page away
INVALID_BODY = ["invalid_input", "invalid_reprice"]


def _caller(request: Request) -> User:
    return cast(User, request.user)  # IsAuthenticated let nobody else in


class Bots(ApiView):
    query = {"GET": ("strategy_id", "status", "limit", "after")}

    @extend_schema(
        summary="List your bots",
        description=(
            "Newest first, archived ones included. An unknown `strategy_id` gives an empty array."
        ),
        parameters=[inputs.BotFilters, *paging(limit_default=ROWS_SHOWN)],
        responses={
            200: schema.Bot(many=True),
            **errors(codes={400: ["invalid_input", "invalid_strategy_id"]}),
        },
        examples=[examples.BOT_LIST],
    )
    def get(self, request: Request) -> Response:
        filters = inputs.read_filters(request.query_params.dict())
        owner = _caller(request)
        everything = queries.all_bots(owner=owner.pk)
        bots = page(
            queries.bots_of(owner=owner, **filters) if filters else everything,
            request,
            key=("-created_at", "-id"),
            limit_default=ROWS_SHOWN,
        )
        answer = [shapes.bot_object(view) for view in queries.views(bots.rows)]
        return Response(answer, headers=bots.headers)

    @extend_schema(
        summary="Create a bot",
        description=(
            "Pins the strategy behind one of your saved-strategy links. Policy fields you leave "
            "out have their defaults."
        ),
        request=inputs.CreateBotInput,
        responses={
            201: schema.Bot,
            **errors(
                codes={
                    400: [*INVALID_BODY, "invalid_strategy_id", "invalid_starting_capital"],
                    403: ["strategy_not_found_or_not_owned"],
                    409: ["engine_not_available", "name_taken"],
                }
            ),
        },
        examples=[examples.CREATE_BOT, examples.CREATED_BOT],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        wanted = inputs.read_body(inputs.CreateBotInput, request.data)
        bot = services.create_bot(owner=_caller(request), now=timezone.now(), **wanted)
        return Response(shapes.bot_object(queries.view(bot)), status=status.HTTP_201_CREATED)


class BotDetail(ApiView):
    @extend_schema(
        summary="Get a bot with its sessions",
        description="Sessions are newest first, at most 90.",
        responses={200: schema.BotWithSessions, **errors(404)},
        examples=[examples.BOT_WITH_SESSIONS],
    )
    def get(self, request: Request, bot_id: UUID) -> Response:
        bot = queries.bot_of(owner=_caller(request), bot_id=bot_id)
        return Response(shapes.bot_with_sessions(queries.view(bot), queries.recent_sessions(bot)))

    @extend_schema(
        summary="Rename, archive, or edit the policy or schedule",
        description=(
            "Only the fields you send are applied. A running session keeps the policy it froze."
        ),
        request=inputs.UpdateBotInput,
        responses={
            200: schema.Bot,
            **errors(404, codes={400: INVALID_BODY, 409: ["bot_has_active_session", "name_taken"]}),
        },
        examples=[examples.UPDATE_BOT, examples.BOT],
    )
    def patch(self, request: Request, bot_id: UUID) -> Response:
        bot = queries.bot_of(owner=_caller(request), bot_id=bot_id)
        changes = inputs.read_body(inputs.UpdateBotInput, request.data)
        changed = services.update_bot(bot=bot, changes=changes, now=timezone.now())
        return Response(shapes.bot_object(queries.view(changed)))

    @extend_schema(
        summary="Delete a bot",
        description="Deletes its sessions' data too. Refused while a session is live.",
        request=None,
        responses={204: None, **errors(404, codes={409: ["bot_has_active_session"]})},
    )
    def delete(self, request: Request, bot_id: UUID) -> Response:
        bot = queries.bot_of(owner=_caller(request), bot_id=bot_id)
        refuse_body(request)
        services.delete_bot(bot=bot)
        return Response(status=status.HTTP_204_NO_CONTENT)


class BotSummary(ApiView):
    @extend_schema(
        summary="Lifetime performance of a bot",
        description="Over its settled sessions; without one the counts are 0 and the rest is null.",
        responses={200: schema.BotSummary, **errors(404)},
        examples=[examples.SUMMARY],
    )
    def get(self, request: Request, bot_id: UUID) -> Response:
        bot = queries.bot_of(owner=_caller(request), bot_id=bot_id)
        return Response(shapes.summary_object(queries.summary(bot)))


class BotAdjustments(ApiView):
    query = {"GET": ("limit", "after")}

    @extend_schema(
        summary="Corrections of a bot's balance",
        description=(
            "What a corrected settlement value added to the balance or took from it, newest first. "
            "Ours."
        ),
        parameters=paging(limit_default=ROWS_SHOWN),
        responses={200: schema.BalanceAdjustment(many=True), **errors(400, 404)},
        examples=[examples.ADJUSTMENTS],
    )
    def get(self, request: Request, bot_id: UUID) -> Response:
        bot = queries.bot_of(owner=_caller(request), bot_id=bot_id)
        rows = page(bot.adjustments.all(), request, key=("-id",), limit_default=ROWS_SHOWN)
        return Response([shapes.adjustment_object(row) for row in rows.rows], headers=rows.headers)
