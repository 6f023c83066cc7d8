"""Tables of the public side: whose code follows a case, how to reach who reported it, how often a case may be reopened."""

import pghistory
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

ACCOUNT = "public"  # the user name of the account that all reports of the public are filed by; nobody signs in with it
MOST_DAYS = 30  # a reporter's own right to reopen ends then for everybody


class PublicReport(models.Model):
    """A hazard that was reported without an account. Who has the code follows it; only the code's SHA-256 is kept."""

    hazard = models.OneToOneField(
        "hazards.Hazard", on_delete=models.PROTECT, primary_key=True, related_name="public_report"
    )
    digest = models.CharField(max_length=64, unique=True)
    satisfaction = models.PositiveSmallIntegerField(
        _("satisfaction"), null=True, validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    satisfied_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="satisfaction_of_five",
                condition=Q(satisfaction=None, satisfied_at=None)
                | Q(satisfaction__range=(1, 5), satisfied_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return str(self.hazard_id)


class Contact(models.Model):
    """How to reach who reported a hazard, where they said so. Apart from all else, for those who handle the case alone."""

    report = models.OneToOneField(PublicReport, on_delete=models.CASCADE, primary_key=True, related_name="contact")
    name = models.CharField(max_length=60, blank=True, default="")
    phone = models.CharField(max_length=32, blank=True, default="")

    class Meta:
        constraints = [models.CheckConstraint(name="contact_says_something", condition=~Q(name="", phone=""))]

    def __str__(self) -> str:
        return str(self.report_id)


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    pghistory.DeleteEvent(),
    model_name="PublicRuleHistory",
    meta={"verbose_name": _("change of the rule of the public"), "verbose_name_plural": _("history of the rule of the public")},
)  # fmt: skip
class PublicRule(models.Model):
    """The one row that says how long and how often the public may say that a closed case is not solved."""

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    contest_days = models.PositiveSmallIntegerField(
        _("may be contested so long after closing (days)"), default=15, validators=[MaxValueValidator(MOST_DAYS)]
    )
    reopenings = models.PositiveSmallIntegerField(
        _("reopens at once so many times"), default=1, help_text=_("After that a supervisor decides.")
    )
    basis = models.CharField(_("source"), max_length=200, blank=True, default="")

    class Meta:
        verbose_name = _("rule of the public")
        verbose_name_plural = _("rules of the public")
        constraints = [
            models.CheckConstraint(name="public_rule_is_one_row", condition=Q(id=1)),
            models.CheckConstraint(name="public_rule_within_the_limit", condition=Q(contest_days__lte=MOST_DAYS)),
        ]

    def __str__(self) -> str:
        return str(self._meta.verbose_name)
