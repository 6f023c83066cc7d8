"""Components (部件) of digital urban management: things that stand in a cell, their classes, and imports of them."""

from typing import Self

from django.conf import settings
from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField
from django.db.models import Q
from django.db.models.functions import Substr
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from citysafety.accounts.models import Department
from citysafety.names import Named

from .places import Cell, prefix_index


class ComponentClass(Named):
    """A class of components (GB/T 30428.2): a major one of two digits, or a minor one of two more.

    ``illustrative``: named after the practice of cities; a city puts the number of its own table in its place.
    """

    code = models.CharField(_("code"), max_length=4, primary_key=True)
    illustrative = models.BooleanField(_("illustrative"), default=False)
    source = models.CharField(_("source"), max_length=200, blank=True, default="")
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ["code"]
        verbose_name = _("class of components")
        verbose_name_plural = _("classes of components")
        constraints = [
            models.CheckConstraint(
                name="component_class_has_2_or_4_digits", condition=Q(code__regex=r"^\d{2}(\d{2})?$")
            )
        ]

    @property
    def is_minor(self) -> bool:
        return len(self.code) == 4


class ComponentQuerySet(models.QuerySet):
    def within(self, area_code: str) -> Self:
        return self.filter(area_code__startswith=area_code)

    def of_class(self, code: str) -> Self:
        """Keep those of a minor class, or of all minor classes of a major one."""
        return self.filter(kind=code) if len(code) == 4 else self.filter(kind__gte=f"{code}00", kind__lte=f"{code}99")


class Component(Named):
    """A thing in the street, coded after GB/T 30428.2: county (6), major class (2), minor class (2), sequence (6)."""

    class State(models.TextChoices):
        INTACT = "intact", pgettext_lazy("component", "Intact")
        BROKEN = "broken", pgettext_lazy("component", "Broken")
        MISSING = "missing", pgettext_lazy("component", "Missing")
        ABANDONED = "abandoned", pgettext_lazy("component", "Abandoned")
        MOVED = "moved", pgettext_lazy("component", "Moved")

    code = models.CharField(_("code"), max_length=16, unique=True)
    kind = models.ForeignKey(
        ComponentClass, models.PROTECT, related_name="components", verbose_name=_("class"), db_index=False
    )
    department = models.ForeignKey(
        Department, models.PROTECT, related_name="components", verbose_name=_("department in charge"), db_index=False
    )
    owner = models.CharField(_("owner"), max_length=120, blank=True, default="")
    maintainer = models.CharField(_("maintainer"), max_length=120, blank=True, default="")
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.INTACT)
    location = models.PointField(_("location"), srid=4326)
    cell = models.ForeignKey(
        Cell, models.PROTECT, null=True, blank=True, related_name="components", verbose_name=_("cell")
    )
    area_code = models.CharField(_("area"), max_length=15)
    surveyed_on = models.DateField(_("surveyed on"), null=True, blank=True)
    changed_at = models.DateTimeField(_("changed at"))
    note = models.CharField(_("note"), max_length=200, blank=True, default="")
    synthetic = models.BooleanField(_("illustrative"), default=False)

    objects = ComponentQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        verbose_name = _("component")
        verbose_name_plural = _("components")
        constraints = [
            models.CheckConstraint(name="component_code_has_16_digits", condition=Q(code__regex=r"^\d{16}$")),
            models.CheckConstraint(name="component_code_names_class", condition=Q(kind=Substr("code", 7, 4))),
        ]
        indexes = [
            prefix_index("area_code", "component_area_prefix"),
            models.Index(fields=["kind", "code"], name="component_kind"),
            models.Index(fields=["department", "code"], name="component_department"),
            models.Index(fields=["state", "code"], name="component_not_intact", condition=~Q(state="intact")),
        ]


class ComponentImport(models.Model):
    """A file of components: what a dry run found in it, and when that was applied. Kept for ever; wrong rows with it."""

    class State(models.TextChoices):
        TRIED = "tried", pgettext_lazy("import", "Dry run")
        APPLIED = "applied", pgettext_lazy("import", "Applied")

    id = models.UUIDField(primary_key=True, editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("at"))
    area_code = models.CharField(_("area"), max_length=15)
    file_name = models.CharField(_("file"), max_length=200)
    file_sha256 = models.CharField(max_length=64)
    datum = models.CharField(_("datum"), max_length=5)
    columns = ArrayField(models.CharField(max_length=12))  # those that the file has; others are left as they are
    table_hash = models.CharField(max_length=64)  # of what stood in the table under the file's codes
    state = models.CharField(_("state"), max_length=7, choices=State, default=State.TRIED)
    new = models.PositiveIntegerField(_("new"), default=0)
    changed = models.PositiveIntegerField(_("changed"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    wrong = models.PositiveIntegerField(_("wrong"), default=0)
    applied_at = models.DateTimeField(_("applied at"), null=True)
    applied_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    synthetic = models.BooleanField(_("illustrative"), default=False)

    class Meta:
        ordering = ["-at", "id"]
        verbose_name = _("import of components")
        verbose_name_plural = _("imports of components")
        indexes = [prefix_index("area_code", "component_import_area")]

    def __str__(self) -> str:
        return self.file_name

    @property
    def counts(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in ImportedRow.Outcome.values}


class ImportedRow(models.Model):
    """A line of an import as it was read, and what it means for the table. Of an applied one only wrong rows are kept."""

    class Outcome(models.TextChoices):
        NEW = "new", pgettext_lazy("row", "New")
        CHANGED = "changed", pgettext_lazy("row", "Changed")
        UNCHANGED = "unchanged", pgettext_lazy("row", "Unchanged")
        WRONG = "wrong", pgettext_lazy("row", "Wrong")

    load = models.ForeignKey(ComponentImport, models.CASCADE, related_name="rows", db_index=False)
    line = models.PositiveIntegerField()
    outcome = models.CharField(max_length=9, choices=Outcome)
    errors = models.JSONField(null=True)  # [column, what was seen, key of what was expected, more]
    fields = ArrayField(models.CharField(max_length=12), null=True)  # that differ from the table
    code = models.CharField(max_length=16, blank=True)
    # As in a component; empty in wrong rows.
    kind_id = models.CharField(max_length=4, null=True)
    name_zh = models.CharField(max_length=120, null=True)
    name_en = models.CharField(max_length=160, null=True)
    department_id = models.BigIntegerField(null=True)
    owner = models.CharField(max_length=120, null=True)
    maintainer = models.CharField(max_length=120, null=True)
    state = models.CharField(max_length=9, null=True)
    location = models.PointField(srid=4326, null=True, spatial_index=False)
    cell_id = models.BigIntegerField(null=True)
    area_code = models.CharField(max_length=15, null=True)
    surveyed_on = models.DateField(null=True)
    note = models.CharField(max_length=200, null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["load", "line"], name="imported_row_once_a_line")]
        indexes = [models.Index(fields=["load", "outcome", "line"], name="imported_row_outcome")]

    def __str__(self) -> str:
        return f"{self.load_id} {self.line}"
