"""Lists of write-offs: a draft is a filter; what is frozen is rows that no statement changes."""

from typing import Any, Self

import pghistory
import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Count, F, Q
from django.utils.translation import gettext_lazy as _

from citysafety.accounts.rights import area_q
from citysafety.accounts.roles import Role
from citysafety.names import chosen

MAKERS = frozenset({Role.SUPERVISOR, Role.DISPATCHER})  # who supervises, and who accepts
READERS = MAKERS | {Role.LEADER, Role.AUDITOR}  # of the area; handlers read what their department signs
VIEWERS = READERS | {Role.DEPARTMENT_HANDLER}
SIGNERS = (Role.DEPARTMENT_HANDLER, Role.SUPERVISOR, Role.DISPATCHER, Role.LEADER)


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    pghistory.DeleteEvent(),
    model_name="SigningRuleHistory",
    meta={"verbose_name": _("change of a signature asked"), "verbose_name_plural": _("history of signatures asked")},
)
class SigningRule(models.Model):
    """One signature that a write-off list needs. A list that is frozen keeps those of its day."""

    position = models.PositiveSmallIntegerField(_("order"), unique=True)
    role = models.CharField(_("role"), max_length=20, choices=[(role.value, role.label) for role in SIGNERS])
    must_be_head = models.BooleanField(
        _("only who may sign for the department"),
        default=False,
        help_text=_("Of handlers: the lead of the department."),
    )
    basis = models.CharField(_("basis"), max_length=200, blank=True, default="")

    class Meta:
        ordering = ["position"]
        verbose_name = _("signature of write-off lists")
        verbose_name_plural = _("signatures of write-off lists")

    def __str__(self) -> str:
        return f"{self.position} {self.get_role_display()}"


class WriteOffListQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> Self:
        """Those of the reader's area; handlers: frozen ones that hold cases of their department, in their area."""
        if not user.area_code or user.role not in VIEWERS:
            return self.none()
        if user.role == Role.DEPARTMENT_HANDLER:
            return self.filter(departments__contains=[user.department_id]) if user.department_id else self.none()
        return self.filter(area_q(user))

    def with_signatures(self) -> Self:
        """Count the signatures that are there, as ``signed``."""
        return self.annotate(signed=Count("signatures"))

    def in_force(self) -> Self:
        return self.with_signatures().filter(frozen_at__isnull=False, signed=F("asked"))


