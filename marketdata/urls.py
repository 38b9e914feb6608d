from common.routing import route
from marketdata.api import MarketChain, MarketHistory, MarketStatus
from marketdata.streams import market_stream

urlpatterns = [
    *route("market-data/status", MarketStatus.as_view(), name="market-status"),
    *route("market-data/chain", MarketChain.as_view(), name="market-chain"),
    *route(
        "market-data/historical/<str:trading_date>", MarketHistory.as_view(), name="market-history"
    ),
    *route("market-data/stream", market_stream, name="market-stream"),
]
