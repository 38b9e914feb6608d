"""The session endpoints of the page and contract.md section 5. A view translates; it makes one
call.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from common.conditional import FinalReads
from common.idempotency import idempotent
from common.paging import page
from common.schema import ETAG, IF_NONE_MATCH, NOT_MODIFIED, errors, paging
from common.shapes import refuse_body
from common.times import to_ms
from common.views import ApiView
from marketdata import queries as market
from sessions import examples, financials, inputs, lines, queries, schema, services, shapes
from sessions.models import BotSession

START_ERRORS = {
    409: ["bot_not_idle", "bot_session_exists"],
    422: ["outside_rth", "register_sim_failed"],
    503: ["live_trading_unavailable", "register_sim_failed"],
}
ROWS_SHOWN = 1000
ROWS_AT_MOST = 10_000


PAGING = paging(limit_default=ROWS_SHOWN, limit_max=ROWS_AT_MOST)
CONDITIONAL = [ETAG, IF_NONE_MATCH]


class SessionRead(FinalReads):
    """A read below a session: once that is settled, nothing of it changes any more."""

    def session(self, request: Request, bot_id: UUID, session_id: UUID) -> BotSession:
        session = queries.session_of(request.user, bot_id, session_id)
        self.is_final = session.settled_at is not None
        return session


class Sessions(ApiView):
    @extend_schema(
        summary="List a bot's sessions",
        description="Newest first, at most 90.",
        responses={200: schema.Session(many=True), **errors(404)},
        examples=[examples.SESSIONS],
    )
    def get(self, request: Request, bot_id: UUID) -> Response:
        queries.check_bot(request.user, bot_id)
        rows = queries.sessions_of(bot_id)
        return Response([shapes.session_object(session) for session in rows])

    @extend_schema(
        summary="Start today's session",
        description=(
            "No body: the date is today on the market's clock. The session opens with the bot's "
            "carried balance and freezes the current policy."
        ),
        request=None,
        responses={201: schema.Session, **errors(404, codes=START_ERRORS)},
        examples=[examples.NEW_SESSION],
    )
    @idempotent
    def post(self, request: Request, bot_id: UUID) -> Response:
        refuse_body(request)
        session = services.start_session(user=request.user, bot_id=bot_id)
        return Response(shapes.session_object(session), status=status.HTTP_201_CREATED)


class SessionDetail(SessionRead):
    query = {"DELETE": ("flatten",)}

    @extend_schema(
        summary="Get one session",
        description="The roll-up (`final_nlv` to `fill_count`) is null until it is settled.",
        parameters=CONDITIONAL,
        responses={200: schema.Session, **NOT_MODIFIED, **errors(404)},
        examples=[examples.SESSIONS],
    )
    def get(self, request: Request, bot_id: UUID, session_id: UUID) -> Response:
        session = self.session(request, bot_id, session_id)
        return Response(shapes.session_object(session))

    @extend_schema(
        summary="Stop a running session",
        description=(
            "Moves it to `killing`; the runner cancels open orders and leaves at its next tick. "
            "Positions stay marked and settle at the close, unless `flatten=true` closes them at "
            "market first. Asking again while it is `killing` changes nothing."
        ),
        parameters=[inputs.StopQuery],
        request=None,
        responses={202: schema.Session, **errors(404, codes={409: ["session_terminal"]})},
        examples=[examples.STOPPING],
    )
    def delete(self, request: Request, bot_id: UUID, session_id: UUID) -> Response:
        refuse_body(request)
        query = _read(inputs.StopQuery, request.query_params.dict())
        session = services.request_stop(
            user=request.user,
            session=queries.session_of(request.user, bot_id, session_id),
            flatten=query["flatten"],
            now=market.market_now().at,
        )
        return Response(shapes.session_object(session), status=status.HTTP_202_ACCEPTED)


class CancelAllOrders(ApiView):
    @extend_schema(
        summary="Cancel open orders, keep running",
        description="At the session's next tick. The strategy may place new ones.",
        request=None,
        responses={202: schema.Session, **errors(404, codes={409: ["session_terminal"]})},
        examples=[examples.CANCELING],
    )
    def post(self, request: Request, bot_id: UUID, session_id: UUID) -> Response:
        refuse_body(request)
        session = services.request_cancel_all(
            user=request.user,
            session=queries.session_of(request.user, bot_id, session_id),
            now=market.market_now().at,
        )
        return Response(shapes.session_object(session), status=status.HTTP_202_ACCEPTED)


class Orders(SessionRead):
    query = {"GET": ("status", "limit", "after")}

    @extend_schema(
        summary="Live orders for the session",
        description="In the order of placement.",
        parameters=[inputs.OrderQuery, *PAGING, *CONDITIONAL],
        responses={200: schema.OrderShape(many=True), **NOT_MODIFIED, **errors(400, 404)},
        examples=[examples.ORDERS],
    )
    def get(self, request: Request, bot_id: UUID, session_id: UUID) -> Response:
        query = _read(inputs.OrderQuery, request.query_params.dict())
        session = self.session(request, bot_id, session_id)
        rows = queries.orders_of(session=session.pk)
        orders = page(
            rows.queryset().filter(**query) if query else rows,
            request,
            key=("number",),
            limit_default=ROWS_SHOWN,
            limit_max=ROWS_AT_MOST,
        )
        transactions = queries.transactions_of(session=session.pk).rows() if orders.rows else []
        return Response(shapes.order_objects(orders.rows, transactions), headers=orders.headers)


class Positions(SessionRead):
    @extend_schema(
        summary="Positions against the latest tick",
        description="One per instrument; a closed one stays, with quantity 0.",
        parameters=CONDITIONAL,
        responses={200: schema.PositionShape(many=True), **NOT_MODIFIED, **errors(404)},
        examples=[examples.POSITIONS],
    )
    def get(self, request: Request, bot_id: UUID, session_id: UUID) -> Response:
        session = self.session(request, bot_id, session_id)
        return Response(
            [
                shapes.position_object(item.position, item.mark_half_cents, item.delta_e4)
                for item in queries.marked_positions(session)
            ]
        )


class SessionRows(SessionRead):
    """A list of rows below a session, in the order they were written, page by page."""

    query = {"GET": ("limit", "after")}
    key: tuple[str, ...] = ("number",)

    def rows(self, session: BotSession) -> Any:
        raise NotImplementedError

    def shape(self, row: Any) -> dict[str, Any]:
        raise NotImplementedError

    def get(self, request: Request, bot_id: UUID, session_id: UUID) -> Response:
        session = self.session(request, bot_id, session_id)
        rows = page(
            self.rows(session),
            request,
            key=self.key,
            limit_default=ROWS_SHOWN,
            limit_max=ROWS_AT_MOST,
        )
        return Response([self.shape(row) for row in rows.rows], headers=rows.headers)


@extend_schema(
    summary="Transaction log",
    description="Fills and settlement, in the order they were booked.",
    parameters=[*PAGING, *CONDITIONAL],
    responses={200: schema.TransactionShape(many=True), **NOT_MODIFIED, **errors(400, 404)},
    examples=[examples.TRANSACTIONS],
)
class Transactions(SessionRows):
    def rows(self, session: BotSession) -> Any:
        return queries.transactions_of(session=session.pk)

    def shape(self, row: Any) -> dict[str, Any]:
        return shapes.transaction_object(row)


@extend_schema(
    summary="The strategy's decision log",
    description="Its ctx.log() and ctx.signal() entries in emission order.",
    parameters=[*PAGING, *CONDITIONAL],
    responses={200: schema.DecisionShape(many=True), **NOT_MODIFIED, **errors(400, 404)},
    examples=[examples.DECISIONS],
)
class DecisionLog(SessionRows):
    def rows(self, session: BotSession) -> Any:
        return queries.decisions_of(session=session.pk)

    def shape(self, row: Any) -> dict[str, Any]:
        return shapes.decision_object(row)


@extend_schema(
    summary="What the runner did and why",
    description="State changes, re-prices, risk decisions, stale data, refusals, errors (ours).",
    parameters=[*PAGING, *CONDITIONAL],
    responses={200: schema.EventShape(many=True), **NOT_MODIFIED, **errors(400, 404)},
    examples=[examples.EVENTS],
)
class Events(SessionRows):
    key = ("tick_seq", "index")

    def rows(self, session: BotSession) -> Any:
        return queries.events_of(session=session.pk)

    def shape(self, row: Any) -> dict[str, Any]:
        return shapes.event_object(row)


@extend_schema(
    summary="The one outcome of every scheduled entry",
    description="Filled, or why not (ours).",
    parameters=[*PAGING, *CONDITIONAL],
    responses={200: schema.EntryShape(many=True), **NOT_MODIFIED, **errors(400, 404)},
    examples=[examples.ENTRIES],
)
class Entries(SessionRows):
    def rows(self, session: BotSession) -> Any:
        return queries.entries_of(session=session.pk)

    def shape(self, row: Any) -> dict[str, Any]:
        return shapes.entry_object(row)


class FinancialHistory(SessionRead):
    query = {"GET": ("interval", "since")}

    @extend_schema(
        summary="Per-second financial history",
        description="The whole day in one answer. `Accept: text/csv` gives CSV.",
        parameters=[inputs.FinancialsQuery, *CONDITIONAL],
        responses={
            (200, "application/json"): schema.FinancialShape(many=True),
            (200, "text/csv"): OpenApiResponse(response=str),
            **NOT_MODIFIED,
            **errors(400, 404),
        },
        examples=[examples.FINANCIALS, examples.FINANCIALS_CSV],
    )
    def get(self, request: Request, bot_id: UUID, session_id: UUID) -> HttpResponse:
        query = _read(inputs.FinancialsQuery, request.query_params.dict())
        session = self.session(request, bot_id, session_id)
        since: datetime | None = query.get("since")
        line = financials.line_since(session, to_ms(since)) if since else financials.line(session)
        matrix = lines.thinned(line, interval=query["interval"])
        if lines.wants_csv(request.headers.get("Accept", "")):
            return HttpResponse(lines.as_csv(matrix), content_type="text/csv; charset=utf-8")
        return HttpResponse(lines.as_json(matrix), content_type="application/json")


def _read(shape: type[Any], data: Any) -> dict[str, Any]:
    body = shape(data=data)
    body.is_valid(raise_exception=True)
    read: dict[str, Any] = body.validated_data
    return read
