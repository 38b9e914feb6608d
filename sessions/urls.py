from django.urls import include, path

from common.routing import route
from sessions.api import (
    CancelAllOrders,
    DecisionLog,
    Entries,
    Events,
    FinancialHistory,
    Orders,
    Positions,
    SessionDetail,
    Sessions,
    Transactions,
)
from sessions.integrity.api import SessionIntegrity
from sessions.streams import session_stream

of_a_session = [
    *route("orders", Orders.as_view(), name="session-orders"),
    *route("positions", Positions.as_view(), name="session-positions"),
    *route("financials", FinancialHistory.as_view(), name="session-financials"),
    *route("transactions", Transactions.as_view(), name="session-transactions"),
    *route("decision-log", DecisionLog.as_view(), name="session-decision-log"),
    *route("events", Events.as_view(), name="session-events"),
    *route("entries", Entries.as_view(), name="session-entries"),
    *route("integrity", SessionIntegrity.as_view(), name="session-integrity"),
    *route("stream", session_stream, name="session-stream"),
    *route("cancel-all-orders", CancelAllOrders.as_view(), name="cancel-all-orders"),
]

urlpatterns = [
    *route("bots/<uuid:bot_id>/sessions", Sessions.as_view(), name="sessions"),
    *route("bots/<uuid:bot_id>/sessions/<uuid:session_id>", SessionDetail.as_view(), "session"),
    path("bots/<uuid:bot_id>/sessions/<uuid:session_id>/", include(of_a_session)),
]
