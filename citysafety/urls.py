"""Every address of the site, one page."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from citysafety import health
from citysafety.catalogue import catalogue

API = [
    "citysafety.tallies.api_urls",
    "citysafety.calendars.api_urls",
    "citysafety.live.api_urls",
    "citysafety.notices.api_urls",
    "citysafety.dashboard.api_urls",
    "citysafety.centre.api_urls",
    "grid.api_urls",
    "hazards.api_urls",
    "hazards.inspections.api_urls",
    "hazards.rechecks.api_urls",
    "hazards.writeoffs.api_urls",
    "monitoring.api_urls",
    "projects.api_urls",
]
PAGES = [
    "citysafety.accounts.urls",
    "citysafety.calendars.urls",
    "citysafety.notices.urls",
    "citysafety.evidence.urls",
    "citysafety.documents.urls",
    "citysafety.dashboard.urls",
    "citysafety.centre.urls",
    "citysafety.chain.urls",
    "citysafety.field.urls",
    "grid.urls",
    "hazards.urls",
    "hazards.inspections.urls",
    "monitoring.urls",
    "projects.urls",
]

urlpatterns = [
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("jsi18n/<str:language>/<str:version>.js", catalogue, name="jsi18n"),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/v1/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    *[path("api/v1/", include(module)) for module in API],
    path("open311/v2/", include("hazards.open311.urls")),
    *[path("", include(module)) for module in PAGES],
    path("admin/", admin.site.urls),
]

handler400 = "citysafety.accounts.errors.bad_request"
handler403 = "citysafety.accounts.errors.denied"
handler404 = "citysafety.accounts.errors.missing"
handler500 = "citysafety.accounts.errors.broken"