class WriteOffList(models.Model):
    """A list of closed cases. Once frozen neither it nor its rows nor its signatures change."""

    id = models.UUIDField(primary_key=True, editable=False)
    number = models.CharField(_("number"), max_length=24, unique=True)
    title = models.CharField(_("title"), max_length=120)
    area_code = models.CharField(_("area"), max_length=15)
    query = models.TextField(_("filter"), max_length=2000, blank=True, default="")  # in the language of /hazards/
    said = models.TextField(_("filter in words"), blank=True, default="")
    maker = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("maker"))
    made_at = models.DateTimeField(_("made at"))
    frozen_at = models.DateTimeField(_("frozen at"), null=True)
    demanded = models.JSONField(default=list)  # [{"role", "must_be_head"}], as asked when it was frozen
    asked = models.PositiveSmallIntegerField(default=0)  # signatures
    size = models.PositiveIntegerField(_("cases"), default=0)
    departments = ArrayField(models.BigIntegerField(), default=list)
    elsewhere = models.JSONField(
        default=list
    )  # [{"list", "cases"}]: left out when it was frozen, for lists in force count it
    sha256 = models.CharField("SHA-256", max_length=64, blank=True, default="")

    objects = WriteOffListQuerySet.as_manager()

    class Meta:
        verbose_name = _("write-off list")
        verbose_name_plural = _("write-off lists")
        indexes = [
            models.Index(fields=["-made_at", "id"], name="writeoff_newest"),
            models.Index(
                fields=["area_code", "-made_at"], opclasses=["varchar_pattern_ops", "timestamptz_ops"], name="writeoff_area"
            ),
        ]  # fmt: skip
        constraints = [
            models.CheckConstraint(
                name="writeoff_frozen_whole",
                condition=Q(frozen_at__isnull=True, sha256="") | Q(frozen_at__isnull=False, size__gt=0, asked__gte=2)
                & ~Q(sha256=""),
            )
        ]  # fmt: skip
        triggers = [
            pgtrigger.Protect(
                name="frozen",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__frozen_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_frozen(self) -> bool:
        return self.frozen_at is not None


def _only_of(frozen: str, name: str) -> pgtrigger.Trigger:
    """Return a trigger that lets rows come only while their list is, or is not, frozen: asked once for all of a statement."""
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        referencing=pgtrigger.Referencing(new="added"),
        func=f"""
            IF EXISTS (
                SELECT 1 FROM hazards_writeofflist l
                WHERE l.frozen_at IS {frozen} AND l.id IN (SELECT a.list_id FROM added a)
            ) THEN
                RAISE EXCEPTION 'pgtrigger: rows of a write-off list come before it is frozen, signatures after';
            END IF;
            RETURN NULL;
        """,
    )


class WriteOffExclusion(models.Model):
    """A case that was taken out of a draft, and why. Kept with the list, and hashed with it."""

    list = models.ForeignKey(WriteOffList, models.CASCADE, related_name="exclusions", db_index=False)
    hazard = models.ForeignKey("hazards.Hazard", models.PROTECT, related_name="+", db_index=False)
    reason = models.TextField(max_length=500)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(name="taken_out_once", fields=["list", "hazard"])]
        triggers = [
            _only_of("NOT NULL", "only_of_drafts"),
            pgtrigger.Trigger(
                name="frozen_with_its_list",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                func="""
                    IF EXISTS (SELECT 1 FROM hazards_writeofflist l
                               WHERE l.id = OLD.list_id AND l.frozen_at IS NOT NULL) THEN
                        RAISE EXCEPTION 'pgtrigger: what a frozen write-off list leaves out does not change';
                    END IF;
                    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.list_id} {self.hazard_id}"


class WriteOffItem(models.Model):
    """A case as it stood when its list was frozen: copied, so that the list says the same whatever comes."""

    list = models.ForeignKey(WriteOffList, models.PROTECT, related_name="items", db_index=False)
    position = models.PositiveIntegerField()
    hazard = models.ForeignKey("hazards.Hazard", models.PROTECT, related_name="+")
    closing = models.ForeignKey("hazards.Step", models.PROTECT, related_name="+", db_index=False)
    number = models.CharField(max_length=24)
    severity = models.CharField(max_length=8)
    matter_code = models.CharField(max_length=16)
    matter_zh = models.CharField(max_length=120)
    matter_en = models.CharField(max_length=160)
    area_code = models.CharField(max_length=15)
    place_zh = models.CharField(max_length=120)
    place_en = models.CharField(max_length=160)
    found_at = models.DateTimeField()
    closed_at = models.DateTimeField()
    department_code = models.CharField(max_length=32)
    department_zh = models.CharField(max_length=120)
    department_en = models.CharField(max_length=160)
    verifier = models.CharField(max_length=150)  # user name
    verifier_zh = models.CharField(max_length=120)
    verifier_en = models.CharField(max_length=160)
    verified_at = models.DateTimeField(null=True)
    verified_by = models.CharField(max_length=24)  # the step: on site, or left to sampling
    evidence = ArrayField(models.CharField(max_length=64))  # SHA-256 of its photos

    class Meta:
        constraints = [
            models.UniqueConstraint(name="item_of_a_place", fields=["list", "position"]),
            models.UniqueConstraint(name="case_once_a_list", fields=["list", "hazard"]),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            _only_of("NOT NULL", "only_of_drafts"),
        ]

    def __str__(self) -> str:
        return f"{self.list_id} {self.position}"

    @property
    def matter(self) -> str:
        return chosen(self.matter_zh, self.matter_en)

    @property
    def place(self) -> str:
        return chosen(self.place_zh, self.place_en)

    @property
    def department(self) -> str:
        return chosen(self.department_zh, self.department_en)

    @property
    def verifier_name(self) -> str:
        return chosen(self.verifier_zh, self.verifier_en)


class WriteOffSignature(models.Model):
    """Somebody's signature under a frozen list: for which place, when, and the hash that was signed."""

    list = models.ForeignKey(WriteOffList, models.PROTECT, related_name="signatures", db_index=False)
    place = models.PositiveSmallIntegerField()  # in ``demanded``
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    name_zh = models.CharField(max_length=120)
    name_en = models.CharField(max_length=160)
    role = models.CharField(max_length=20)
    at = models.DateTimeField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ["place"]
        constraints = [
            models.UniqueConstraint(name="signed_once_a_place", fields=["list", "place"]),
            models.UniqueConstraint(name="signs_a_list_once", fields=["list", "user"]),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            _only_of("NULL", "only_of_frozen"),
        ]

    def __str__(self) -> str:
        return f"{self.list_id} {self.place}"

    @property
    def name(self) -> str:
        return chosen(self.name_zh, self.name_en)


SigningRuleHistory = SigningRule.pgh_event_model
