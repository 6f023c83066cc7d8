"""What walls leave behind: who made one silent, and for how long."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class Mute(models.Model):
    """The sounds of one screen, silenced for a while. It ends by itself, or before."""

    id = models.UUIDField(primary_key=True, editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    screen = models.ForeignKey(
        "accounts.AccessToken", models.PROTECT, null=True, related_name="+"
    )  # a wall screen's own
    area_code = models.CharField(max_length=15)  # of the wall that was shown
    begun_at = models.DateTimeField()
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)  # sound again, before its time

    class Meta:
        indexes = [models.Index(fields=["-begun_at"], name="mute_newest")]
        constraints = [models.CheckConstraint(name="mute_ends", condition=Q(until__gt=F("begun_at")))]

    def __str__(self) -> str:
        return f"{self.area_code} {self.begun_at:%F %T}"
