"""Every route of the site, from the URL resolver, and how the tests call it.

A route that stands in no table here makes the tests fail: a new one cannot be forgotten.
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.urls import URLPattern, get_resolver

from grid.lifecycle import VERBS as REZONING_VERBS
from hazards.lifecycle import LIFECYCLE
from hazards.listings.lifecycle import LIFECYCLE as LISTING_STEPS
from hazards.rechecks.lifecycle import LIFECYCLE as RECHECK_STEPS
from monitoring.lifecycle import VERBS as ALARM_VERBS
from projects.lifecycle import LIFECYCLE as NOTICE_STEPS

from .world import Side

ADMIN = "admin/"
PUBLIC, SIGNED, OBJECT, OWN = "public", "signed", "object", "own"


def patterns(resolver: Any = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Yield every pattern of the site with its whole address."""
    for one in (resolver or get_resolver()).url_patterns:
        address = prefix + str(one.pattern).removeprefix("^")
        if hasattr(one, "url_patterns"):
            yield from patterns(one, address)
        else:
            yield address.removesuffix("$"), one


@dataclass(frozen=True)
class Call:
    """One way to call a route. ``path`` takes the side whose record is asked for.

    ``public``: for anyone. ``signed``: whatever is shown is cut to the caller. ``object``: a record that belongs to
    an area. ``own``: a record that belongs to one person.
    """

    kind: str
    method: str
    path: Callable[[Side], str]
    body: Any = None
    content_type: str = "application/json"
    seen: str = "area"  # who sees an object: see SEES in the matrix


def _fixed(path: str) -> Callable[[Side], str]:
    return lambda side: path


def get(path: str, kind: str = SIGNED) -> list[Call]:
    return [Call(kind, "GET", _fixed(path))]


def post(path: str, body: Any = None, kind: str = SIGNED) -> list[Call]:
    return [Call(kind, "POST", _fixed(path), body or {}, "application/x-www-form-urlencoded")]


def case(
    path: str, *, seen: str = "case", method: str = "GET", body: Any = None, kind: str = "application/json"
) -> Call:
    def of(side: Side) -> str:
        return path.format(id=side.hazard.pk, photo=side.attachment.pk, notice=side.overdue_notice.pk,
                           listing=side.listing.pk)  # fmt: skip

    return Call(OBJECT, method, of, body, kind, seen)


def device(path: str, seen: str = "device", body: Any = None) -> Call:
    """A call about a device or its datastream; with a body it is a form that is sent."""

    def of(side: Side) -> str:
        return path.format(code=side.datastream.device.code, stream=side.datastream.pk)

    method = "GET" if body is None else "POST"
    return Call(OBJECT, method, of, body, "application/x-www-form-urlencoded", seen)


def notice(path: str, **more: Any) -> Call:
    """A call about an overdue notice."""
    return case(f"{API}supervision/{{notice}}/{path}", seen="notice", **more)


def listing(path: str, **more: Any) -> Call:
    """A call about a hazard under listed supervision."""
    return case(f"{API}listings/{{listing}}/{path}", seen="notice", **more)


def inspection(path: str, method: str = "GET", **more: Any) -> Call:
    """A call about an inspection of a side's premises."""
    return Call(
        OBJECT, method, lambda side: f"{API}inspections/{side.inspection.pk}/{path}", seen="inspected place", **more
    )


def recheck(path: str, method: str = "GET", **more: Any) -> Call:
    """A call about a side's re-check."""
    return Call(OBJECT, method, lambda side: path.format(id=side.recheck.pk), seen="recheck", **more)


def writeoff(path: str, method: str = "GET", **more: Any) -> Call:
    """A call about a side's frozen write-off list."""
    return Call(OBJECT, method, lambda side: path.format(id=side.writeoffs.pk), seen="write-off", **more)


def alarm(path: str, method: str = "GET", of: str = "alarm", seen: str = "alarm", **more: Any) -> Call:
    """A call about a side's alarm, or what keeps it quiet."""
    return Call(OBJECT, method, lambda side: path.format(id=getattr(side, of).pk), seen=seen, **more)


def roster(kind: str, verb: str, method: str = "POST") -> Call:
    """A call about a shift or a handover of a side's post."""

    def of(side: Side) -> str:
        row = side.handover if kind == "handovers" else side.duty
        return f"{API}duty/{kind}/{row.pk}/{verb}"

    return Call(OBJECT, method, of, {}, seen="roster" if method == "GET" or kind == "handovers" else "planner")


def rezoned(path: str, method: str = "GET", seen: str = "rezoning", kind: str = "application/json") -> Call:
    """A call about a side's re-zoning."""
    body = {"id": str(uuid.uuid4()), "version": 99} if method == "POST" else None
    return Call(OBJECT, method, lambda side: path.format(id=side.rezoning.pk), body, kind, seen)


def nobodys(kind: str, verb: str, method: str = "POST") -> Call:
    """A call about a swap or a leave of a stranger."""
    seen = _fixed(f"{API}duty/{kind}/{uuid.uuid4()}/{verb}")
    return Call(SIGNED, method, seen, {})


def area(path: str, seen: str = "area") -> list[Call]:
    """A list as it is, and cut to the area of a record."""
    joint = "&" if "?" in path else "?"
    return [
        Call(SIGNED, "GET", _fixed(path), seen=seen),
        Call(OBJECT, "GET", lambda side: f"{path}{joint}area={side.cell.code}", seen=seen),
    ]


def _in_area(path: str) -> Callable[[Side], str]:
    return lambda side: f"{path}?area={side.cell.code}"


