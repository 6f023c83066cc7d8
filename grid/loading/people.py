"""Departments, centres, workers and what they answer for."""

import secrets
from collections import defaultdict
from datetime import date
from typing import Any

import shapely
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.gis.geos import Point
from django.utils import timezone
from django.utils.translation import gettext as _

from citysafety.accounts.models import Department, User
from citysafety.accounts.roles import Role

from ..models import Cell, Centre, Division, Posting, Worker
from .places import upsert
from .plan import Plan
from .table import Row, Table

# -- reading --------------------------------------------------------------------------------------


def read_departments(plan: Plan) -> None:
    table = Table(plan.folder, "departments.csv", plan.problems, columns="code name_zh area", unique="code")
    plan.known["department"] |= {row.text("code") for row in table}
    found = []
    for row in table:
        parent, area = row.text("parent"), row.text("area", required=True)
        if parent and parent not in plan.known["department"]:
            row.wrong(_("unknown parent %(parent)s of %(code)s") % {"parent": parent, "code": row.text("code")})
        if area and area not in plan.known["division"]:
            row.wrong(_("unknown division %(code)s") % {"code": area})
        names = {"name_zh": row.text("name_zh", required=True), "name_en": row.text("name_en")}
        found.append((Department(code=row.text("code", most=32), area_code=area, **names), parent))
    plan.rows["department"] = found


def read_centres(plan: Plan) -> None:
    table = Table(plan.folder, "centres.csv", plan.problems, columns="code name_zh level division", unique="code")
    plan.known["centre"] |= {row.text("code") for row in table}
    found = []
    for row in table:
        division = row.text("division", required=True)
        if division not in plan.known["division"]:
            row.wrong(_("unknown division %(code)s") % {"code": division})
        found.append(
            Centre(
                code=row.text("code", most=16), name_zh=row.text("name_zh", required=True), name_en=row.text("name_en"),
                level=row.choice("level", Division.Level.values), division_id=division, location=point(plan, row, required=False),
                posts=row.number("posts", low=0), phone=row.text("phone", most=20), synthetic=row.flag("synthetic", True),
            )
        )  # fmt: skip
    plan.rows["centre"] = found


def point(plan: Plan, row: Row, *, required: bool) -> Point | None:
    """Return the point of columns lon and lat, WGS 84, inside the city's frame."""
    if not required and not row.text("lon"):
        return None
    if not (row.text("lon", required=True) and row.text("lat", required=True)):
        return None
    lon, lat = (row.number(column, default=None, low=-180, whole=False) for column in ("lon", "lat"))
    if lon is None or lat is None:
        return None
    place = Point(lon, lat, srid=4326)
    if plan.frame is not None and not plan.frame.intersects(shapely.Point(lon, lat)):
        row.wrong(_("%(lon)s, %(lat)s lies outside the city's frame") % {"lon": lon, "lat": lat})
    return place


def read_workers(plan: Plan) -> None:
    table = Table(plan.folder, "workers.csv", plan.problems, columns="number name_zh centre area", unique="number")
    plan.known["worker"] |= {row.text("number") for row in table}
    primaries: dict[str, int] = {}
    found = []
    for row in table:
        centre, area = row.text("centre", required=True), row.text("area", required=True)
        if centre and centre not in plan.known["centre"]:
            row.wrong(_("unknown centre %(code)s") % {"code": centre})
        if area and area not in plan.known["division"]:
            row.wrong(_("unknown division %(code)s") % {"code": area})
        found.append(
            {
                "number": row.text("number", most=16), "name_zh": row.text("name_zh", required=True, most=60),
                "name_en": row.text("name_en", most=120), "phone": row.text("phone", most=20), "centre": centre, "area": area,
                "skills": row.list("skills"), "state": row.choice("state", Worker.State.values, "on_duty"),
                "valid": row.day("training_valid_until"), "since": row.day("since", timezone.localdate(plan.at)),
                "synthetic": row.flag("synthetic", True), "postings": _postings(plan, row, primaries),
            }
        )  # fmt: skip
    plan.rows["worker"] = found


def _postings(plan: Plan, row: Row, primaries: dict[str, int]) -> dict[str, str]:
    """Return role by cell code; a cell has one primary."""
    found: dict[str, str] = {}
    for role in ("primary", "backup"):
        for code in row.list(role):
            if code not in plan.known["cell"]:
                row.wrong(_("unknown cell %(code)s") % {"code": code})
            elif code in found:
                row.wrong(_("cell %(code)s is named twice") % {"code": code})
            elif role == "primary" and (first := primaries.setdefault(code, row.line)) != row.line:
                row.wrong(
                    _("cell %(code)s has its responsible worker in line %(line)s") % {"code": code, "line": first}
                )
            found.setdefault(code, role)
    return found


