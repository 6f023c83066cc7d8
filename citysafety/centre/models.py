"""Dispatches that wait a few seconds on the server, so that several given at once can be taken back."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class HeldDispatch(models.Model):
    """One dispatch on its way: its id becomes the step's. It goes out by itself, whatever the browser does."""

    class State(models.TextChoices):
        HELD = "held", _("Going out")
        SENT = "sent", _("Sent")
        UNDONE = "undone", _("Undone")
        REFUSED = "refused", _("Not sent")

    id = models.UUIDField(primary_key=True, editable=False)
    batch = models.UUIDField(db_index=True)
    hazard = models.ForeignKey("hazards.Hazard", models.PROTECT, related_name="+")
    version = models.PositiveIntegerField()  # of the hazard, as the sender saw it
    department = models.ForeignKey("accounts.Department", models.PROTECT, related_name="+")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    held_at = models.DateTimeField()
    send_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=7, choices=State, default=State.HELD)
    refusal = models.CharField(max_length=40, blank=True, default="")  # a key of services.REFUSALS, or a rule of rights

    class Meta:
        indexes = [
            models.Index("send_at", name="held_waiting", condition=Q(state="held")),
            models.Index(fields=["actor", "-held_at"], name="held_actor"),
        ]
        constraints = [
            models.UniqueConstraint(name="held_once_a_hazard", fields=["hazard"], condition=Q(state="held")),
            models.CheckConstraint(name="held_ends_once", condition=Q(state="held", ended_at=None) | ~Q(state="held")),
            models.CheckConstraint(name="held_refused_says_why", condition=~Q(state="refused") | ~Q(refusal="")),
        ]

    def __str__(self) -> str:
        return f"{self.hazard_id} {self.state}"
