"""Reads of hazards that span tables or feed a screen."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from django.db import connection
from django.db.models import FloatField, Func, Q, QuerySet, UUIDField
from django.db.models.functions import Cast

from citysafety.coordinates import metres_between
from citysafety.evidence.models import Attachment
from citysafety.names import in_english
from citysafety.tallies import selectors as tallies
from citysafety.tallies.models import Period
from grid.locate import cells_around
from grid.models import Matter

from .models import Criterion, Hazard, Step

SAME_WITHIN = timedelta(days=90)  # an older open case is hardly what somebody has just seen
MOST_DOUBT_M = 100  # a position may be wrong by what it says of itself, but by no more than this
MOST_COMPARED, MOST_NEAR = 500, 6
RELATED = ("matter__matter_class", "cell", "dedicated_cell", "department")
# What a row of a list shows of the hazard itself. What it only names is read for the whole page: with five tables
# beside its own, one of them twice, PostgreSQL plans a list for longer than it reads it.
COLUMNS = tuple(
    field.attname
    for field in Hazard._meta.concrete_fields
    if field.name not in ("location", "reporter", "rectified_by", "period", "party_users", "party_departments")
)
NAMES = """
SELECT 'matter', m.id, m.code, m.name_zh, m.name_en, k.code
FROM grid_matter m JOIN grid_matterclass k ON k.id = m.matter_class_id WHERE m.id = ANY (%(matter)s)
UNION ALL SELECT 'cell', id, code, name_zh, name_en, NULL FROM grid_cell WHERE id = ANY (%(cell)s)
UNION ALL SELECT 'department', id, code, name_zh, name_en, NULL FROM accounts_department WHERE id = ANY (%(department)s)"""
# Asked only where a page names one: few cases do.
NAMES_OF_COMPONENTS = """
UNION ALL SELECT 'component', id, code, name_zh, name_en, NULL FROM grid_component WHERE id = ANY (%(component)s)"""


@dataclass(frozen=True, slots=True)
class Label:
    """What a row says of something beside it, in the active language."""

    code: str
    name: str = ""
    matter_class: "Label | None" = None


def hazards_seen_by(user: Any) -> QuerySet[Hazard]:
    """Return the hazards a person may see, with what a list row shows. Queries: 1, however many rows."""
    return Hazard.objects.visible_to(user).select_related(*RELATED, "component")


def lines(rows: QuerySet[Hazard], columns: Sequence[str] = COLUMNS) -> QuerySet[Hazard, dict[str, Any]]:
    """Return rows of a list as plain values, in the order they have; what they name comes with ``labelled``."""
    place = {name: Func("location", function=f"ST_{name}", output_field=FloatField()) for name in ("X", "Y")}
    return rows.select_related(None).values(*columns, **place)


def labelled(page: Iterable[dict[str, Any]]) -> list[SimpleNamespace]:
    """Return ``lines`` with what they name, each with the attributes of a hazard that a list shows. Queries: 1."""
    page = list(page)
    named = ("matter_id", "cell_id", "dedicated_cell_id", "department_id", "component_id")
    matters, cells, special, departments, components = ([line.get(name) for line in page] for name in named)
    wanted = {"matter": matters, "cell": [*cells, *special], "department": departments, "component": components}
    found: dict[tuple[str, int | None], Label] = {}
    english = in_english()
    if page:
        with connection.cursor() as cursor:
            asked = NAMES + NAMES_OF_COMPONENTS if any(components) else NAMES
            cursor.execute(asked, {kind: sorted(set(ids) - {None}) for kind, ids in wanted.items()})
            for kind, pk, code, name_zh, name_en, class_code in cursor.fetchall():
                found[kind, pk] = Label(
                    code, name_en if english and name_en else name_zh, Label(class_code) if class_code else None
                )
    return [
        SimpleNamespace(
            **line,
            pk=line["id"],
            location=SimpleNamespace(x=line["X"], y=line["Y"]),
            matter=found.get(("matter", line["matter_id"])),
            cell=found.get(("cell", line["cell_id"])),
            dedicated_cell=found.get(("cell", line["dedicated_cell_id"])),
            department=found.get(("department", line.get("department_id"))),
            component=found.get(("component", line.get("component_id"))),
        )
        for line in page
    ]


def history(hazard: Hazard) -> QuerySet[Step]:
    """Return the rows of a hazard's history, oldest first. Queries: 1."""
    return Step.objects.filter(hazard=hazard).select_related("actor", "department").order_by("version")