# -- writing --------------------------------------------------------------------------------------


def write_departments(plan: Plan) -> None:
    rows = plan.rows.get("department", [])
    upsert(Department, [department for department, _parent in rows], "code", keep=("parent",))
    by_code = {department.code: department for department in Department.objects.all()}
    changed = []
    for department, parent in rows:
        kept = by_code[department.code]
        above = by_code[parent].pk if parent else None
        if kept.parent_id != above:
            kept.parent_id = above
            changed.append(kept)
    Department.objects.bulk_update(changed, ["parent"], batch_size=500)


def write_centres(plan: Plan) -> None:
    upsert(Centre, plan.rows.get("centre", []), "code")


def write_workers(plan: Plan) -> None:
    """Write users, workers and postings. The area of an existing user stays: rights are changed in accounts."""
    rows = plan.rows.get("worker", [])
    if not rows:
        return
    known = {worker.number: worker for worker in Worker.objects.select_related("user")}
    _write_users(plan, rows, known)
    centres = dict(Centre.objects.values_list("code", "pk"))
    divisions = dict(Centre.objects.values_list("code", "division_id"))
    workers = []
    for row in rows:
        area = next((code for code, role in row["postings"].items()), divisions[row["centre"]])
        workers.append(
            Worker(
                user_id=row["user"], number=row["number"], phone=row["phone"], centre_id=centres[row["centre"]], area_code=area,
                skills=row["skills"], state=row["state"], training_valid_until=row["valid"], synthetic=row["synthetic"],
            )
        )  # fmt: skip
    upsert(Worker, workers, "number")
    plan.progress(_("workers"), len(rows), len(rows))
    _write_postings(plan, rows)


def _write_users(plan: Plan, rows: list[dict[str, Any]], known: dict[str, Worker]) -> None:
    """Give each row its user: the worker's own, or a new one that cannot sign in until an administrator lets it."""
    fresh, changed = [], []
    for row in rows:
        worker = known.get(row["number"])
        if worker is None:
            fresh.append(
                User(
                    username=row["number"].lower(), password=UNUSABLE_PASSWORD_PREFIX + secrets.token_hex(20), role=Role.GRID_WORKER, area_code=row["area"],
                    name_zh=row["name_zh"], name_en=row["name_en"], phone=row["phone"], date_joined=plan.at,
                )
            )  # fmt: skip
            continue
        user, row["user"] = worker.user, worker.user_id
        names = (row["name_zh"], row["name_en"], row["phone"])
        if (user.name_zh, user.name_en, user.phone) != names:
            user.name_zh, user.name_en, user.phone = names
            changed.append(user)
    User.objects.bulk_create(fresh, batch_size=1000)
    User.objects.bulk_update(changed, ["name_zh", "name_en", "phone"], batch_size=500)
    ids = {user.username: user.pk for user in fresh}
    for row in rows:
        row.setdefault("user", ids.get(row["number"].lower()))


def _write_postings(plan: Plan, rows: list[dict[str, Any]]) -> None:
    """End open postings that the folder no longer names, then begin the new ones."""
    today: date = timezone.localdate(plan.at)
    workers = dict(Worker.objects.values_list("number", "pk"))
    cells = dict(Cell.objects.values_list("code", "pk"))
    held = defaultdict(dict)
    for posting in Posting.objects.filter(until=None):
        held[posting.worker_id][posting.cell_id, posting.role] = posting
    ended, fresh = [], []
    for row in rows:
        worker = workers[row["number"]]
        wanted = {(cells[code], role) for code, role in row["postings"].items()}
        wanted = wanted if row["state"] != Worker.State.LEFT else set()
        ended += [posting for key, posting in held[worker].items() if key not in wanted]
        since = row["since"] if not held[worker] else today
        fresh += [
            Posting(worker_id=worker, cell_id=cell, role=role, since=since) for cell, role in wanted - set(held[worker])
        ]
    for posting in ended:
        posting.until = max(today, posting.since)
    Posting.objects.bulk_update(ended, ["until"], batch_size=1000)
    Posting.objects.bulk_create(fresh, batch_size=2000)
    plan.progress(_("postings"), len(fresh), len(fresh))


def note_unstaffed(plan: Plan) -> None:
    """Note how many active cells have nobody on duty: every cell should have a responsible worker (一格一员)."""
    on = timezone.localdate(plan.at)
    served = Posting.objects.on(on).filter(worker__state=Worker.State.ON_DUTY).values("cell")
    bare = Cell.objects.active().exclude(pk__in=served).count()
    if bare:
        plan.report.notes.append(_("%(n)s active cells have nobody on duty") % {"n": bare})
