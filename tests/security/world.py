"""A county that is one's own and one that is foreign, each with everything there is, and words to know it by."""

import hashlib
import uuid
import zipfile
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from io import BytesIO
from typing import Any

from django.contrib.gis.geos import Point
from django.utils import timezone
from PIL import Image

from citysafety.accounts.models import AccessToken, Department, SavedView, User
from citysafety.accounts.roles import Role
from citysafety.accounts.tokens import issue
from citysafety.calendars.models import Handover, Post, Shift
from citysafety.documents import services as documents
from citysafety.evidence.models import Attachment
from citysafety.evidence.services import attach
from citysafety.notices.models import Channel, Notice
from grid.models import (
    Cell,
    Centre,
    Component,
    ComponentClass,
    ComponentImport,
    Posting,
    Premises,
    PremisesKind,
    Rezoning,
    Worker,
)
from grid.rezoning.sketch import Drawing
from grid.services import draft_rezoning
from hazards.inspections.models import CheckedKind, Checklist, ChecklistVersion, Inspection, Item, RiskGrade
from hazards.inspections.services import Looked, Visit, record_inspection
from hazards.listings import services as listings
from hazards.listings.seeds import seed_majors
from hazards.models import Hazard, Listing, Step
from hazards.rechecks.models import Recheck, RecheckDraw, RecheckRule
from hazards.services import take_step
from hazards.services.steps import StepInput
from hazards.writeoffs import services as writeoffs
from hazards.writeoffs.models import WriteOffList
from hazards.writeoffs.seeds import seed_signatures
from monitoring import engine
from monitoring.models import Alarm, Datastream, Device, DeviceKind, Maintenance, Quantity, RiskField, Shelving, System
from monitoring.services.alarms import Happening, happen
from projects.models import OverdueNotice
from projects.seeds import seed_supervision
from projects.services import NoticeInput, draft_notice
from projects.services import take_step as take_notice_step
from tests.factories import AWAY, HOME, SmallCity, file_hazard, make_city, person
from tests.monitoring.worlds import limits, station

ROLES = tuple(Role.values)
HOUR = timedelta(hours=1)
CITY, TOWNSHIP = "3705", "370502001"


@dataclass
class Side:
    """One record of everything, in one county, made by and for one person."""

    hazard: Hazard
    overdue_notice: OverdueNotice
    attachment: Attachment
    cell: Cell
    premises: Premises
    component: Component
    load: ComponentImport
    worker: Worker
    notice: Notice
    channel: Channel
    token: AccessToken
    view: SavedView
    owner: User
    duty: Shift  # running, of the dispatcher at the county's post
    left: Shift  # a later one, for whoever calls it off
    handover: Handover
    listing: Listing
    rezoning: Rezoning
    inspection: Inspection
    recheck: Recheck
    writeoffs: WriteOffList  # frozen
    datastream: Datastream  # of a device of the department
    alarm: Alarm
    shelving: Shelving
    works: Maintenance
    secrets: list[str] = field(default_factory=list)  # no answer to a stranger may hold one of these


@dataclass
class World:
    """The own side, the foreign side, and a case of the own county that is with another department."""

    city: SmallCity
    own: Side
    foreign: Side
    elsewhere: Side


def picture(seed: int = 0) -> bytes:
    out = BytesIO()
    Image.effect_noise((64, 48), 40 + seed).save(out, "PNG")
    return out.getvalue()


def make_world() -> World:
    city = make_city()
    seed_supervision(at=timezone.now() - timedelta(days=1))
    seed_majors(at=timezone.now() - timedelta(days=1))
    PremisesKind.objects.create(code="shop", name_zh="小商店", name_en="Small shop", nine_small=True)
    ComponentClass.objects.create(code="0107", name_zh="路灯", name_en="Street lamp")
    _checklist(city)
    _monitoring()
    seed_signatures()
    return World(
        city,
        own=_side(city, HOME, "370502001001001", "fire-02", "OWN"),
        foreign=_side(city, AWAY, "370503001001001", "fire-03", "FOREIGN"),
        elsewhere=_side(city, HOME, "370502001001002", "roads-02", "ELSEWHERE"),
    )


