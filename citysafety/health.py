"""Is the process alive, is it of use, and what do its gauges say."""

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django_prometheus.exports import ExportToDjangoView
from django_redis import get_redis_connection


def livez(request: HttpRequest) -> JsonResponse:
    """Say that this process answers; touches nothing else."""
    return JsonResponse({"status": "ok", "version": settings.VERSION})


def readyz(request: HttpRequest) -> JsonResponse:
    """Say whether the database and Redis answer too; 503 with what is missing."""
    missing = {}
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception as error:
        missing["database"] = type(error).__name__
    try:
        get_redis_connection().ping()
    except Exception as error:
        missing["redis"] = type(error).__name__
    return JsonResponse({"status": "missing" if missing else "ok", **missing}, status=503 if missing else 200)


def metrics(request: HttpRequest) -> HttpResponse:
    """Show the gauges to this machine and to signed-in administrators; elsewhere there is no such page."""
    local = request.META.get("REMOTE_ADDR", "") in ("127.0.0.1", "::1", "")
    if not (local or getattr(request.user, "role", "") == "administrator"):
        return HttpResponse(status=404)
    return ExportToDjangoView(request)
