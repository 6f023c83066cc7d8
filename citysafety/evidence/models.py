"""Photos: received bytes sealed by their hash, and what they prove."""

from typing import Self

import pghistory
import pgtrigger
from django.conf import settings
from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import F, Q, Value
from django.utils.translation import gettext_lazy as _

from .looks import BAND, BANDS

MOST_ATTEMPTS = 3  # to make the pictures of a photo; one that kills its worker is parked then


class PhotoQuerySet(models.QuerySet):
    def waiting(self) -> Self:
        """Without the pictures people see, and still to be tried."""
        return self.filter(derived_at=None, deriving__lt=MOST_ATTEMPTS)

    def parked(self) -> Self:
        """Given up after so many tries."""
        return self.filter(derived_at=None, deriving__gte=MOST_ATTEMPTS)

    def unlooked(self) -> Self:
        """With their pictures, and not yet looked at for likeness: those that came before photos were."""
        return self.filter(derived_at__isnull=False, looked_at=None)


class Photo(models.Model):
    """Bytes as they were received, named by their SHA-256; the file is never changed."""

    sha256 = models.CharField("SHA-256", max_length=64, primary_key=True)
    size = models.PositiveIntegerField(_("bytes"))
    mime = models.CharField(_("format"), max_length=20)
    width = models.PositiveIntegerField(_("width"))
    height = models.PositiveIntegerField(_("height"))
    received_at = models.DateTimeField(_("received at"))
    taken_at = models.DateTimeField(_("taken at"), null=True)  # the camera's claim (EXIF)
    taken_offset = models.CharField(_("offset of the camera's clock"), max_length=6, blank=True, default="")
    # Where the camera says it stood (EXIF), as it is written there: by the standard WGS 84, on some phones GCJ-02.
    camera_place = models.PointField(srid=4326, null=True, spatial_index=False)
    across = models.BigIntegerField(null=True)  # what it looks like (looks.py); none: too plain, or not looked at yet
    down = models.BigIntegerField(null=True)
    looked_at = models.DateTimeField(null=True)
    derived_at = models.DateTimeField(_("pictures made at"), null=True)  # the ones that people see
    deriving = models.PositiveSmallIntegerField(_("tries"), default=0)

    objects = PhotoQuerySet.as_manager()

    class Meta:
        verbose_name = _("photo")
        verbose_name_plural = _("photos")
        indexes = [
            models.Index("received_at", name="photo_underived", condition=Q(derived_at=None)),
            models.Index("received_at", name="photo_unlooked", condition=Q(looked_at=None, derived_at__isnull=False)),
            *(
                models.Index(
                    F("across").bitrightshift(Value(start)).bitand(Value(BAND)), "across", name=f"photo_look_{n}"
                )
                for n, start in enumerate(BANDS)
            ),
        ]

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


class Verdict(models.TextChoices):
    """What is made of a photo; it judges no person, it says where to look."""

    TRUSTED = "trusted", _("Trusted by time and place")
    PARTLY = "partly", _("Partly known")
    BARE = "bare", _("No metadata")
    LOOK = "look", _("Look closer")
    IMPORTED = "imported", _("Imported")


class TrustQuerySet(models.QuerySet):
    def pending(self) -> Self:
        """Not yet compared with what other photos look like."""
        return self.filter(compared_at=None)

    def doubted(self) -> Self:
        return self.filter(verdict=Verdict.LOOK)


class Trust(models.Model):
    """What speaks for and against a photo as evidence of a case, and what the device that sent it claimed."""

    attachment = models.OneToOneField(Attachment, on_delete=models.PROTECT, primary_key=True, related_name="trust")
    claimed_at = models.DateTimeField(null=True)  # when the device says it was taken
    claimed_place = models.PointField(srid=4326, null=True, spatial_index=False)  # where the device says it stood
    claimed_accuracy_m = models.FloatField(null=True)
    offered_again_at = models.DateTimeField(null=True)  # after it had served a step that then was found wanting
    verdict = models.CharField(max_length=8, choices=Verdict)
    reasons = models.JSONField(default=list)
    doubts = ArrayField(models.CharField(max_length=16), default=list)  # the codes of what speaks against it
    area_code = models.CharField(max_length=15, blank=True, default="")  # of the case, when it was judged
    at = models.DateTimeField()  # when it was sent, as the attachment says
    judged_at = models.DateTimeField()
    compared_at = models.DateTimeField(null=True)

    objects = TrustQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index("at", name="trust_pending", condition=Q(compared_at=None)),
            models.Index(fields=["-at", "-attachment"], name="trust_look", condition=Q(verdict=Verdict.LOOK)),
            models.Index(
                fields=["area_code", "-at"],
                opclasses=["varchar_pattern_ops", "timestamptz_ops"],
                name="trust_look_area",
                condition=Q(verdict=Verdict.LOOK),
            ),
            GinIndex(fields=["doubts"], name="trust_look_doubts", condition=Q(verdict=Verdict.LOOK)),
        ]
        triggers = [pgtrigger.Protect(name="kept", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.attachment_id} {self.verdict}"


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    model_name="TrustRuleHistory",
    meta={
        "verbose_name": _("change of the limits for photos"),
        "verbose_name_plural": _("history of the limits for photos"),
    },
)
class TrustRule(models.Model):
    """The limits that photos are judged by: one row, changed by people; what was judged before stands as it was."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    fresh_hours = models.PositiveSmallIntegerField(
        _("fits in time within (hours)"), default=24, help_text=_("Between taking the photo and finding the case.")
    )
    older_days = models.PositiveSmallIntegerField(
        _("older than the case by more than (days)"), default=7, help_text=_("Look closer at older photos.")
    )
    ahead_minutes = models.PositiveSmallIntegerField(
        _("clocks may differ by (minutes)"),
        default=10,
        help_text=_("A camera that is further ahead has a wrong clock."),
    )
    near_m = models.PositiveIntegerField(
        _("stands for the place within (m)"),
        default=150,
        help_text=_("Beyond what the positions say of their accuracy."),
    )
    far_m = models.PositiveIntegerField(_("far from the case beyond (m)"), default=500)
    apart_m = models.PositiveIntegerField(
        _("camera and device may be apart by (m)"), default=1000, help_text=_("A wrong one of the two asks for a look.")
    )
    alike_bits = models.PositiveSmallIntegerField(
        _("bits of 128 in which the same picture may differ"), default=10, validators=[MaxValueValidator(20)]
    )
    alike_grey = models.FloatField(
        _("grey levels by which the same picture may differ"),
        default=7,
        validators=[MinValueValidator(0), MaxValueValidator(30)],
    )
    source = models.CharField(_("source"), max_length=200, default="地方做法，示例值")

    class Meta:
        verbose_name = _("limits for photos")
        verbose_name_plural = _("limits for photos")
        constraints = [
            models.CheckConstraint(name="trust_rule_one_row", condition=Q(pk=1)),
            models.CheckConstraint(name="trust_rule_near_before_far", condition=Q(near_m__lte=F("far_m"))),
        ]

    def __str__(self) -> str:
        return str(self._meta.verbose_name)

    @classmethod
    def present(cls) -> Self:
        """Return the limits in force; the first values where nobody has set any. Queries: 1."""
        return cls.objects.filter(pk=1).first() or cls()
