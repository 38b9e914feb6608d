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

SESSION = "bots/<uuid:bot_id>/sessions/<uuid:session_id>"

urlpatterns = [
    *route("bots/<uuid:bot_id>/sessions", Sessions.as_view(), name="sessions"),
    *route(SESSION, SessionDetail.as_view(), name="session"),
    *route(f"{SESSION}/cancel-all-orders", CancelAllOrders.as_view(), name="cancel-all-orders"),
    *route(f"{SESSION}/orders", Orders.as_view(), name="session-orders"),
    *route(f"{SESSION}/positions", Positions.as_view(), name="session-positions"),
    *route(f"{SESSION}/transactions", Transactions.as_view(), name="session-transactions"),
    *route(f"{SESSION}/financials", FinancialHistory.as_view(), name="session-financials"),
    *route(f"{SESSION}/decision-log", DecisionLog.as_view(), name="session-decision-log"),
    *route(f"{SESSION}/events", Events.as_view(), name="session-events"),
    *route(f"{SESSION}/entries", Entries.as_view(), name="session-entries"),
    *route(f"{SESSION}/integrity", SessionIntegrity.as_view(), name="session-integrity"),
    *route(f"{SESSION}/stream", session_stream, name="session-stream"),
]
