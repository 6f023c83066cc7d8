"""A step with many cases: what was tried, what is done, and what became of each."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _


class BulkRun(models.Model):
    """One trial of a step with many cases, and its doing once the same person has confirmed it.

    ``rows`` holds a case each, in the order of the list: ``hazard`` (id), ``number``, ``what``, ``version`` as it was seen,
    ``department`` and ``office`` where it is dispatched to, ``result`` (possible, done, refused) and ``words`` why it is refused.
    What is said (``what``, ``office``, ``words``) stands there in each language.
    """

    class State(models.TextChoices):
        TRIED = "tried", _("Tried")
        RUNNING = "running", pgettext_lazy("run", "In work")
        DONE = "done", _("Done")

    id = models.UUIDField(primary_key=True, editable=False)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    action = models.CharField(max_length=24)
    words = models.TextField(max_length=2000, blank=True, default="")
    department = models.CharField(max_length=32, blank=True, default="")  # empty: the one suggested for each case
    cause = models.CharField(max_length=16, blank=True, default="")
    asked = models.CharField(max_length=64)  # digest of what was asked: the same id asks nothing else
    back = models.TextField(blank=True, default="")  # the list it was chosen from, as its address says
    is_more = models.BooleanField(default=False)  # more cases fitted the filter than one run takes
    rows = models.JSONField(default=list)
    state = models.CharField(max_length=8, choices=State, default=State.TRIED)
    language = models.CharField(max_length=8)  # its maker's
    tried_at = models.DateTimeField()
    touched_at = models.DateTimeField(null=True)  # a worker has it since then
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["state", "tried_at"], name="bulk_run_by_state")]

    def __str__(self) -> str:
        return f"{self.action} {self.id}"

    @property
    def told(self) -> list[dict[str, Any]]:
        """Return the rows in the active language."""
        language = get_language() or self.language
        return [
            {name: value.get(language, "") if isinstance(value, dict) else value for name, value in row.items()}
            for row in self.rows
        ]

    @property
    def waiting(self) -> list[dict[str, Any]]:
        """Return the rows themselves that are not done yet."""
        return [row for row in self.rows if row["result"] == "possible"]

    @property
    def possible(self) -> list[dict[str, Any]]:
        return [row for row in self.told if row["result"] == "possible"]

    @property
    def done(self) -> list[dict[str, Any]]:
        return [row for row in self.told if row["result"] == "done"]

    @property
    def refused(self) -> list[dict[str, Any]]:
        return [row for row in self.told if row["result"] == "refused"]