API = "/api/v1/"
HAZARD = "api/v1/hazards/(?P<pk>[0-9a-fA-F-]{36})/"
DUTY, ROW = "api/v1/duty/", "(?P<pk>[0-9a-fA-F-]{36})/"
VERBS = "|".join(LIFECYCLE.actions)
OPEN311, FORM = "open311/v2/", r"\.(?P<format>xml|json)"
LISTING = "api/v1/listings/(?P<pk>[0-9a-fA-F-]{36})/"
RECHECK = "api/v1/rechecks/(?P<pk>[0-9a-fA-F-]{36})/"
WRITEOFF = "api/v1/writeoffs/(?P<pk>[0-9a-fA-F-]{36})/"
INSPECTION = "api/v1/inspections/(?P<pk>[0-9a-fA-F-]{36})/"
ALARM = "api/v1/alarms/(?P<pk>[0-9a-fA-F-]{36})/"
NOTICE = "api/v1/supervision/(?P<pk>[0-9a-fA-F-]{36})/"

CALLS: dict[str, list[Call]] = {
    "livez": get("/livez", PUBLIC),
    "readyz": get("/readyz", PUBLIC),
    "metrics": get("/metrics", PUBLIC),
    "jsi18n/<str:language>/<str:version>.js": get("/jsi18n/zh-hans/0.js", PUBLIC),
    "api/v1/schema/": get(f"{API}schema/"),
    "api/v1/docs/": get(f"{API}docs/"),
    "api/v1/figures/": area(f"{API}figures/"),
    "api/v1/figures/series/": area(f"{API}figures/series/?figure=hazards.found_today"),
    "api/v1/figures/by-category/": area(f"{API}figures/by-category/"),
    "api/v1/live/since/<int:position>/": area(f"{API}live/since/0/"),
    "api/v1/live/presence/": [
        Call(SIGNED, "POST", _fixed(f"{API}live/presence/"), {"page": str(uuid.uuid4())}),
    ],
    "api/v1/centre/queue/": [*area(f"{API}centre/queue/", "console"), *get(f"{API}centre/queue/?filter=dispatch")],
    "api/v1/centre/queue/count/": area(f"{API}centre/queue/count/", "console"),
    "api/v1/centre/search/": [
        *area(f"{API}centre/search/?q=WORDS", "console"),
        *[Call(SIGNED, "GET", _fixed(f"{API}centre/search/?q={text}")) for text in ("YH-", "SHOP", "超市", "Cell")],
    ],
    "api/v1/centre/dispatches/": [
        *get(f"{API}centre/dispatches/"), Call(SIGNED, "POST", _fixed(f"{API}centre/dispatches/"), {}),
    ],
    "api/v1/centre/dispatches/trial/": [
        Call(SIGNED, "POST", _fixed(f"{API}centre/dispatches/trial/"), {"hazards": []}),
    ],
    "api/v1/centre/dispatches/undo/": [
        Call(SIGNED, "POST", _fixed(f"{API}centre/dispatches/undo/"), {"ids": [str(uuid.uuid4())]}),
    ],
    "api/v1/notices/": get(f"{API}notices/"),
    "api/v1/notices/count/": get(f"{API}notices/count/"),
    "api/v1/notices/(?P<pk>[^/.]+)/": [Call(OWN, "GET", lambda side: f"{API}notices/{side.notice.pk}/")],
    "api/v1/notices/(?P<pk>[^/.]+)/read/": [Call(OWN, "POST", lambda side: f"{API}notices/{side.notice.pk}/read/", {})],
    "api/v1/notices/(?P<pk>[^/.]+)/sign/": [Call(OWN, "POST", lambda side: f"{API}notices/{side.notice.pk}/sign/", {})],
    "api/v1/duty/now/": [
        *get(f"{API}duty/now/?role=dispatcher"),
        Call(OBJECT, "GET", lambda side: f"{API}duty/now/?role=dispatcher&area={side.cell.code}", seen="duty"),
    ],
    "api/v1/duty/gaps/": area(f"{API}duty/gaps/", "duty"),
    **{
        route: calls
        for name in ("posts", "shifts", "swaps", "leaves", "handovers")
        for route, calls in {
            f"api/v1/duty/{name}/": area(f"{API}duty/{name}/", "duty"),
            f"api/v1/duty/{name}/count/": area(f"{API}duty/{name}/count/", "duty"),
        }.items()
    },
    r"api/v1/duty/posts/(?P<pk>\d{1,9})/": [
        Call(OBJECT, "GET", lambda side: f"{API}duty/posts/{side.duty.post.pk}/", seen="roster")
    ],
    "api/v1/duty/shifts/pattern/": [Call(SIGNED, "POST", _fixed(f"{API}duty/shifts/pattern/"), {})],
    "api/v1/duty/shifts/copy/": [Call(SIGNED, "POST", _fixed(f"{API}duty/shifts/copy/"), {})],
    f"{DUTY}shifts/{ROW}": [roster("shifts", "", "GET")],
    f"{DUTY}shifts/{ROW}change/": [roster("shifts", "change/")],
    f"{DUTY}shifts/{ROW}cancel/": [roster("shifts", "cancel/")],
    f"{DUTY}handovers/{ROW}": [roster("handovers", "", "GET")],
    f"{DUTY}handovers/{ROW}receive/": [roster("handovers", "receive/")],
    f"{DUTY}swaps/{ROW}": [nobodys("swaps", "", "GET")],
    f"{DUTY}swaps/{ROW}agree/": [nobodys("swaps", "agree/")],
    f"{DUTY}swaps/{ROW}refuse/": [nobodys("swaps", "refuse/")],
    f"{DUTY}leaves/{ROW}": [nobodys("leaves", "", "GET")],
    f"{DUTY}leaves/{ROW}cancel/": [nobodys("leaves", "cancel/")],
    "duty/": area("/duty/", "duty"),
    "duty/leave/": get("/duty/leave/"),
    "duty/leave/<uuid:pk>/cancel/": post(f"/duty/leave/{uuid.uuid4()}/cancel/"),
    "duty/posts/new/": [*get("/duty/posts/new/"), *post("/duty/posts/new/", {"area_code": "370503"})],
    "duty/posts/<int:pk>/": [Call(OBJECT, "GET", lambda side: f"/duty/posts/{side.duty.post.pk}/", seen="roster")],
    **{
        f"duty/posts/<int:pk>/{page}/": [
            Call(OBJECT, "GET", lambda side, page=page: f"/duty/posts/{side.duty.post.pk}/{page}/", seen=seen)
        ]
        for page, seen in (("edit", "planner"), ("shift", "planner"), ("pattern", "planner"), ("handover", "giver"))
    },
    "duty/shifts/<uuid:pk>/": [Call(OBJECT, "GET", lambda side: f"/duty/shifts/{side.duty.pk}/", seen="roster")],
    "duty/shifts/<uuid:pk>/cancel/": [
        Call(
            OBJECT, "POST", lambda side: f"/duty/shifts/{side.left.pk}/cancel/", {}, "application/x-www-form-urlencoded",
            "planner",
        )
    ],
    "duty/shifts/<uuid:pk>/swap/": [
        Call(OBJECT, "GET", lambda side: f"/duty/shifts/{side.duty.pk}/swap/", seen="planner")
    ],
    "duty/swaps/<uuid:pk>/agree/": post(f"/duty/swaps/{uuid.uuid4()}/agree/"),
    "duty/swaps/<uuid:pk>/refuse/": post(f"/duty/swaps/{uuid.uuid4()}/refuse/"),
    "duty/handovers/<uuid:pk>/": [
        Call(OBJECT, "GET", lambda side: f"/duty/handovers/{side.handover.pk}/", seen="roster")
    ],
    "api/v1/wall/": area(f"{API}wall/", "watch"),
    "api/v1/wall/points/": area(f"{API}wall/points/", "watch"),
    "api/v1/wall/mutes/": [
        *area(f"{API}wall/mutes/", "watch"),
        Call(SIGNED, "POST", _fixed(f"{API}wall/mutes/"), {"id": str(uuid.uuid4()), "minutes": 15}),
    ],
    "api/v1/wall/mutes/<uuid:pk>/end/": [
        Call(OWN, "POST", _fixed(f"{API}wall/mutes/{uuid.uuid4()}/end/"), {}),
    ],
    "api/v1/wall/items/": [
        Call(SIGNED, "GET", lambda side: f"{API}wall/items/?ids={side.hazard.pk}"),
    ],
    "api/v1/grid/": get(f"{API}grid/"),
    "api/v1/matters/": get(f"{API}matters/"),
    "api/v1/matters/count/": get(f"{API}matters/count/"),
    "api/v1/matters/(?P<code>[^/]+)/": get(f"{API}matters/XF-001/"),
    "api/v1/cells/": area(f"{API}cells/"),
    "api/v1/cells/count/": area(f"{API}cells/count/"),
    "api/v1/cells/locate/": [
        Call(SIGNED, "GET", lambda side: f"{API}cells/locate/?lon={side.cell.centre.x}&lat={side.cell.centre.y}")
    ],
    "api/v1/cells/state/": area(f"{API}cells/state/"),
    r"api/v1/cells/(?P<code>\d{15})/": [Call(OBJECT, "GET", lambda side: f"{API}cells/{side.cell.code}/")],
    "api/v1/workers/": area(f"{API}workers/", "people"),
    "api/v1/workers/count/": area(f"{API}workers/count/", "people"),
    "api/v1/grid/components/": area(f"{API}grid/components/", "people"),
    "api/v1/grid/components/count/": area(f"{API}grid/components/count/", "people"),
    r"api/v1/grid/components/(?P<code>\d{16})/": [
        Call(OBJECT, "GET", lambda side: f"{API}grid/components/{side.component.code}/", seen="people")
    ],
    "api/v1/grid/components/near/": get(f"{API}grid/components/near/?lon=118.53&lat=37.45&within_m=500"),
    "grid/components/": area("/grid/components/", "people"),
    "grid/components/export.<sheet:kind>": area("/grid/components/export.csv", "people"),
    "grid/components/import/": [*get("/grid/components/import/"), *post("/grid/components/import/", {"datum": "wgs84"})],
    "grid/components/import/<uuid:pk>/": [
        Call(OBJECT, "GET", lambda side: f"/grid/components/import/{side.load.pk}/", seen="import")
    ],
    "grid/components/import/<uuid:pk>/wrong.csv": [
        Call(OBJECT, "GET", lambda side: f"/grid/components/import/{side.load.pk}/wrong.csv", seen="import")
    ],
    "grid/components/import/<uuid:pk>/apply/": [
        Call(
            OBJECT, "POST", lambda side: f"/grid/components/import/{side.load.pk}/apply/", {},
            "application/x-www-form-urlencoded", "importer",
        )
    ],
    "grid/components/<str:code>/": [
        Call(OBJECT, "GET", lambda side: f"/grid/components/{side.component.code}/", seen="people")
    ],
    "api/v1/systems/": area(f"{API}systems/", "people"),
    "api/v1/systems/count/": area(f"{API}systems/count/", "people"),
    "api/v1/systems/(?P<code>[-a-zA-Z0-9_]+)/": area(f"{API}systems/toxic-gas/", "people"),
    "api/v1/devices/": area(f"{API}devices/", "people"),
    "api/v1/devices/count/": area(f"{API}devices/count/", "people"),
    "api/v1/devices/unknown/": get(f"{API}devices/unknown/"),
    "api/v1/devices/unknown/count/": get(f"{API}devices/unknown/count/"),
    "api/v1/devices/(?P<code>[^/]+)/": [device(f"{API}devices/{{code}}/")],
    "monitoring/": area("/monitoring/", "people"),
    "monitoring/systems/<slug:code>/": area("/monitoring/systems/toxic-gas/", "people"),
    "monitoring/systems/<slug:code>/move/": post("/monitoring/systems/toxic-gas/move/", {"target": "live"}),
    "monitoring/register/": get("/monitoring/register/"),
    "monitoring/unknown/": get("/monitoring/unknown/"),
    "monitoring/unknown/<int:pk>/<slug:verb>/": post("/monitoring/unknown/1/ignore/"),
    "monitoring/devices/": area("/monitoring/devices/", "people"),
    "monitoring/devices/export.<sheet:kind>": area("/monitoring/devices/export.csv", "people"),
    "monitoring/devices/new/": [*get("/monitoring/devices/new/"), *post("/monitoring/devices/new/")],
    "monitoring/devices/<str:code>/": [device("/monitoring/devices/{code}/")],
    "monitoring/devices/<str:code>/edit/": [
        device("/monitoring/devices/{code}/edit/", "device keeper"),
        device("/monitoring/devices/{code}/edit/", "device keeper", {}),
    ],
    "monitoring/devices/<str:code>/move/": [
        device("/monitoring/devices/{code}/move/", "device keeper", {"action": "retire"})
    ],
    "monitoring/datastreams/<int:pk>/": [device("/monitoring/datastreams/{stream}/")],
    "api/v1/premises/": area(f"{API}premises/", "people"),
    "api/v1/premises/count/": area(f"{API}premises/count/", "people"),
    "api/v1/departments/": area(f"{API}departments/"),
    "api/v1/departments/count/": area(f"{API}departments/count/"),
    "api/v1/divisions/": get(f"{API}divisions/"),
    "api/v1/divisions/count/": get(f"{API}divisions/count/"),
    "api/v1/supervision/": [
        *area(f"{API}supervision/"),
        Call(SIGNED, "POST", _fixed(f"{API}supervision/"), {}),
    ],
    "api/v1/supervision/count/": area(f"{API}supervision/count/"),
    "api/v1/supervision/overdue/": [
        Call(SIGNED, "GET", _fixed(f"{API}supervision/overdue/")),
        Call(OBJECT, "GET", lambda side: f"{API}supervision/overdue/?area={side.cell.code}", seen="supervision"),
    ],
    "api/v1/supervision/trial/": [
        Call(SIGNED, "POST", _fixed(f"{API}supervision/trial/"), {"hazards": []}),
    ],
    "supervision/": [
        Call(SIGNED, "GET", _fixed("/supervision/")),
        Call(OBJECT, "GET", lambda side: f"/supervision/?area={side.cell.code}", seen="supervision page"),
    ],
    "supervision/overdue.<sheet:kind>": [
        call
        for kind in ("csv", "xlsx")
        for call in (
            Call(SIGNED, "GET", _fixed(f"/supervision/overdue.{kind}")),
            Call(OBJECT, "GET", _in_area(f"/supervision/overdue.{kind}"), seen="supervision"),
        )
    ],
    "supervision/cases/<uuid:hazard_id>/": [case("/supervision/cases/{id}/", seen="supervision")],
    "supervision/notices/": area("/supervision/notices/", seen="people"),
    "supervision/notices.<sheet:kind>": [
        *area("/supervision/notices.csv", seen="people"), *area("/supervision/notices.xlsx", seen="people"),
    ],
    "supervision/register/": get("/supervision/register/"),
    "supervision/notices/<uuid:notice_id>/": [case("/supervision/notices/{notice}/", seen="notice")],
    NOTICE: [notice("")],
    f"{NOTICE}history/": [notice("history/")],
    f"{NOTICE}history/count/": [notice("history/count/")],
    f"{NOTICE}steps/": [notice("steps/")],
    f"{NOTICE}words/": [notice("words/", method="POST", body={})],
    f"{NOTICE}put_back/": [notice("put_back/", method="POST", body={})],
    f"{NOTICE}prepare/": [notice("prepare/", method="POST", body={})],
    f"{NOTICE}(?P<verb>{'|'.join(NOTICE_STEPS.actions)})/": [
        notice(f"{verb}/", method="POST", body={"id": str(uuid.uuid4()), "version": 99})
        for verb in NOTICE_STEPS.actions
    ],
    f"{NOTICE}document\\.pdf": [notice("document.pdf")],
    f"{NOTICE}pages/(?P<page>[0-9]{{1,2}})\\.png": [notice("pages/1.png")],
    f"{NOTICE}photos/(?P<sha256>[0-9a-fA-F]{{64}})/?": [
        notice(f"photos/{'0' * 64}/?role=answer", method="PUT", body=b"no picture", kind="image/png")
    ],
    "api/v1/hazards/": [
        *area(f"{API}hazards/"),
        *[
            Call(SIGNED, "GET", _fixed(f"{API}hazards/?{asked}"))
            for asked in ("search=WORDS", "search=YH-", "figure=hazards.open", "mine=false", "open=true", "cell=370503001001001")
        ],
        Call(SIGNED, "POST", _fixed(f"{API}hazards/"), {}),
    ],
    "api/v1/hazards/count/": area(f"{API}hazards/count/"),
    "api/v1/hazards/bulk/": [
        Call(SIGNED, "POST", _fixed(f"{API}hazards/bulk/"), {
            "id": str(uuid.uuid4()), "dry_run": True, "verb": verb, "filter": {"open": "true"},
        })
        for verb in ("accept", "take", "pause", "pin")
    ],
    "api/v1/hazards/bulk/<uuid:run_id>/": [Call(OWN, "GET", _fixed(f"{API}hazards/bulk/{uuid.uuid4()}/"))],
    "api/v1/hazards/near/": [
        Call(
            SIGNED, "GET",
            lambda side: f"{API}hazards/near/?matter=XF-001&lon={side.cell.centre.x}&lat={side.cell.centre.y}&accuracy_m=100",
        )
    ],
    HAZARD: [case(f"{API}hazards/{{id}}/")],
    f"{HAZARD}clock/": [case(f"{API}hazards/{{id}}/clock/")],
    f"{HAZARD}standard/": [case(f"{API}hazards/{{id}}/standard/")],
    f"{HAZARD}history/": [case(f"{API}hazards/{{id}}/history/")],
    f"{HAZARD}photos/": [case(f"{API}hazards/{{id}}/photos/")],
    f"{HAZARD}history/count/": [case(f"{API}hazards/{{id}}/history/count/")],
    f"{HAZARD}photos/count/": [case(f"{API}hazards/{{id}}/photos/count/")],
    f"{HAZARD}public/": [case(f"{API}hazards/{{id}}/public/")],
    f"{HAZARD}major/": [case(f"{API}hazards/{{id}}/major/")],
    "hazards/listed/": area("/hazards/listed/", seen="people"),
    "hazards/listed/<uuid:listing_id>/": [case("/hazards/listed/{listing}/", seen="notice")],
    "hazards/<uuid:hazard_id>/list/": [
        case("/hazards/{id}/list/", seen="supervisor"),
        case("/hazards/{id}/list/", seen="supervisor", method="POST", body={}, kind="application/x-www-form-urlencoded"),
    ],
    "hazards/rechecks/": area("/hazards/rechecks/", seen="rechecks"),
    "hazards/rechecks/<uuid:recheck_id>/": [recheck("/hazards/rechecks/{id}/")],
    "api/v1/rechecks/": area(f"{API}rechecks/", seen="rechecks"),
    "api/v1/rechecks/count/": area(f"{API}rechecks/count/", seen="rechecks"),
    RECHECK: [recheck(f"{API}rechecks/{{id}}/")],
    **{
        f"{RECHECK}{part}": [recheck(f"{API}rechecks/{{id}}/{part}")]
        for part in ("steps/", "history/", "history/count/", "photos/", "photos/count/")
    },
    f"{RECHECK}photos/(?P<sha256>[0-9a-fA-F]{{64}})/?": [
        recheck(f"{API}rechecks/{{id}}/photos/{'0' * 64}?role=after", "PUT", body=b"x", content_type="image/png")
    ],
    f"{RECHECK}(?P<verb>{'|'.join(RECHECK_STEPS.actions)})/": [
        recheck(f"{API}rechecks/{{id}}/{verb}/", "POST", body={"id": str(uuid.uuid4()), "version": 99})
        for verb in RECHECK_STEPS.actions
    ],
    "hazards/writeoffs/": area("/hazards/writeoffs/", seen="write-offs"),
    "hazards/writeoffs/new/": [
        Call(SIGNED, "GET", _fixed("/hazards/writeoffs/new/"), seen="write-off maker"),
        Call(SIGNED, "POST", _fixed("/hazards/writeoffs/new/"), {}, "application/x-www-form-urlencoded", "write-off maker"),
    ],
    "hazards/writeoffs/<uuid:list_id>/": [writeoff("/hazards/writeoffs/{id}/?check=true")],
    "hazards/writeoffs/<uuid:list_id>/print/": [writeoff("/hazards/writeoffs/{id}/print/")],
    "hazards/writeoffs/<uuid:list_id>/export.<sheet:kind>": [
        writeoff(f"/hazards/writeoffs/{{id}}/export.{kind}") for kind in ("csv", "xlsx")
    ],
    "hazards/writeoffs/<uuid:list_id>/<slug:verb>/": [
        writeoff(f"/hazards/writeoffs/{{id}}/{verb}/", "POST", body={}, content_type="application/x-www-form-urlencoded")
        for verb in ("take-out", "put-back", "freeze", "sign", "discard")
    ],
    "api/v1/writeoffs/": [
        *area(f"{API}writeoffs/", seen="write-offs"), Call(SIGNED, "POST", _fixed(f"{API}writeoffs/"), {}, seen="write-off maker")
    ],
    "api/v1/writeoffs/count/": area(f"{API}writeoffs/count/", seen="write-offs"),
    WRITEOFF: [writeoff(f"{API}writeoffs/{{id}}/")],
    **{
        f"{WRITEOFF}{part}": [writeoff(f"{API}writeoffs/{{id}}/{part}")] for part in ("items/", "items/count/", "verify/")
    },
    **{
        f"{WRITEOFF}{part}/": [writeoff(f"{API}writeoffs/{{id}}/{part}/", "POST", body={})]
        for part in ("take-out", "put-back", "freeze", "sign")
    },
    "public/listed/": get("/public/listed/", PUBLIC),
    "public/listed.json": get("/public/listed.json", PUBLIC),
    "public/report/": [*get("/public/report/", PUBLIC), *post("/public/report/", kind=PUBLIC)],
    "public/report/same/": post("/public/report/same/", kind=PUBLIC),
    "public/follow/": [*get("/public/follow/", PUBLIC), *post("/public/follow/", kind=PUBLIC)],
    "public/cases/": [*get("/public/cases/", PUBLIC), *get("/public/cases/?status=open&number=YH-1", PUBLIC)],
    "public/cases/<str:code>/": get("/public/cases/AAAA-AAAA-AAAA-AAAA/", PUBLIC),
    "public/cases/<str:code>/photos/<int:number>.jpg": get("/public/cases/AAAA-AAAA-AAAA-AAAA/photos/1.jpg", PUBLIC),
    "public/map/<int:version>/<slug:layer>.geojson": get("/public/map/1/counties.geojson", PUBLIC),
    "public/cases/<str:code>/not-solved/": post("/public/cases/AAAA-AAAA-AAAA-AAAA/not-solved/", kind=PUBLIC),
    "public/cases/<str:code>/solved/": post("/public/cases/AAAA-AAAA-AAAA-AAAA/solved/", kind=PUBLIC),
    "api/v1/criteria/": get(f"{API}criteria/"),
    "api/v1/criteria/count/": get(f"{API}criteria/count/"),
    "api/v1/listings/": [*area(f"{API}listings/"), Call(SIGNED, "POST", _fixed(f"{API}listings/"), {})],
    "api/v1/listings/count/": area(f"{API}listings/count/"),
    LISTING: [listing("")],
    f"{LISTING}history/": [listing("history/")],
    f"{LISTING}history/count/": [listing("history/count/")],
    f"{LISTING}steps/": [listing("steps/")],
    f"{LISTING}put_back/": [listing("put_back/", method="POST", body={})],
    f"{LISTING}prepare/": [listing("prepare/", method="POST", body={})],
    f"{LISTING}(?P<verb>{'|'.join(LISTING_STEPS.actions)})/": [
        listing(f"{verb}/", method="POST", body={"id": str(uuid.uuid4()), "version": 99})
        for verb in LISTING_STEPS.actions
    ],
    f"{LISTING}document\\.pdf": [listing("document.pdf")],
    f"{LISTING}pages/(?P<page>[0-9]{{1,2}})\\.png": [listing("pages/1.png")],
    f"{HAZARD}steps/": [case(f"{API}hazards/{{id}}/steps/")],
    f"{HAZARD}(?P<verb>{VERBS})/": [
        case(f"{API}hazards/{{id}}/{verb}/", seen="act", method="POST", body={"id": str(uuid.uuid4()), "version": 99})
        for verb in LIFECYCLE.actions
    ],
    f"{HAZARD}photos/(?P<sha256>[0-9a-fA-F]{{64}})/?": [
        case(f"{API}hazards/{{id}}/photos/{'0' * 64}/?role=scene", seen="act", method="PUT", body=b"x", kind="image/png")
    ],
    f"{API[1:]}inspections/": [
        *area(f"{API}inspections/", "inspection"),
        *get(f"{API}inspections/?search=CS-"),
        Call(SIGNED, "POST", _fixed(f"{API}inspections/"), {}),
    ],
    f"{API[1:]}inspections/count/": area(f"{API}inspections/count/", "inspection"),
    f"{API[1:]}inspections/due/": [*area(f"{API}inspections/due/", "inspection"), *get(f"{API}inspections/due/?search=CS-")],
    f"{API[1:]}inspections/due/count/": area(f"{API}inspections/due/count/", "inspection"),
    f"{API[1:]}inspections/checklist/": [
        Call(OBJECT, "GET", lambda side: f"{API}inspections/checklist/?premises={side.premises.code}", seen="checklist")
    ],
    INSPECTION: [inspection("")],
    f"{INSPECTION}history/": [inspection("history/")],
    f"{INSPECTION}history/count/": [inspection("history/count/")],
    f"{INSPECTION}photos/": [inspection("photos/")],
    f"{INSPECTION}photos/count/": [inspection("photos/count/")],
    f"{INSPECTION}photos/(?P<sha256>[0-9a-fA-F]{{64}})/?": [
        inspection(f"photos/{'0' * 64}/?role=a", method="PUT", body=b"x", content_type="image/png")
    ],
    "inspections/": [*area("/inspections/", "inspection"), *get("/inspections/?search=CS-")],
    "inspections/done/": [*area("/inspections/done/", "inspection"), *get("/inspections/done/?search=CS-")],
    "inspections/new/": [
        Call(OBJECT, "GET", lambda side: f"/inspections/new/?premises={side.premises.code}", seen="inspector")
    ],
    "inspections/premises/<str:code>/": [
        Call(OBJECT, "GET", lambda side: f"/inspections/premises/{side.premises.code}/", seen="inspected place")
    ],
    "inspections/<uuid:inspection_id>/": [
        Call(OBJECT, "GET", lambda side: f"/inspections/{side.inspection.pk}/", seen="inspected place")
    ],
    "": get("/"),
    "verify/": get("/verify/?code=ABCDEFGHJKLM", PUBLIC),
    "verify/<str:code>/": get("/verify/ABCDEFGHJKLM/", PUBLIC),
    "login/": [*get("/login/", PUBLIC), *post("/login/", {"username": "x", "password": "y"}, PUBLIC)],
    "logout/": post("/logout/", kind=PUBLIC),
    "language/": post("/language/", {"language": "en"}, PUBLIC),
    "theme/": post("/theme/", {"theme": "dark"}, PUBLIC),
    "account/": [*get("/account/"), *post("/account/", {"label": ""})],
    "account/password/": [*get("/account/password/"), *post("/account/password/", {"old_password": "x"})],
    "account/tokens/<int:pk>/revoke/": [
        Call(OWN, "POST", lambda side: f"/account/tokens/{side.token.pk}/revoke/", {}, "application/x-www-form-urlencoded")
    ],
    "notices/": get("/notices/"),
    "notices/unread/": get("/notices/unread/"),
    "notices/read-all/": post("/notices/read-all/"),
    "notices/channels/": [*get("/notices/channels/"), *post("/notices/channels/", {"kind": "webhook"})],
    "notices/channels/retry/": post("/notices/channels/retry/"),
    "notices/channels/<int:pk>/switch/": [
        Call(OWN, "POST", lambda side: f"/notices/channels/{side.channel.pk}/switch/", {}, "application/x-www-form-urlencoded")
    ],
    "notices/channels/<int:pk>/remove/": [
        Call(OWN, "POST", lambda side: f"/notices/channels/{side.channel.pk}/remove/", {}, "application/x-www-form-urlencoded")
    ],
    "notices/devices/": post("/notices/devices/"),
    "push-worker.js": get("/push-worker.js", PUBLIC),
    "notices/<int:pk>/sign/": [
        Call(OWN, "POST", lambda side: f"/notices/{side.notice.pk}/sign/", {}, "application/x-www-form-urlencoded")
    ],
    "notices/<int:pk>/open/": [
        Call(OWN, "POST", lambda side: f"/notices/{side.notice.pk}/open/", {}, "application/x-www-form-urlencoded")
    ],
    "evidence/<int:attachment_id>/<str:size>.jpg": [
        case("/evidence/{photo}/thumb.jpg"), case("/evidence/{photo}/view.jpg"),
    ],
    "evidence/look-closer/": area("/evidence/look-closer/", "original"),
    "evidence/<int:attachment_id>/original": [case("/evidence/{photo}/original", seen="original")],
    "wall/": area("/wall/", "watch"),
    "trends/": area("/trends/", "weigh"),
    "leader/": area("/leader/", "leader"),
    "centre/": area("/centre/", "console"),
    "centre/hazard/<uuid:subject_id>/": [case("/centre/hazard/{id}/", seen="console")],
    "centre/supervision/<uuid:subject_id>/": [case("/centre/supervision/{notice}/", seen="console")],
    "chain/<slug:kind>/<uuid:subject_id>/": [
        case("/chain/hazard/{id}/", seen="desk"), case("/chain/supervision/{notice}/", seen="notice"),
        case("/chain/listing/{listing}/", seen="notice"), alarm("/chain/alarm/{id}/", seen="alarm data"),
    ],
    f"{API[1:]}alarms/": [*area(f"{API}alarms/"), *get(f"{API}alarms/?search=BJ-&figure=alarms.open_iii")],
    f"{API[1:]}alarms/count/": area(f"{API}alarms/count/"),
    ALARM: [alarm(f"{API}alarms/{{id}}/", seen="alarm data")],
    f"{ALARM}history/": [alarm(f"{API}alarms/{{id}}/history/", seen="alarm data")],
    f"{ALARM}history/count/": [alarm(f"{API}alarms/{{id}}/history/count/", seen="alarm data")],
    f"{ALARM}steps/": [alarm(f"{API}alarms/{{id}}/steps/", seen="alarm data")],
    f"{ALARM}(?P<verb>{'|'.join(ALARM_VERBS)})/": [
        alarm(f"{API}alarms/{{id}}/{verb}/", "POST", seen="alarm data", body={"id": str(uuid.uuid4()), "version": 99}) for verb in ALARM_VERBS
    ],
    f"{API[1:]}shelvings/": get(f"{API}shelvings/"),
    f"{API[1:]}shelvings/count/": get(f"{API}shelvings/count/"),
    rf"{API[1:]}shelvings/(?P<pk>\d{{1,9}})/end/": [alarm(f"{API}shelvings/{{id}}/end/", "POST", "shelving", body={})],
    f"{API[1:]}maintenance/": [
        *area(f"{API}maintenance/", "alarms"), Call(SIGNED, "POST", _fixed(f"{API}maintenance/"), {}),
    ],
    f"{API[1:]}maintenance/count/": area(f"{API}maintenance/count/", "alarms"),
    rf"{API[1:]}maintenance/(?P<pk>\d{{1,9}})/end/": [
        Call(OBJECT, "POST", lambda side: f"{API}maintenance/{side.works.pk}/end/", {}, seen="alarms")
    ],
    "monitoring/alarms/": [
        *area("/monitoring/alarms/?view=all", "alarms"), *get("/monitoring/alarms/"),
        *get("/monitoring/alarms/?search=BJ-"),
    ],
    "monitoring/alarms/export.<sheet:kind>": area("/monitoring/alarms/export.csv", "alarms"),
    "monitoring/alarms/quality/": area("/monitoring/alarms/quality/", "alarms"),
    "monitoring/alarms/<uuid:alarm_id>/": [alarm("/monitoring/alarms/{id}/")],
    "field/": get("/field/"),
    "field/ping/": get("/field/ping/"),
    "field/report/": get("/field/report/"),
    "field/queue/": get("/field/queue/"),
    "field/cases/": [
        Call(SIGNED, "GET", _fixed(f"/field/cases/?list={name}")) for name in ("mine", "verify", "handle", "area")
    ],
    "field/cases/<uuid:hazard_id>/": [case("/field/cases/{id}/", seen="phone")],
    "field/cases/<uuid:hazard_id>/<slug:action>/": [
        case(f"/field/cases/{{id}}/{verb}/", seen="phone") for verb in LIFECYCLE.actions
    ],
    "api/v1/rezonings/": [
        *area(f"{API}rezonings/", "rezoning"), Call(SIGNED, "POST", _fixed(f"{API}rezonings/"), {}),
    ],
    "api/v1/rezonings/count/": area(f"{API}rezonings/count/", "rezoning"),
    f"api/v1/rezonings/{ROW}": [rezoned(f"{API}rezonings/{{id}}/")],
    **{
        f"api/v1/rezonings/{ROW}{part}/": [rezoned(f"{API}rezonings/{{id}}/{part}/")]
        for part in ("history", "history/count", "preview", "steps")
    },
    f"api/v1/rezonings/{ROW}(?P<verb>{'|'.join(REZONING_VERBS)})/": [
        rezoned(f"{API}rezonings/{{id}}/{verb}/", "POST") for verb in REZONING_VERBS
    ],
    "grid/rezoning/": area("/grid/rezoning/", "rezoning"),
    "grid/rezoning/new/": [*get("/grid/rezoning/new/"), *post("/grid/rezoning/new/", {"operation": "split"})],
    "grid/rezoning/<uuid:pk>/": [rezoned("/grid/rezoning/{id}/")],
    "grid/rezoning/<uuid:pk>/draw/": [rezoned("/grid/rezoning/{id}/draw/", seen="rezoning drafter")],
    "grid/rezoning/<uuid:pk>/<slug:verb>/": [
        rezoned("/grid/rezoning/{id}/approve/", "POST", kind="application/x-www-form-urlencoded")
    ],
    "grid/": area("/grid/", "people"),
    "grid/workers/": area("/grid/workers/", "people"),
    "grid/premises/": area("/grid/premises/", "people"),
    "grid/cells/<str:code>/": [Call(OBJECT, "GET", lambda side: f"/grid/cells/{side.cell.code}/", seen="people")],
    "grid/premises/<str:code>/": [
        Call(OBJECT, "GET", lambda side: f"/grid/premises/{side.premises.code}/", seen="people")
    ],
    "tiles/<int:version>/cells/<int:z>/<int:x>/<int:y>.mvt": get("/tiles/1/cells/0/0/0.mvt"),
    "tiles/<int:version>/base/<slug:layer>.geojson": get("/tiles/1/base/counties.geojson"),
    "hazards/": [*area("/hazards/", "people"), *get("/hazards/?search=WORDS")],
    "hazards/evaluation/": area("/hazards/evaluation/", "evaluation"),
    "hazards/evaluation/export.<sheet:kind>": [
        *area("/hazards/evaluation/export.csv", "evaluation"), *area("/hazards/evaluation/export.xlsx", "evaluation"),
    ],
    "hazards/evaluation/doubts/": area("/hazards/evaluation/doubts/", "original"),
    "hazards/evaluation/doubts/<int:pk>/set-aside/": post("/hazards/evaluation/doubts/1/set-aside/", {"reason": "x"}),
    "api/v1/evaluation/": area(f"{API}evaluation/", "evaluation"),
    "api/v1/evaluation/doubts/": area(f"{API}evaluation/doubts/", "original"),
    "api/v1/evaluation/doubts/count/": area(f"{API}evaluation/doubts/count/", "original"),
    r"api/v1/evaluation/doubts/(?P<pk>\d{1,18})/set-aside/": [
        Call(SIGNED, "POST", _fixed(f"{API}evaluation/doubts/1/set-aside/"), {"reason": "x"})
    ],
    "hazards/bulk/": [*post("/hazards/bulk/?open=true", {"action": "accept", "all": "1"}), *post("/hazards/bulk/")],
    "hazards/bulk/<uuid:run_id>/": [
        Call(OWN, "GET", _fixed(f"/hazards/bulk/{uuid.uuid4()}/")),
        Call(OWN, "POST", _fixed(f"/hazards/bulk/{uuid.uuid4()}/"), {}, "application/x-www-form-urlencoded"),
    ],
    "hazards/export.<sheet:kind>": [
        *area("/hazards/export.csv", "people"), *area("/hazards/export.xlsx", "people"),
        *get("/hazards/export.csv?search=WORDS&columns=description&columns=number"),
    ],
    "views/": post("/views/", {"page": "hazards", "name": "x", "query": "open=true"}),
    "views/columns/": post("/views/columns/", {"page": "hazards", "columns": "number"}),
    "views/<int:pk>/": [
        Call(OWN, "GET", lambda side: f"/views/{side.view.pk}/"),
        Call(OWN, "POST", lambda side: f"/views/{side.view.pk}/", {"name": "x"}, "application/x-www-form-urlencoded"),
    ],
    "views/<int:pk>/delete/": [
        Call(OWN, "POST", lambda side: f"/views/{side.view.pk}/delete/", {}, "application/x-www-form-urlencoded")
    ],
    "hazards/<uuid:hazard_id>/": [case("/hazards/{id}/", seen="desk")],
    rf"{OPEN311}discovery{FORM}": get("/open311/v2/discovery.xml", PUBLIC),
    rf"{OPEN311}services{FORM}": get("/open311/v2/services.json", PUBLIC),
    rf"{OPEN311}services/(?P<code>[^/]+){FORM}": get("/open311/v2/services/XF-001.xml", PUBLIC),
    rf"{OPEN311}requests{FORM}": [
        *get("/open311/v2/requests.xml?extensions=true", PUBLIC), *get("/open311/v2/requests.json", PUBLIC),
        *post("/open311/v2/requests.json", {"service_code": "XF-001"}, PUBLIC),
    ],
    rf"{OPEN311}requests/(?P<number>[^/]+){FORM}": [
        Call(PUBLIC, "GET", lambda side: f"/open311/v2/requests/{side.hazard.number}.json?extensions=true"),
        Call(PUBLIC, "GET", lambda side: f"/open311/v2/requests/{side.hazard.pk}.xml"),
    ],
    rf"{OPEN311}tokens/(?P<token>[^/]+){FORM}": [
        Call(PUBLIC, "GET", lambda side: f"/open311/v2/tokens/{side.hazard.pk}.json")
    ],
    rf"{OPEN311}(?P<rest>.*?)(?:\.(?P<format>xml|json))?": get("/open311/v2/nothing.json", PUBLIC),
    "admin/accounts/why/": [
        Call(
            SIGNED, "GET",
            lambda side: f"/admin/accounts/why/?user={side.owner.username}&kind=hazard&record={side.hazard.number}",
        )
    ],
}  # fmt: skip

