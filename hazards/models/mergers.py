"""Duplicates and the cases they were merged into."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from ..lifecycle import Stage
from .cases import Hazard


class Merger(models.Model):
    """A duplicate that was merged into a case, with what it brought, so that undoing it takes just that away."""

    duplicate = models.ForeignKey(Hazard, on_delete=models.PROTECT, related_name="mergers", db_index=False)
    into = models.ForeignKey(Hazard, on_delete=models.PROTECT, related_name="absorbed", db_index=False)
    stage = models.CharField(max_length=7, choices=Stage)
    due_at = models.DateTimeField(null=True)  # of the duplicate
    merged_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    merged_at = models.DateTimeField()
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    undone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="merged_once_at_a_time", fields=["duplicate"], condition=Q(undone_at__isnull=True)
            )
        ]
        indexes = [models.Index("into", name="merger_into")]

    def __str__(self) -> str:
        return f"{self.duplicate_id} → {self.into_id}"
