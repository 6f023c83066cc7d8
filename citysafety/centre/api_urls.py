"""Addresses that the console's page reads, under /api/v1/."""

from django.urls import path

from .api import Dispatches, Queue, QueueCount, Search, Trial, Undo

urlpatterns = [
    path("centre/queue/", Queue.as_view(), name="centre-queue"),
    path("centre/queue/count/", QueueCount.as_view(), name="centre-queue-count"),
    path("centre/search/", Search.as_view(), name="centre-search"),
    path("centre/dispatches/", Dispatches.as_view(), name="centre-dispatches"),
    path("centre/dispatches/trial/", Trial.as_view(), name="centre-trial"),
    path("centre/dispatches/undo/", Undo.as_view(), name="centre-undo"),
]