NUMBERS_ARE_PUBLIC = (OPEN311, "public/")  # of hazards, by which the public asks how they stand
CELLS_ARE_NAMED = ("api/v1/cells/locate/", "tiles/")  # outlines, codes and names of cells are public inside the city


def site_routes() -> list[str]:
    """Return the address of every route outside the admin's own."""
    own = [address for address, _one in patterns() if not address.startswith(ADMIN)]
    return [*own, "admin/accounts/why/"]


def admin_calls() -> Iterator[tuple[str, str, str]]:
    """Yield (permission, method, path) for every page of every app and model in the admin."""
    for app in sorted({model._meta.app_label for model in admin.site._registry}):
        yield app, "GET", f"/admin/{app}/"
    for model in admin.site._registry:
        app, name = model._meta.app_label, model._meta.model_name
        base = f"/admin/{app}/{name}/"
        row = model._default_manager.values_list("pk", flat=True).first()
        pk = row if row is not None else 1
        for verb, path in (
            ("view", base), ("add", f"{base}add/"), ("view", f"{base}{pk}/change/"), ("view", f"{base}{pk}/history/"),
            ("delete", f"{base}{pk}/delete/"),
        ):  # fmt: skip
            yield f"{app}.{verb}_{name}", "GET", path
        for verb, path in (
            ("add", f"{base}add/"),
            ("change", f"{base}{pk}/change/"),
            ("delete", f"{base}{pk}/delete/"),
        ):
            yield f"{app}.{verb}_{name}", "POST", path


ADMIN_ALONE = (  # routes of the admin that belong to no model
    "admin/", "admin/login/", "admin/logout/", "admin/password_change/", "admin/password_change/done/",
    "admin/autocomplete/", "admin/jsi18n/", "admin/r/<path:content_type_id>/<path:object_id>/", "admin/(?P<url>.*)",
)  # fmt: skip


def unknown_admin_routes() -> set[str]:
    """Return the admin's routes that neither a model's usual pages nor the list above explain."""
    usual = ("", "add/", "<path:object_id>/history/", "<path:object_id>/delete/", "<path:object_id>/change/",
             "<path:object_id>/")  # fmt: skip
    known = {f"admin/{m._meta.app_label}/{m._meta.model_name}/{page}" for m in admin.site._registry for page in usual}
    known |= {*ADMIN_ALONE, "admin/accounts/why/", "admin/accounts/user/<id>/password/"}
    found = {address for address, _one in patterns() if address.startswith(ADMIN)} - known
    return {address for address in found if not address.startswith("admin/(?P<app_label>")}  # one page an app
