"""Every route of the site. The API lives under /api, the dashboard at the root."""

from django.contrib import admin
from django.urls import include, path

from common.exposition import metrics_page

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/", include("common.api_urls")),
    path("api/", include("accounts.urls")),
    path("api/", include("strategies.urls")),
    path("api/", include("marketdata.urls")),
    path("api/", include("bots.urls")),
    path("api/", include("sessions.urls")),
    path("metrics", metrics_page, name="metrics"),
    path("", include("common.urls")),
    path("", include("dashboard.urls")),
]

# Below /api these answer JSON, elsewhere Django's pages.
handler400 = "common.api.bad_request"
handler403 = "common.api.permission_denied"
handler404 = "common.api.not_found"
handler500 = "common.api.server_error"
