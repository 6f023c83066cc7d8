"""Photos: received bytes sealed by their hash, and what they prove."""

from typing import Self

import pgtrigger
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

MOST_ATTEMPTS = 3  # to make the pictures of a photo; one that kills its worker is parked then


class PhotoQuerySet(models.QuerySet):
    def waiting(self) -> Self:
        """Without the pictures people see, and still to be tried."""
        return self.filter(derived_at=None, deriving__lt=MOST_ATTEMPTS)

    def parked(self) -> Self:
        """Given up after so many tries."""
        return self.filter(derived_at=None, deriving__gte=MOST_ATTEMPTS)


class Photo(models.Model):
    """Bytes as they were received, named by their SHA-256; the file is never changed."""

    sha256 = models.CharField("SHA-256", max_length=64, primary_key=True)
    size = models.PositiveIntegerField(_("bytes"))
    mime = models.CharField(_("format"), max_length=20)
    width = models.PositiveIntegerField(_("width"))
    height = models.PositiveIntegerField(_("height"))
    received_at = models.DateTimeField(_("received at"))
    taken_at = models.DateTimeField(_("taken at"), null=True)  # the camera's claim (EXIF)
    derived_at = models.DateTimeField(_("pictures made at"), null=True)  # the ones that people see
    deriving = models.PositiveSmallIntegerField(_("tries"), default=0)

    objects = PhotoQuerySet.as_manager()

    class Meta:
        verbose_name = _("photo")
        verbose_name_plural = _("photos")
        indexes = [models.Index("received_at", name="photo_underived", condition=models.Q(derived_at=None))]

    def __str__(self) -> str:
        return self.sha256[:12]


class Attachment(models.Model):
    """A photo as evidence of one subject, in one role, put there by one person."""

    photo = models.ForeignKey(Photo, on_delete=models.PROTECT, related_name="attachments")
    kind = models.CharField(max_length=24)
    subject_id = models.CharField(max_length=64)
    role = models.CharField(max_length=12)
    step_id = models.UUIDField(null=True)  # the step it was sent for, where the sender said so
    used_by = models.UUIDField(null=True)  # the step that it served as evidence for
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="attachment_once", fields=["kind", "subject_id", "role", "photo"]),
        ]
        triggers = [pgtrigger.Protect(name="kept", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_id} {self.role}"
