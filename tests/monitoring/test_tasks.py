"""What beat does for monitoring: days are made ahead and leave, flapping alarms settle."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from monitoring import partitions, tasks
from monitoring.models import System

pytestmark = pytest.mark.django_db


def test_days_are_made_ahead_and_those_that_are_over_leave():
    System.objects.create(code="short", name_zh="短", keep_days=30)
    today = timezone.localdate()
    old = today - timedelta(days=60)
    partitions.make(old, old)
    tasks.make_days()
    tasks.make_days()

    for table in partitions.TABLES:
        days = partitions.made(table)
        assert old not in days
        assert today + timedelta(days=partitions.AHEAD_DAYS) in days


def test_tasks_are_in_the_schedule_and_in_a_queue_that_workers_serve():
    listed = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert {tasks.make_days.name, tasks.settle_alarms.name, tasks.roll_up.name} <= listed
    assert settings.CELERY_TASK_ROUTES["monitoring.tasks.*"] == {"queue": "alarm"}
    tasks.settle_alarms()
    tasks.roll_up()
