"""Celery doors of hazards."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from citysafety.outbox.selectors import now

from . import ladders, listeners, services
from .bulk import services as bulk
from .evaluation import keeping
from .evaluation.services import seek
from .inspections.planning import replan
from .inspections.reminders import remind
from .listings import clocks
from .rechecks import services as rechecks


@shared_task
def mark_overdue(**_from_newer_version: object) -> None:
    """Mark what ran out since the last sweep, and end pauses whose time has come. Any number of sweeps do it once."""
    services.resume_ended(at=timezone.now())
    services.mark_overdue(at=timezone.now())


@shared_task
def climb_ladders(**_from_newer_version: object) -> None:
    """Follow what happened to the cases and take the rungs whose moment has come. By the database's clock: hosts differ."""
    ladders.follow()
    ladders.climb(at=now())


@shared_task
def mark_missed_listings(**_from_newer_version: object) -> None:
    """Mark what listings missed. Any number of sweeps mark a limit once."""
    clocks.mark_missed(at=timezone.now())


@shared_task
def warn_of_missing_calendar(**_from_newer_version: object) -> None:
    """Say that a year's working days are missing, once a day however often it runs."""
    listeners.tell_of_missing_calendar(at=timezone.now())


@shared_task
def seek_doubts(**_from_newer_version: object) -> None:
    """Look for patterns that give reason to ask; each is found once a week, however often this runs."""
    seek(at=timezone.now())


@shared_task
def evaluate(area: str, dimension: str, days: str, with_times: bool, **_from_newer_version: object) -> None:
    """Work out and keep an evaluation that takes longer than a page may."""
    keeping.work_out(area, dimension, days, with_times=with_times)


@shared_task
def leave_ended_cells(**_from_newer_version: object) -> None:
    """Move open cases out of cells that a re-zoning ended; finds nothing on most runs."""
    services.leave_ended_cells(at=timezone.now())


@shared_task
def plan_inspections(**_from_newer_version: object) -> None:
    """Grade all premises anew: what was registered or closed since, and what is a year old. Any number of runs do the same."""
    replan(at=timezone.now())


@shared_task
def carry_on_bulk(run_id: str, **_from_newer_version: object) -> None:
    """Do a part of a confirmed step with many cases; what is left is asked for again. Any number of calls do it once."""
    bulk.carry_on(run_id=UUID(run_id), at=timezone.now())


@shared_task
def sweep_bulk(**_from_newer_version: object) -> None:
    """Let steps with many cases go on whose worker was lost. Any number of sweeps do it once."""
    bulk.sweep(at=timezone.now())


@shared_task
def remind_of_reinspections(**_from_newer_version: object) -> None:
    """Tell who is to inspect again that it is due, and that it is overdue: once each, however many sweeps."""
    remind(at=timezone.now())


@shared_task
def draw_rechecks(**_from_newer_version: object) -> None:
    """Draw the samples of weeks and months that have ended, and remind who is late. Any number of runs draw each once."""
    rechecks.draw_due(at=timezone.now())
    rechecks.remind_late(at=timezone.now())