def _checklist(city: SmallCity) -> None:
    """Let shops be inspected; nobody's department closes what is found."""
    RiskGrade.objects.create(colour=4, at_least=0, interval_days=180)
    checklist = Checklist.objects.create(code="shops", name_zh="商店检查", name_en="Check of shops")
    CheckedKind.objects.create(kind_id="shop", checklist=checklist)
    version = ChecklistVersion.objects.create(checklist=checklist, number=1, in_force_from=date(2026, 1, 1))
    Item.objects.create(
        version=version, code="a", position=1, matter=city.matters["XF-001"], name_zh="通道畅通", name_en="Exits clear"
    )


def _monitoring() -> None:
    """Let there be a system, toxic gas, and a kind of its stations."""
    system = System.objects.create(code="toxic-gas", name_zh="毒害气体", name_en="Toxic gas")
    risk = RiskField.objects.create(code="hazmat", name_zh="危化品", name_en="Hazmat")
    DeviceKind.objects.create(code="gas-station", name_zh="监测站", name_en="Station", system=system, field=risk)
    Quantity.objects.create(code="a21028", name_zh="硫化氢", name_en="Hydrogen sulphide", unit="mg/m³")


def _device(department: Department, cell: Cell, word: str, at: datetime) -> Datastream:
    """Register a station of a department in a cell, with a channel."""
    device = Device.objects.create(
        code=f"QT-{word}", name_zh=f"{word}监测站", name_en=f"{word}-STATION", kind_id="gas-station", protocol="hj212",
        address=f"MN-{word}", department=department, company=f"{word}-COMPANY", location=cell.centre, cell=cell,
        area_code=cell.code, registered_at=at, changed_at=at,
    )  # fmt: skip
    return Datastream.objects.create(device=device, quantity_id="a21028", channel="a21028-Rtd")


def _inspected(premises: Premises, owner: User, at: datetime, word: str) -> Inspection:
    visit = Visit(
        id=uuid.uuid4(), version=ChecklistVersion.objects.get().pk, inspected_at=at, words=f"{word}-WORDS",
        results=[Looked(item="a", result="pass")],
    )  # fmt: skip
    return record_inspection(place=premises, visit=visit, inspector=owner, at=at)


