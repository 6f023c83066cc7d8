"""Is the process alive, is it of use, and what do its gauges say."""

import math
import time
from datetime import datetime

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Min
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django_prometheus.exports import ExportToDjangoView
from django_redis import get_redis_connection
from prometheus_client import Gauge

from citysafety.evidence.models import Photo
from citysafety.notices.models import Delivery
from citysafety.outbox.selectors import HeadOfNews, head
from hazards.models import Hazard

CLOCKS_DIFFER_S = 30  # from the database's: then times and due times of this host would be wrong
LAGS = {
    "overdue": Gauge("citysafety_overdue_unmarked_seconds", "Since when a hazard is overdue that no sweep has marked"),
    "delivery": Gauge("citysafety_delivery_waiting_seconds", "Since when a notice is due that no worker has taken"),
    "relay": Gauge("citysafety_relay_silent_seconds", "Since when the relay has not said that it is alive"),
    "periodic": Gauge("citysafety_periodic_silent_seconds", "Since when beat and workers have done no periodic work"),
}
PICTURES_GIVEN_UP = Gauge("citysafety_pictures_given_up", "Photos whose pictures could not be made in three tries")


def livez(request: HttpRequest) -> JsonResponse:
    """Say that this process answers; touches nothing else."""
    return JsonResponse({"status": "ok", "version": settings.VERSION})


def readyz(request: HttpRequest) -> JsonResponse:
    """Say whether the database and Redis answer too, and its clock and ours agree; 503 with what is missing.

    Where beat or the workers are silent it is degraded: pages still serve, so that is no reason to take them away.
    """
    missing, degraded = {}, {}
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
            ahead_s = time.time() - cursor.fetchone()[0]
        if abs(ahead_s) > CLOCKS_DIFFER_S:
            missing["clock"] = f"{ahead_s:+.0f} s from the database's"
        degraded = _periodic(head(), timezone.now())
    except Exception as error:
        missing["database"] = type(error).__name__
    try:
        get_redis_connection().ping()
    except Exception as error:
        missing["redis"] = type(error).__name__
    word = "missing" if missing else "degraded" if degraded else "ok"
    return JsonResponse({"status": word, **missing, **degraded}, status=503 if missing else 200)


def _periodic(found: HeadOfNews, at: datetime) -> dict[str, str]:
    if since := found.idle_since(at):
        return {
            "periodic": f"no periodic work since {since.isoformat(timespec='seconds')}, {_since(since, at):.0f} s ago"
        }
    return {}


def lags() -> dict[str, float]:
    """Return for how many seconds work has been waiting that somebody should have done. Queries: 3.

    They grow when beat, workers or Redis are silent, whichever it is, and the relay; in order they stay under a minute.
    """
    now = timezone.now()
    due_at = Hazard.objects.filter(overdue=False, due_at__isnull=False).aggregate(first=Min("due_at"))["first"]
    untaken = Delivery.objects.filter(sent_at=None, parked_at=None, claimed_at=None)
    next_try_at = untaken.aggregate(first=Min("next_try_at"))["first"]
    news = head()
    return {
        "overdue": _since(due_at, now),
        "delivery": _since(next_try_at, now),
        "relay": news.silent_s or 0.0,
        "periodic": _since(news.worked_at, now),
    }


def _since(moment: datetime | None, now: datetime) -> float:
    return max(0.0, (now - moment).total_seconds()) if moment else 0.0


def metrics(request: HttpRequest) -> HttpResponse:
    """Show the gauges to this machine and to signed-in administrators; elsewhere there is no such page."""
    local = request.META.get("REMOTE_ADDR", "") in ("127.0.0.1", "::1", "")
    if not (local or getattr(request.user, "role", "") == "administrator"):
        return HttpResponse(status=404)
    try:
        found, given_up = lags(), Photo.objects.parked().count()
    except DatabaseError:  # the other gauges are wanted then more than ever
        found, given_up = dict.fromkeys(LAGS, math.nan), math.nan
    PICTURES_GIVEN_UP.set(given_up)
    for name, seconds in found.items():
        LAGS[name].set(seconds)
    return ExportToDjangoView(request)
