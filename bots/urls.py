from bots import api
from common.routing import route

urlpatterns = [
    *route("bots", api.Bots.as_view(), "bots"),
    *route("bots/<uuid:bot_id>", api.BotDetail.as_view(), "bot"),
    *route("bots/<uuid:bot_id>/summary", api.BotSummary.as_view(), "bot-summary"),
    *route("bots/<uuid:bot_id>/adjustments", api.BotAdjustments.as_view(), "bot-adjustments"),
]
