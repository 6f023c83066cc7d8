"""The register of premises: nine-small places (九小场所), government-owned buildings, schools."""

from typing import Self

from django.contrib.gis.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from citysafety.names import Named

from .places import Cell, prefix_index


class PremisesKind(Named):
    """A kind of premises with the limit above which a place is no longer of it. Limits are local data with a source."""

    class Measure(models.TextChoices):
        SQUARE_METRES = "m2", _("m²")
        SEATS = "seats", _("seats")
        BEDS = "beds", _("beds")
        PEOPLE = "people", _("people")

    code = models.SlugField(_("code"), max_length=20, primary_key=True)
    nine_small = models.BooleanField(_("nine-small premises"), default=False)
    measure = models.CharField(_("measured by"), max_length=6, choices=Measure, default=Measure.SQUARE_METRES)
    limit = models.PositiveIntegerField(_("at most"), null=True, blank=True)
    source = models.CharField(_("source"), max_length=200, blank=True, default="")
    icon = models.CharField(_("icon"), max_length=20, blank=True, default="")
    position = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        ordering = ["position", "code"]
        verbose_name = _("kind of premises")
        verbose_name_plural = _("kinds of premises")


class PremisesQuerySet(models.QuerySet):
    def active(self) -> Self:
        return self.filter(active=True)

    def within(self, area_code: str) -> Self:
        return self.filter(area_code__startswith=area_code)


class Premises(Named):
    """A place under supervision, resolved to the cells that hold it. ``size`` counts in the kind's measure."""

    code = models.CharField(_("code"), max_length=24, unique=True)
    kind = models.ForeignKey(PremisesKind, models.PROTECT, related_name="premises", verbose_name=_("kind"))
    cell = models.ForeignKey(
        Cell, models.PROTECT, null=True, blank=True, related_name="premises", verbose_name=_("base cell")
    )
    dedicated_cell = models.ForeignKey(
        Cell, models.PROTECT, null=True, blank=True, related_name="dedicated_premises", verbose_name=_("dedicated cell")
    )
    area_code = models.CharField(_("area"), max_length=15)
    location = models.PointField(_("location"), srid=4326)
    size = models.PositiveIntegerField(_("size"), default=0)
    floor_area_m2 = models.PositiveIntegerField(_("floor area (m²)"), default=0)
    responsible = models.CharField(_("responsible person"), max_length=60, blank=True, default="")
    phone = models.CharField(_("phone"), max_length=20, blank=True, default="")
    address = models.CharField(_("address"), max_length=200, blank=True, default="")
    active = models.BooleanField(_("active"), default=True)
    synthetic = models.BooleanField(_("illustrative"), default=False)

    objects = PremisesQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        verbose_name = _("premises")
        verbose_name_plural = _("premises")
        indexes = [
            prefix_index("area_code", "premises_area_prefix"),
            models.Index(fields=["kind", "code"], name="premises_kind", condition=Q(active=True)),
        ]
