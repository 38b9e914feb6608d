from common.routing import route
from strategies.api import (
    FormSchema,
    SavedStrategyDetail,
    Strategies,
    StrategyClone,
    StrategyPreview,
    StrategyTemplates,
)

urlpatterns = [
    *route("strategies", Strategies.as_view(), name="strategies"),
    *route("strategies/preview", StrategyPreview.as_view(), name="strategy-preview"),
    *route("strategies/form-schema", FormSchema.as_view(), name="strategy-form-schema"),
    *route("strategies/templates", StrategyTemplates.as_view(), name="strategy-templates"),
    *route("strategies/<uuid:strategy_id>", SavedStrategyDetail.as_view(), name="strategy"),
    *route("strategies/<uuid:strategy_id>/clone", StrategyClone.as_view(), name="strategy-clone"),
]
