"""What `bin/manage check --database default` and every migration say of the calendar."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Warning
from django.db import connections
from django.utils import timezone

from .models import CalendarYear
from .services import missing_year_warning


def next_year_is_known(*, databases: Sequence[str] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """Warn from 1 November while next year's working days are missing. Silent before the tables are made."""
    if not databases or "default" not in databases:
        return []
    tables = connections["default"].introspection.table_names()
    if CalendarYear._meta.db_table not in tables:
        return []
    warning = missing_year_warning(timezone.now())
    hint = "bin/manage seed_calendars, after an update of chinesecalendar; or enter the year in the admin."
    return [Warning(warning, hint=hint, id="calendars.W001")] if warning else []
