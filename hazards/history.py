"""Bring the past in: hazards with their whole life, copied in bulk and marked as imported.

What comes in this way went through no door, so its history says ``imported`` and the triggers of the change log are
off meanwhile.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from citysafety.bulk import array, copy_in, laid_aside
from citysafety.outbox.models import Head
from citysafety.tallies.models import OPEN as LASTING
from citysafety.tallies.services import rebuild

from .lifecycle import STAGE_OF
from .standing import CITY_TIME, counts_now, counts_today


@dataclass(slots=True)
class PastStep:
    """One thing that happened: a step, or (action ``mark_overdue``) a clock that ran out."""

    id: UUID
    action: str
    source: str
    target: str
    at: datetime
    actor_id: int | None
    department_id: int | None = None
    words: str = ""
    lon: float | None = None
    lat: float | None = None
    basis: str = ""
    stage: str = ""  # of the clock that ran out
    due_at: datetime | None = None


@dataclass(slots=True)
class PastPhoto:
    """A sealed photo as evidence of the hazard; ``used_by`` is the step it served."""

    sha256: str
    role: str
    by_id: int
    at: datetime
    used_by: UUID | None = None


@dataclass(slots=True)
class PastClock:
    """One stage's limit as it ran."""

    stage: str
    unit: str
    amount: int
    started_at: datetime
    due_at: datetime | None
    stopped_at: datetime | None = None
    marked_at: datetime | None = None
    consumed_s: int = 0


@dataclass(slots=True)
class PastHazard:
    """A hazard as it stands after its steps; the first step is the report."""

    id: UUID
    number: str
    matter_id: int
    category: str
    severity: str
    criterion: str
    description: str
    lon: float
    lat: float
    accuracy_m: float
    cell_id: int | None
    dedicated_cell_id: int | None
    dedicated_code: str
    area_code: str
    reporter_id: int
    steps: list[PastStep]
    clocks: list[PastClock] = field(default_factory=list)
    photos: list[PastPhoto] = field(default_factory=list)
    claimed_on_spot: bool = False
    department_id: int | None = None
    rectified_by_id: int | None = None
    handled_on_spot: bool = False


TABLES = {
    "hazards_hazard": [
        "id",
        "number",
        "matter_id",
        "severity",
        "criterion",
        "state",
        "version",
        "description",
        "location",
        "accuracy_m",
        "cell_id",
        "dedicated_cell_id",
        "area_code",
        "department_id",
        "reporter_id",
        "rectified_by_id",
        "occurred_at",
        "received_at",
        "changed_at",
        "written_off_at",
        "claimed_on_spot",
        "handled_on_spot",
        "due_stage",
        "due_at",
        "due_reason",
        "overdue",
        "late",
        "imported",
        "party_users",
        "party_departments",
        "period_id",
    ],
    "hazards_step": [
        "id",
        "hazard_id",
        "action",
        "source",
        "target",
        "version",
        "actor_id",
        "department_id",
        "at",
        "words",
        "location",
        "basis",
    ],
    "hazards_clock": [
        "hazard_id",
        "stage",
        "unit",
        "amount",
        "started_at",
        "stopped_at",
        "consumed_s",
        "due_at",
        "due_reason",
        "marked_at",
    ],
    "evidence_attachment": ["photo_id", "kind", "subject_id", "role", "used_by", "by_id", "at"],
    "hazards_mark": ["hazard_id", "stage", "version", "due_at", "at"],
    "tallies_period": [
        "id",
        "kind",
        "subject_id",
        "previous_id",
        "since",
        "until",
        "day",
        "area",
        "extra_area",
        "category",
        "state",
        "now",
        "today",
        "amounts",
    ],
}


def _point(lon: float | None, lat: float | None) -> str | None:
    return None if lon is None else f"SRID=4326;POINT({lon:.6f} {lat:.6f})"


