"""GET …/integrity: the recount of one session."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from common.schema import errors
from common.views import ApiView
from sessions import examples, queries
from sessions.integrity.verify import RULES, verify


class BreakShape(serializers.Serializer):  # type: ignore[type-arg]  # no generic at run time
    """The first row that breaks the check."""

    table = serializers.CharField()
    id = serializers.CharField(help_text="Of the row; of a second of the line chunk/tick.")
    column = serializers.CharField()
    stored = serializers.JSONField(
        allow_null=True, help_text="Amounts in cents; null where a row is missing."
    )
    expected = serializers.JSONField(
        allow_null=True, help_text="What the other rows say; null where there should be no row."
    )


class CheckShape(serializers.Serializer):  # type: ignore[type-arg]  # no generic at run time
    name = serializers.ChoiceField([rule.name for rule in RULES])
    says = serializers.CharField(help_text="What must hold.")
    is_sound = serializers.BooleanField()
    rows_checked = serializers.IntegerField()
    first_break = BreakShape(allow_null=True)


class Integrity(serializers.Serializer):  # type: ignore[type-arg]  # no generic at run time
    """Every invariant of a session, recomputed from its rows."""

    session_id = serializers.UUIDField()
    is_sound = serializers.BooleanField()
    checks = CheckShape(many=True)


EXAMPLE = OpenApiExample(
    "A fee that does not follow the schedule",
    {
        "session_id": examples.SESSION_ID,
        "is_sound": False,
        "checks": [
            {
                "name": "fees",
                "says": "fees follow the frozen schedule",
                "is_sound": False,
                "rows_checked": 4,
                "first_break": {
                    "table": "bot_sessions_transaction",
                    "id": examples.TRANSACTION["id"],
                    "column": "fees_cents",
                    "stored": 171,
                    "expected": 172,
                },
            }
        ],
    },
    response_only=True,
    status_codes=["200"],
    media_type="application/json",
)


class SessionIntegrity(ApiView):
    @extend_schema(
        summary="Recount the session from its rows",
        description=(
            "Recomputes every invariant of a session, finished or running (as of its last "
            "commit), and names the first row that breaks each (ours)."
        ),
        responses={200: Integrity, **errors(404)},
        examples=[EXAMPLE],
    )
    def get(self, request: Request, bot_id: UUID, session_id: UUID) -> Response:
        session = queries.session_of(request.user, bot_id, session_id)
        return Response(verify(session.pk).as_json())
