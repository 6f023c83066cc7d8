"""The frame of the house. The Celery application is made here so that shared tasks find it."""

from .celery import app as celery_app

__all__ = ["celery_app"]
