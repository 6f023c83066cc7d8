"""Load a city from a folder: all of it or nothing."""

from datetime import datetime
from pathlib import Path

from django.db import connection, transaction
from django.utils.translation import gettext as _

from citysafety.accounts.models import User
from citysafety.outbox.services import announce

from ..facts import GridCounted
from ..loading import catalogue, people, places
from ..loading.plan import Plan
from ..loading.report import Problems, Progress, Report
from ..models import Cell, Division, GridVersion, Matter, Posting, Premises, Worker
from .counting import count_changed
from .register import activate_version

LOAD_LOCK = 0x6C6F6164  # any constant: names the advisory lock of loading


class CityRefused(Exception):
    """The folder has problems; nothing was changed. ``problems`` lists the first two hundred and counts all."""

    def __init__(self, problems: Problems) -> None:
        super().__init__(_("%(n)s problems; nothing was changed") % {"n": problems.count})
        self.problems = problems


def _silent(what: str, done: int, whole: int) -> None:
    """Tell nobody."""


def load_city(
    folder: Path, *, at: datetime, dry_run: bool = False, crs: str = "", progress: Progress = _silent
) -> Report:
    """Read a city's folder and write it in one transaction; loaded again, it updates. See docs/load-city.md.

    ``crs`` is that of layers which name none ("EPSG:4549"). With ``dry_run`` all is checked, written and undone.

    :raises CityRefused: for any problem; all of them are told, nothing is changed.
    :raises FileNotFoundError: no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(folder)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOAD_LOCK])
        plan = Plan(folder=folder, at=at, progress=progress, crs=crs)
        plan.learn()
        _read(plan)
        if plan.problems:
            raise CityRefused(plan.problems)
        _write(plan)
        plan.report.dry_run = dry_run
        transaction.set_rollback(dry_run)
    GridVersion.touched += 1  # also when rolled back: nobody keeps what is not there
    if not dry_run:
        _analyze()
    return plan.report


def _read(plan: Plan) -> None:
    """Read and check every file; a later file may refer to codes of an earlier one."""
    steps = (
        places.read_city, places.read_divisions, places.read_outlines, places.read_cells, places.read_base_layers,
        people.read_departments, people.read_centres, people.read_workers, catalogue.read_matters,
        catalogue.read_component_classes, catalogue.read_premises,
    )  # fmt: skip
    for number, step in enumerate(steps, 1):
        plan.progress(_("reading"), number, len(steps))
        step(plan)
    tables = ("city", "division", "cell", "department", "centre", "worker", "class", "matter", "kind", "premises")
    plan.report.rows = {table: len(plan.rows[table]) for table in tables if plan.rows.get(table)}


def _write(plan: Plan) -> None:
    places.write_places(plan)
    fresh, withdrawn, added, changed = places.cells_to_write(plan)
    entry = None
    if fresh or withdrawn:
        version, entry = activate_version(
            at=plan.at,
            city_code=plan.city_code,
            note=plan.folder.name,
            added=added,
            changed=changed,
            withdrawn=len(withdrawn),
        )
        plan.report.version = version.number
        places.write_cells(plan, fresh, withdrawn, version)
    places.write_outlines(plan)
    people.write_departments(plan)
    people.write_centres(plan)
    people.write_workers(plan)
    catalogue.write_matters(plan)
    catalogue.write_premises(plan)
    people.note_unstaffed(plan)
    plan.progress(_("figures"), 0, 1)
    entry = entry or announce(
        GridCounted(area_code=plan.city_code, subject_id=plan.city_code, state="loaded"), at=plan.at
    )
    for kind in ("cell", "worker", "premises"):
        count_changed(entry, kind=kind, at=plan.at)
    plan.progress(_("figures"), 1, 1)


def _analyze() -> None:
    """Let the planner know of the new rows at once: autovacuum comes minutes later, and until then joins crawl."""
    tables = ", ".join(model._meta.db_table for model in (Cell, Division, Worker, Posting, Premises, Matter, User))
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {tables}, tallies_period")
