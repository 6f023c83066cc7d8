"""Reads of hazards that span tables or feed a screen."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from django.db import connection
from django.db.models import FloatField, Func, QuerySet, UUIDField
from django.db.models.functions import Cast

from citysafety.evidence.models import Attachment
from citysafety.names import in_english
from citysafety.tallies import selectors as tallies
from citysafety.tallies.models import Period

from .models import Hazard, Step

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


@dataclass(frozen=True, slots=True)
class Label:
    """What a row says of something beside it, in the active language."""

    code: str
    name: str = ""
    matter_class: "Label | None" = None


def hazards_seen_by(user: Any) -> QuerySet[Hazard]:
    """Return the hazards a person may see, with what a list row shows. Queries: 1, however many rows."""
    return Hazard.objects.visible_to(user).select_related(*RELATED)


def lines(rows: QuerySet[Hazard], columns: Sequence[str] = COLUMNS) -> QuerySet[Hazard, dict[str, Any]]:
    """Return rows of a list as plain values, in the order they have; what they name comes with ``labelled``."""
    place = {name: Func("location", function=f"ST_{name}", output_field=FloatField()) for name in ("X", "Y")}
    return rows.select_related(None).values(*columns, **place)


def labelled(page: Iterable[dict[str, Any]]) -> list[SimpleNamespace]:
    """Return ``lines`` with what they name, each with the attributes of a hazard that a list shows. Queries: 1."""
    page = list(page)
    named = ("matter_id", "cell_id", "dedicated_cell_id", "department_id")
    matters, cells, special, departments = ([line.get(name) for line in page] for name in named)
    wanted = {"matter": matters, "cell": [*cells, *special], "department": departments}
    found: dict[tuple[str, int | None], Label] = {}
    english = in_english()
    if page:
        with connection.cursor() as cursor:
            cursor.execute(NAMES, {kind: sorted(set(ids) - {None}) for kind, ids in wanted.items()})
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
        )
        for line in page
    ]


def history(hazard: Hazard) -> QuerySet[Step]:
    """Return the rows of a hazard's history, oldest first. Queries: 1."""
    return Step.objects.filter(hazard=hazard).select_related("actor", "department").order_by("version")


def photos(hazard: Hazard) -> QuerySet[Attachment]:
    """Return the photos of a hazard in the order they came. Queries: 1."""
    return (
        Attachment.objects.filter(kind="hazard", subject_id=str(hazard.pk))
        .select_related("photo", "by", "trust")
        .order_by("at", "pk")
    )


def pinned(rows: QuerySet[Hazard], *, figure: str, area: str, at: int | None) -> QuerySet[Hazard]:
    """Keep the hazards that a figure counted at a position: its list.

    :raises citysafety.tallies.selectors.PositionGone: the position is no longer readable.
    """
    return rows.filter(pk__in=keys_of(tallies.members("hazard", figure, area, at)))


def keys_of(periods: QuerySet[Period]) -> QuerySet[Period, dict[str, Any]]:
    """Return the keys of the hazards that periods are of, for a condition."""
    return periods.annotate(hazard_id=Cast("subject_id", UUIDField())).values("hazard_id")