def photos(hazard: Hazard) -> QuerySet[Attachment]:
    """Return the photos of a hazard and of what was merged into it in the order they came. Queries: 1, 2 with duplicates."""
    subjects = [str(hazard.pk), *(str(pk) for pk in duplicates_of(hazard))]
    return (
        Attachment.objects.filter(kind="hazard", subject_id__in=subjects)
        .select_related("photo", "by", "trust")
        .order_by("at", "pk")
    )


def duplicates_of(hazard: Hazard) -> list[Any]:
    """Return the ids of the cases that are merged into one. Queries: 1, none for a case that never took any."""
    return list(Hazard.objects.filter(merged_into=hazard.pk).values_list("pk", flat=True)) if hazard.absorbs else []


@dataclass(frozen=True, slots=True)
class Near:
    """An open case near a place that may be the same hazard; ``is_same_matter`` and fewer metres make it likelier."""

    hazard: Hazard
    metres: int
    is_same_matter: bool

    @property
    def words(self) -> dict[str, Any]:
        return {"metres": self.metres, "what": self.hazard.matter.name, "state": self.hazard.get_state_display()}


def near(hazard: Hazard, user: Any, *, at: datetime) -> list[Near]:
    """Return the open cases near one that a reader may see and that may be the same hazard. Queries: 1."""
    around = near_place(
        user, matter=hazard.matter, lon=hazard.location.x, lat=hazard.location.y, accuracy_m=hazard.accuracy_m, at=at
    )
    return [one for one in around if one.hazard.pk != hazard.pk]


def near_place(
    user: Any, *, matter: Matter, lon: float, lat: float, accuracy_m: float | None, at: datetime
) -> list[Near]:
    """Return open cases that may be the same as one at a place: of the class of a matter, the likeliest first.

    As near as the matter says two cases are one, and as the position may be wrong besides. Queries: 1.
    """
    radius = matter.near_m + min(accuracy_m or 0, MOST_DOUBT_M)
    codes = cells_around(lon, lat, radius)
    rows = (
        hazards_seen_by(user)
        .open()
        .shapeless()
        .filter(
            Q(cell__in=codes) if codes else Q(cell=None),
            matter__matter_class=matter.matter_class_id,
            received_at__gte=at - SAME_WITHIN,
        )
    )
    found = [
        Near(row, round(metres_between((lon, lat), (row.location.x, row.location.y))), row.matter_id == matter.pk)
        for row in rows.order_by("-received_at")[:MOST_COMPARED]
    ]
    likely = sorted(
        (one for one in found if one.metres <= radius), key=lambda one: (not one.is_same_matter, one.metres)
    )
    return likely[:MOST_NEAR]


def criteria_for(matter_class: str = "") -> QuerySet[Criterion]:
    """Return the criteria in force, of a class of matters those that fit it. Queries: 1."""
    rows = Criterion.objects.filter(active=True).order_by("code")
    return rows.filter(Q(classes=[]) | Q(classes__contains=[matter_class])) if matter_class else rows


def pinned(rows: QuerySet[Hazard], *, figure: str, area: str, at: int | None) -> QuerySet[Hazard]:
    """Keep the hazards that a figure counted at a position: its list.

    :raises citysafety.tallies.selectors.PositionGone: the position is no longer readable.
    """
    return rows.filter(pk__in=keys_of(tallies.members("hazard", figure, area, at)))


def keys_of(periods: QuerySet[Period]) -> QuerySet[Period, dict[str, Any]]:
    """Return the keys of the hazards that periods are of, for a condition."""
    return periods.annotate(hazard_id=Cast("subject_id", UUIDField())).values("hazard_id")