class Past:
    """Collects rows of the five tables and copies them."""

    def __init__(self, *, position: int, first_period: int) -> None:
        self.position, self.next_period = position, first_period
        self.rows: dict[str, list[list[Any]]] = {table: [] for table in TABLES}

    def add(self, hazard: PastHazard) -> None:
        """Add one hazard with everything that belongs to it."""
        state, version, overdue, late, period = "", 0, False, False, None
        parties, departments = [], []
        steps = hazard.steps
        for n, step in enumerate(steps):
            if step.action == "mark_overdue":
                overdue = late = True
                self.rows["hazards_mark"].append([hazard.id, step.stage, version, step.due_at, step.at])
            else:
                overdue = overdue and STAGE_OF.get(state) == STAGE_OF.get(step.target)
                state, version = step.target, version + 1
                if step.actor_id and step.actor_id not in parties:
                    parties.append(step.actor_id)
                if step.department_id and step.department_id not in departments:
                    departments.append(step.department_id)
                self.rows["hazards_step"].append(
                    [step.id, hazard.id, step.action, step.source, step.target, version, step.actor_id,
                     step.department_id, step.at, step.words, _point(step.lon, step.lat), step.basis]
                )  # fmt: skip
            last = n == len(steps) - 1
            self.rows["tallies_period"].append(
                [self.next_period, "hazard", hazard.id, period, self.position, LASTING if last else self.position,
                 step.at.astimezone(CITY_TIME).date(), hazard.area_code, hazard.dedicated_code, hazard.category, state,
                 array(counts_now(state=state, severity=hazard.severity, overdue=overdue)),
                 array(counts_today(action=step.action, late=late)), "{}"]
            )  # fmt: skip
            period, self.next_period = self.next_period, self.next_period + 1
        running = next((c for c in hazard.clocks if c.stopped_at is None), None)
        written_off = [step.at for step in steps if step.action == "write_off"]
        self.rows["hazards_hazard"].append(
            [hazard.id, hazard.number, hazard.matter_id, hazard.severity, hazard.criterion, state, version,
             hazard.description, _point(hazard.lon, hazard.lat), hazard.accuracy_m, hazard.cell_id,
             hazard.dedicated_cell_id, hazard.area_code, hazard.department_id, hazard.reporter_id,
             hazard.rectified_by_id, steps[0].at, steps[0].at, steps[-1].at, written_off[-1] if written_off else None,
             hazard.claimed_on_spot, hazard.handled_on_spot, running.stage if running else "",
             running.due_at if running else None, "", overdue, late, True, array(parties),
             array(departments), period]
        )  # fmt: skip
        for clock in hazard.clocks:
            self.rows["hazards_clock"].append(
                [hazard.id, clock.stage, clock.unit, clock.amount, clock.started_at, clock.stopped_at, clock.consumed_s, clock.due_at,
                 "", clock.marked_at]
            )  # fmt: skip

        for photo in hazard.photos:
            self.rows["evidence_attachment"].append(
                [photo.sha256, "hazard", hazard.id, photo.role, photo.used_by, photo.by_id, photo.at]
            )

    def copy(self) -> None:
        """Copy what was collected."""
        for table, rows in self.rows.items():
            copy_in(table, TABLES[table], rows)
            rows.clear()


@transaction.atomic
def import_history(hazards: Iterator[PastHazard]) -> int:
    """Copy past hazards in and count the figures anew; return how many came. All or nothing.

    Their photos must be sealed before (``evidence.take_in``). Locks the tables: nobody else can write meanwhile.
    """
    head, _created = Head.objects.get_or_create(pk=1)
    number = 0
    with laid_aside(*TABLES), connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) + 1 FROM tallies_period")
        past = Past(position=head.position, first_period=cursor.fetchone()[0])
        # Switched off, not told to ignore: each ignored row would open a subtransaction.
        cursor.execute("ALTER TABLE hazards_hazard DISABLE TRIGGER USER")
        for hazard in hazards:
            past.add(hazard)
            number += 1
            if number % 5000 == 0:
                past.copy()
        past.copy()
        cursor.execute("ALTER TABLE hazards_hazard ENABLE TRIGGER USER")
        cursor.execute("SELECT setval(pg_get_serial_sequence('tallies_period', 'id'), %s, false)", [past.next_period])
    with laid_aside("tallies_tally"):
        rebuild()
    return number
