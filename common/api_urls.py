"""Discovery below /api."""

from common.discovery import Docs, Health, OpenApi, Ready
from common.routing import route

urlpatterns = [
    *route("health", Health.as_view(), name="health"),
    *route("ready", Ready.as_view(), name="ready"),
    *route("openapi.yaml", OpenApi.as_view(), name="openapi"),
    *route("docs", Docs.as_view(), name="docs"),
]