def _side(city: SmallCity, county: str, cell_code: str, department: str, word: str) -> Side:
    at, cell = timezone.now(), city.cells[cell_code]
    lon, lat = cell.geometry.centroid.coords
    owner = person("grid_worker", area=county, name_zh=f"{word}姓名", name_en=f"{word}-PERSON", phone=f"138-{word}")
    hazard = file_hazard(owner, at=at, lon=lon, lat=lat, description=f"{word}-WORDS")
    boss = person("dispatcher", area=county, name_zh=f"{word}调度", name_en=f"{word}-BOSS")
    for action, version in (("accept", 1), ("dispatch", 2)):
        given = StepInput(id=uuid.uuid4(), version=version, department=department)
        hazard = take_step(hazard_id=hazard.pk, action=action, given=given, actor=boss, at=at)
    data = picture(len(word))
    sha256 = hashlib.sha256(data).hexdigest()
    attach(
        kind="hazard", subject_id=str(hazard.pk), role="scene", sha256=sha256, data=data, by_id=owner.pk, at=at, step_id=None
    )  # fmt: skip
    centre = Centre.objects.create(
        code=f"ZX-{word}", level="county", division=cell.division, name_zh=f"{word}中心", name_en=f"{word}-CENTRE"
    )
    worker = Worker.objects.create(
        user=owner, number=f"DY-{word}", phone=f"139-{word}", centre=centre, area_code=cell_code
    )
    Posting.objects.create(worker=worker, cell=cell, role="primary", since=timezone.localdate())
    premises = Premises.objects.create(
        code=f"CS-{word}", kind_id="shop", cell=cell, area_code=cell_code, location=Point(lon, lat, srid=4326),
        name_zh=f"{word}超市", name_en=f"{word}-SHOP", responsible=f"{word}-KEEPER", phone=f"137-{word}",
    )  # fmt: skip
    component = Component.objects.create(
        code=f"{county}0107{cell_code[-6:]}", kind_id="0107", name_zh=f"{word}路灯", name_en=f"{word}-LAMP", department=city.departments[department],
        location=Point(lon, lat, srid=4326), cell=cell, area_code=cell_code, owner=f"{word}-OWNER", changed_at=at,
    )  # fmt: skip
    load = ComponentImport.objects.create(
        id=uuid.uuid4(), by=owner, at=at, area_code=cell_code, file_name=f"{word}-FILE.csv", file_sha256="0" * 64,
        datum="wgs84", columns=[], table_hash="",
    )  # fmt: skip
    inspection = _inspected(premises, owner, at, word)
    notice = Notice.objects.create(
        recipient=owner, topic=f"{word}-TOPIC", params={}, source_key=f"{word}-SOURCE", created_at=at
    )
    channel = Channel.objects.create(user=owner, kind="webhook", address=f"https://{word}.example/hook")
    issue(owner, f"{word}-TOKEN")
    view = SavedView.objects.create(
        owner=owner, page="hazards", name=f"{word}-VIEW", query="open=true", is_default=True
    )
    desk = Post.objects.create(
        area_code=cell_code[:9], role="dispatcher", name_zh=f"{word}值班台", name_en=f"{word}-DESK", phone=f"136-{word}"
    )
    duty, left = (
        Shift.objects.create(
            post=desk, person=boss, begins=at + n * HOUR, ends=at + (n + 8) * HOUR, note=f"{word}-NOTE"
        )
        for n in (-1, 24)
    )
    handover = Handover.objects.create(
        pk=uuid.uuid4(), post=desk, given_by=boss, given_at=at, matters=f"{word}-MATTERS", equipment_ok=True
    )
    west, south, east, north = cell.geometry.extent
    middle = (west + east) / 2
    rezoning = draft_rezoning(
        id=uuid.uuid4(), drawing=Drawing(operation="split", cells=(cell_code,), line=((middle, south), (middle, north))),
        reason=f"{word}-REASON", basis="GB/T", effective_at=None, actor=boss, at=at,
    )  # fmt: skip
    names = (
        "REASON",
        "WORDS",
        "VIEW",
        "PERSON",
        "姓名",
        "BOSS",
        "调度",
        "SHOP",
        "超市",
        "KEEPER",
        "LAMP",
        "路灯",
        "OWNER",
        "FILE",
        "CENTRE",
        "中心",
        "TOPIC",
        "TOKEN",
        "DESK",
        "NOTE",
        "MATTERS",
        "监测站",
        "STATION",
        "COMPANY",
    )
    late = _issued(hazard, at)  # while it is a general one: one signature
    listing = _listed(hazard, word, at)
    secrets = [f"{word}-{name}" if name.isascii() else f"{word}{name}" for name in names]
    secrets += [f"{prefix}-{word}" for prefix in ("136", "137", "138", "139", "CS", "DY", "ZX", "QT", "MN")]
    recheck, closed = _closed(owner, boss, cell, lon, lat, word, at)
    alarm, shelving, works = _alarm(cell, city.departments[department], boss, word, at)
    secrets += [
        str(alarm.pk),
        alarm.number,
        alarm.device.code,
        str(recheck.pk),
        recheck.hazard.number,
        closed.number,
        closed.sha256,
        str(inspection.pk),
        inspection.number,
        str(hazard.pk),
        hazard.number,
        sha256,
        cell_code,
        f"{word}.example",
    ]
    return Side(
        hazard, late, Attachment.objects.get(photo_id=sha256), cell, premises, component, load, worker, notice, channel,
        owner.access_tokens.get(), view, owner, duty, left, handover, listing, rezoning, inspection, recheck, closed,
        _device(city.departments[department], cell, word, at), alarm, shelving, works, secrets,
    )  # fmt: skip


def _closed(
    owner: User, boss: User, cell: Cell, lon: float, lat: float, word: str, at: datetime
) -> tuple[Recheck, WriteOffList]:
    """Close a case that nobody rectified, draw it, and freeze a list of it."""
    hazard = file_hazard(owner, at=at, lon=lon, lat=lat, description=f"{word}-WORDS")
    step = Step.objects.create(
        id=uuid.uuid4(), hazard=hazard, action="write_off", source="verified", target="written_off", version=2, actor=boss, at=at
    )  # fmt: skip
    closed = {"state": "written_off", "written_off_at": at, "due_at": None, "due_stage": "", "version": 2}
    Hazard.objects.filter(pk=hazard.pk).update(**closed)
    day = timezone.localdate(at)
    rule, _new = RecheckRule.objects.get_or_create(percent=1, since=day)
    draw = RecheckDraw.objects.create(
        rule=rule, first=day, last=day + timedelta(days=RecheckDraw.objects.count()), at=at, seed="0" * 64, percent=1,
        at_least=0, days=7, population=[step.pk], size=1, drawn=1,
    )  # fmt: skip
    recheck = Recheck.objects.create(
        id=uuid.uuid4(), draw=draw, hazard=hazard, closing=step, area_code=cell.code, due_on=day, drawn_at=at
    )
    wish = writeoffs.Wish(id=uuid.uuid4(), title=f"{word}-NOTE", area=cell.code)
    row = writeoffs.make_list(wish=wish, by=boss, at=at)
    return recheck, writeoffs.freeze(list_id=row.pk, by=boss, at=at)


