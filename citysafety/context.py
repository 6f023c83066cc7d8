"""What every page knows about the site."""

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, object]:
    """Return the version, the city's code and the request's id for the templates."""
    return {
        "site_version": settings.VERSION,
        "city_code": settings.CITY_CODE,
        "request_id": getattr(request, "request_id", ""),
    }
