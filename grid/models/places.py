"""The city, its divisions and its cells: base, dedicated and sea."""

from typing import Self

from django.contrib.gis.db import models
from django.contrib.gis.db.models.functions import PointOnSurface, Transform
from django.contrib.postgres.indexes import GistIndex
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _

from citysafety.names import Named


def prefix_index(field: str, name: str) -> models.Index:
    """Return an index that serves ``LIKE 'code%'`` whatever the collation of the database."""
    return models.Index(fields=[field], name=name, opclasses=["varchar_pattern_ops"])


class SquareKilometres(Func):
    """The area of an outline on the ellipsoid, in km²."""

    template = "ST_Area((%(expressions)s)::geography) / 1000000"
    output_field = models.FloatField()


class City(Named):
    """The city this installation serves: its code and the frame inside which a report is never refused."""

    code = models.CharField(_("code"), max_length=4, primary_key=True)
    frame = models.MultiPolygonField(_("frame"), srid=4326, help_text=_("Land and sea from which reports are taken."))
    note_zh = models.CharField(_("note on the data (Chinese)"), max_length=200, blank=True, default="")
    note_en = models.CharField(_("note on the data (English)"), max_length=300, blank=True, default="")

    class Meta:
        verbose_name = _("city")
        verbose_name_plural = _("cities")


class Division(Named):
    """An administrative division (GB/T 2260, GB/T 10114). The code holds its parents' codes."""

    class Level(models.TextChoices):
        CITY = "city", _("City")
        COUNTY = "county", _("County")
        TOWNSHIP = "township", _("Township")
        VILLAGE = "village", _("Village")

    code = models.CharField(_("code"), max_length=12, primary_key=True)
    level = models.CharField(_("level"), max_length=8, choices=Level)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("parent")
    )
    outline = models.MultiPolygonField(_("outline"), srid=4326, null=True, blank=True)
    synthetic = models.BooleanField(_("outline is illustrative"), default=False)
    statistical = models.BooleanField(_("statistical unit, not a township"), default=False)

    class Meta:
        ordering = ["code"]
        verbose_name = _("division")
        verbose_name_plural = _("divisions")
        constraints = [
            models.CheckConstraint(
                name="division_code_fits_level",
                condition=Q(level="city", code__regex=r"^\d{4}$")
                | Q(level="county", code__regex=r"^\d{6}$")
                | Q(level="township", code__regex=r"^\d{9}$")
                | Q(level="village", code__regex=r"^\d{12}$"),
            )
        ]


class GridVersion(models.Model):
    """One drawing of the city's cells. The active one is the latest that was activated."""

    number = models.PositiveIntegerField(_("number"), unique=True)
    activated_at = models.DateTimeField(_("activated"), null=True, blank=True)
    note = models.CharField(_("note"), max_length=200, blank=True, default="")

    # Counts changes made by this process, which need not wait for the next look at the database.
    touched = 0

    class Meta:
        ordering = ["-number"]
        verbose_name = _("grid version")
        verbose_name_plural = _("grid versions")

    def __str__(self) -> str:
        return f"v{self.number}"

    def save(self, *args: object, **kwargs: object) -> None:
        super().save(*args, **kwargs)
        GridVersion.touched += 1


SHAPES = ("geometry", "mercator")  # of a cell: they are large, and only maps draw them


def shapes_of(*cells: str) -> list[str]:
    """Return the columns with the outlines of related cells, for queries that leave them in the database."""
    return [f"{cell}__{shape}" for cell in cells for shape in SHAPES]


class CellQuerySet(models.QuerySet):
    def active(self) -> Self:
        return self.filter(active=True)

    def within(self, area_code: str) -> Self:
        return self.filter(area_code__startswith=area_code)

    def shapeless(self) -> Self:
        return self.defer(*SHAPES)


class Cell(Named):
    """A piece of the city somebody answers for (网格), coded after GB/T 30428.2: village code and three digits.

    Base cells tile the land without gap or overlap; dedicated cells (专属网格) lie over them around a
    school, a market, a site; sea cells belong to harbours and count among the dedicated ones.
    """

    class Kind(models.TextChoices):
        BASE = "base", _("Base cell")
        DEDICATED = "dedicated", _("Dedicated cell")
        SEA = "sea", _("Sea cell")

    code = models.CharField(_("code"), max_length=15, unique=True)
    kind = models.CharField(_("kind"), max_length=9, choices=Kind)
    division = models.ForeignKey(Division, models.PROTECT, related_name="cells", verbose_name=_("division"))
    area_code = models.GeneratedField(
        expression=F("code"), output_field=models.CharField(max_length=15), db_persist=True, verbose_name=_("area")
    )
    geometry = models.MultiPolygonField(_("outline"), srid=4326)
    # Pre-projected for the tiles: transforming at each request costs ten times the clipping.
    mercator = models.GeneratedField(
        expression=Transform("geometry", 3857), output_field=models.MultiPolygonField(srid=3857), db_persist=True
    )
    centre = models.GeneratedField(
        expression=PointOnSurface("geometry"), output_field=models.PointField(srid=4326), db_persist=True
    )
    area_km2 = models.GeneratedField(
        expression=SquareKilometres("geometry"), output_field=models.FloatField(), db_persist=True
    )
    focus = models.CharField(_("made around"), max_length=20, blank=True, default="")
    active = models.BooleanField(_("active"), default=True)
    synthetic = models.BooleanField(_("outline is illustrative"), default=False)
    version = models.ForeignKey(GridVersion, models.PROTECT, related_name="cells", verbose_name=_("grid version"))
    ended_at = models.DateTimeField(
        _("ended"), null=True, blank=True, editable=False
    )  # by a re-zoning; others follow it

    objects = CellQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        verbose_name = _("cell")
        verbose_name_plural = _("cells")
        constraints = [
            models.CheckConstraint(name="cell_code_has_15_digits", condition=Q(code__regex=r"^\d{15}$")),
            models.CheckConstraint(name="cell_ended_is_not_active", condition=Q(ended_at=None) | Q(active=False)),
        ]
        indexes = [
            prefix_index("area_code", "cell_area_prefix"),
            GistIndex(fields=["mercator"], name="cell_mercator"),
            models.Index(fields=["kind", "code"], name="cell_kind", condition=Q(active=True)),
            models.Index("ended_at", name="cell_ended", condition=Q(ended_at__isnull=False)),
        ]


class BaseLayer(models.Model):
    """A layer drawn under the cells (sea, river), with the credit its licence asks for."""

    key = models.SlugField(_("key"), primary_key=True, max_length=20)
    geojson = models.JSONField(_("GeoJSON"))
    credit = models.CharField(_("credit shown on the map"), max_length=200, blank=True, default="")

    class Meta:
        ordering = ["key"]
        verbose_name = _("base layer")
        verbose_name_plural = _("base layers")

    def __str__(self) -> str:
        return self.key