def _alarm(cell: Cell, office: Any, boss: User, word: str, at: datetime) -> tuple[Alarm, Shelving, Maintenance]:
    """Raise an alarm at a station; say that its like is shelved, and that there are works, once it was raised."""
    device = station(f"STATION-{word}", code=f"DEVICE-{word}", department=office, cell=cell, area_code=cell.code)
    rule = limits(device, code=f"rule-{word.lower()}", device=device)
    stream = device.datastreams.get()
    seen = Happening(
        rule=rule.pk, device=device.pk, subject=f"datastream:{stream.pk}", datastream=stream.pk, zone=engine.HIGH, level=3,
        at=at, value=12.0, limit=10.0,
    )  # fmt: skip
    [alarm] = happen([seen], at=at)
    until = at + 9 * HOUR
    shelving = Shelving.objects.create(
        rule=rule, subject=alarm.subject, by=boss, reason=f"{word}-REASON", began_at=at, until=until
    )
    works = Maintenance.objects.create(
        area_code=cell.code, by=boss, reason=f"{word}-REASON", begins_at=at, ends_at=until
    )
    return alarm, shelving, works


def _issued(hazard: Hazard, at: datetime) -> OverdueNotice:
    """Issue an overdue notice about a hazard to its department."""
    Hazard.objects.filter(pk=hazard.pk).update(due_at=at - timedelta(days=9), overdue=True)
    late = Hazard.objects.select_related("matter", "department", "cell", "dedicated_cell").get(pk=hazard.pk)
    notice = draft_notice(hazard=late, rule=None, by=None, at=at)
    signer = person("supervisor", area=hazard.area_code[:6])
    sha256 = documents.prepare(notice.document_id, by=signer, at=at).sealed_id
    given = NoticeInput(id=uuid.uuid4(), version=1, sha256=sha256)
    return take_notice_step(notice_id=notice.pk, action="issue", given=given, actor=signer, at=at)


def _listed(hazard: Hazard, word: str, at: datetime) -> Listing:
    """Put a hazard on the list of major ones, not published."""
    Hazard.objects.filter(pk=hazard.pk).update(severity="major", criterion="第五条")
    proposer, signer = (person("supervisor", area=hazard.area_code[:6]) for _ in range(2))
    proposal = listings.Proposal(
        level="county",
        leader=f"{word}-BOSS",
        requirement_zh="立即整改",
        finish_by=timezone.localdate(at) + timedelta(days=90),
    )
    listing = listings.propose(hazard_id=hazard.pk, proposal=proposal, by=proposer, at=at)
    paper = listings.prepare(listing_id=listing.pk, by=signer, at=at)
    given = listings.ListingInput(id=uuid.uuid4(), version=1, sha256=paper.sealed_id)
    return listings.take_step(listing_id=listing.pk, action="list_it", given=given, actor=signer, at=at)


def everyone(city: SmallCity, area: str) -> dict[str, User]:
    """Return one user of each role with an area; the handler belongs to the department of that county's case."""
    office = city.departments["fire-03" if area.startswith(AWAY) else "fire-02"]
    return {
        role: person(role, area=area, department=office if role == Role.DEPARTMENT_HANDLER else None) for role in ROLES
    }


def text_of(answer: Any) -> str:
    """Return all that an answer says: its body, and where it leads."""
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    if answer.headers.get("Content-Type", "").endswith("spreadsheetml.sheet"):
        with zipfile.ZipFile(BytesIO(body)) as parts:
            body = b"".join(parts.read(name) for name in parts.namelist())
    return body.decode("utf-8", "replace") + answer.headers.get("Location", "")
