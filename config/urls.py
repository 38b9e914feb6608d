"""Every route of the site. The API lives under /api, the dashboard at the root."""

from django.contrib import admin
from django.urls import include, path

from common.exposition import metrics_page

# Tried one after the other, so what is asked most stands first.
api = [
    path("", include("sessions.urls")),
    path("", include("bots.urls")),
    path("", include("marketdata.urls")),
    path("", include("strategies.urls")),
    path("", include("accounts.urls")),
    path("", include("common.api_urls")),
]

urlpatterns = [
    path("api/", include(api)),
    path("admin/", admin.site.urls),
    path("metrics", metrics_page, name="metrics"),
    path("", include("common.urls")),
    path("", include("dashboard.urls")),
]

# Below /api these answer JSON, elsewhere Django's pages.
handler400 = "common.api.bad_request"
handler403 = "common.api.permission_denied"
handler404 = "common.api.not_found"
handler500 = "common.api.server_error"
