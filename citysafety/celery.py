"""The Celery application: alerts, media, sweeps."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "citysafety.settings")

app = Celery("citysafety")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
