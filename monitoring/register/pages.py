"""Pages of the register: the systems, their devices, what nobody knows, and how far each is joined."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from citysafety.accounts.doors import asks_for, desk_page, people_only
from citysafety.api import area_asked
from citysafety.filtering import in_words, refusals
from citysafety.sheets import sheet
from grid.models import Division
from grid.pages import map_assets

from ..models import Datastream, Device, DeviceKind, System, UnknownDevice
from . import charts, selectors, services
from .filters import DeviceFilter
from .forms import DeviceForm, KindForm, MoveForm, StationForm, said_of

ROWS = 50
MOST_COUNTED, MOST_EXPORTED = 100_000, 100_000
BESIDE_FILTERS = ("area", "after")
DEAD_SINCE = timedelta(days=7)
SHOWN_STEPS = 20


def _context(request: HttpRequest, tab: str, **more: Any) -> dict[str, Any]:
    return {
        "tab": tab, "now": timezone.now(), "keeps": services.may_keep(request.user),
        "reads_unknown": request.user.role in selectors.UNKNOWN_READERS, **more,
    }  # fmt: skip


@desk_page
def overview(request: HttpRequest) -> HttpResponse:
    """GET /monitoring/: the systems in their order, how far each is joined, its devices and alarms. Queries: 4 besides those of every page, 5 of a narrower area."""
    now, area = timezone.now(), area_asked(request)
    found = selectors.standings(request.user, at=now, area=area)
    rows = [(one, one.is_silent(now)) for one in found]
    sums = {"devices": sum(one.devices for one in found), "online": sum(one.online for one in found)}
    context = _context(request, "systems", rows=rows, area=area, sums=sums)
    return render(request, "monitoring/register/overview.html", context)


@desk_page
def system(request: HttpRequest, code: str) -> HttpResponse:
    """GET /monitoring/systems/<code>/: one system, its kinds of devices, and the stations it came by."""
    now, area = timezone.now(), area_asked(request)
    found = selectors.standings(request.user, at=now, area=area, code=code)
    if not found:
        raise Http404
    context = _context(
        request, "systems", one=found[0], is_silent=found[0].is_silent(now), area=area,
        kinds=selectors.kinds_of(request.user, code, at=now, area=area), steps=found[0].system.steps.select_related("actor"),
        form=StationForm(initial={"target": found[0].system.connection}), moves=services.may_move_systems(request.user),
    )  # fmt: skip
    return render(request, "monitoring/register/system.html", context)


@require_POST
@people_only
def move_system(request: HttpRequest, code: str) -> HttpResponse:
    """POST /monitoring/systems/<code>/move/: another station of its connection, with words."""
    get_object_or_404(System, pk=code)
    form = StationForm(request.POST)
    if not services.may_move_systems(request.user):
        raise PermissionDenied
    if form.is_valid():
        try:
            services.move_system(code, by=request.user, at=timezone.now(), **form.cleaned_data)
            messages.success(request, _("Written down."))
        except services.Refused as refusal:
            messages.error(request, str(refusal))
    else:
        messages.error(request, _("Say what was agreed or seen."))
    return redirect("monitoring-system", code)


@desk_page
def register(request: HttpRequest) -> HttpResponse:
    """GET /monitoring/register/: how far each system is joined, what comes from it, what could not be read. Queries: 7 besides those of every page."""
    now = timezone.now()
    found = selectors.standings(request.user, at=now)
    dead, lags, spoken = (
        selectors.dead_letters(since=now - DEAD_SINCE),
        selectors.lags(),
        selectors.protocols_of_systems(),
    )
    rows = [
        {
            "one": one, "is_silent": one.is_silent(now), "lag": lags.get(one.system.pk),
            "dead": [letter for protocol in sorted(spoken[one.system.pk]) for letter in dead.get(protocol, [])],
        }
        for one in found
    ]  # fmt: skip
    context = _context(request, "register", rows=rows, days=DEAD_SINCE.days)
    return render(request, "monitoring/register/register.html", context)


# -- devices ---------------------------------------------------------------------------------------------------------
def _asked(request: HttpRequest) -> tuple[str, DeviceFilter, QuerySet[Device], list[str]]:
    """Return the area, the filters, the devices by number, and what was not understood."""
    area = area_asked(request)
    rows = selectors.with_online(selectors.devices_seen_by(request.user, area), timezone.now()).order_by("code")
    found = DeviceFilter(request.GET, rows, request=request)
    refused = refusals(request.GET, found, BESIDE_FILTERS)
    return area, found, rows.none() if refused else found.qs, refused


@desk_page
def devices(request: HttpRequest) -> HttpResponse:
    """GET /monitoring/devices/: the devices of an area by number, filtered, with a map. Queries: 10 with what every page asks, the list alone 4."""
    area, found, rows, refused = _asked(request)
    count = rows.order_by()[: MOST_COUNTED + 1].count()
    page = list(rows.filter(code__gt=request.GET.get("after", ""))[: ROWS + 1])
    context = _context(
        request, "devices", area=area, form=found.form, refusals=refused, page=page[:ROWS], count=min(count, MOST_COUNTED),
        is_more=count > MOST_COUNTED, next=page[ROWS - 1].code if len(page) > ROWS else "",
        is_later=bool(request.GET.get("after")),
        is_filtered=any(value for key, value in request.GET.items() if key not in BESIDE_FILTERS),
    )  # fmt: skip
    if asks_for(request, "list"):
        return render(request, "monitoring/register/_devices_list.html", context)
    division = Division.objects.defer("outline").filter(code=area[:12]).first()
    context |= {
        "area_name": division.name if division else area, "systems": System.objects.all(),
        "kinds": DeviceKind.objects.select_related("system"), "states": Device.State.choices,
        "chosen_states": request.GET.getlist("state"), "map": map_assets(),
    }  # fmt: skip
    return render(request, "monitoring/register/devices.html", context)


@desk_page
def devices_sheet(request: HttpRequest, kind: str) -> HttpResponse:
    """GET /monitoring/devices/export.csv, .xlsx: the rows of the list of the same address. Queries: 3, however many rows."""
    area, found, rows, refused = _asked(request)
    if refused:
        return redirect(f"{reverse('monitoring-devices')}?{request.GET.urlencode()}")
    is_more = rows.order_by()[: MOST_EXPORTED + 1].count() > MOST_EXPORTED
    note = _("Only the first %(n)s devices of this list are in this file; narrower filters show the others.")
    header = [
        _("Number"), _("Name"), _("Monitoring system"), _("Kind"), _("State"), _("Online"), _("Last message"), _("Protocol"),
        _("Address"), _("Company"), _("Department in charge"), _("Area"), _("Longitude (WGS 84)"), _("Latitude (WGS 84)"),
    ]  # fmt: skip
    return sheet(
        request, kind, title=_("Devices"), filters=in_words(request.GET, found, (_("area"), area)), header=header,
        rows=_lines(rows[:MOST_EXPORTED]), at=timezone.now(), note=note % {"n": MOST_EXPORTED} if is_more else "",
    )  # fmt: skip


def _lines(rows: QuerySet[Device]) -> Iterator[tuple[Any, ...]]:
    yes, no = _("yes"), _("no")
    for one in rows.iterator(chunk_size=1000):
        status, place = getattr(one, "status", None), one.location
        yield (
            one.code, one.name, one.kind.system.name, one.kind.name, one.get_state_display(), yes if one.is_online else no,
            f"{timezone.localtime(status.seen_at):%Y-%m-%d %H:%M:%S}" if status else "", one.get_protocol_display(),
            one.address, one.company, one.department.name if one.department else "", one.area_code,
            f"{place.x:.6f}" if place else "", f"{place.y:.6f}" if place else "",
        )  # fmt: skip


def _found(request: HttpRequest, code: str) -> Device:
    rows = selectors.with_online(selectors.devices_seen_by(request.user), timezone.now())
    return get_object_or_404(rows.select_related("premises"), code=code)


@desk_page
def device(request: HttpRequest, code: str) -> HttpResponse:
    """GET /monitoring/devices/<code>/: how a device is, where, what it measures; foreign ones answer 404."""
    found = _found(request, code)
    streams = selectors.datastreams_of(found)
    steps = found.steps.select_related("actor")[:SHOWN_STEPS]
    context = _context(
        request, "devices", device=found, streams=streams, steps=steps, status=getattr(found, "status", None),
        place=selectors.place_of(found), keeps=services.may_keep(request.user, found.area_code),
        actions=services.open_actions(found),
    )  # fmt: skip
    return render(request, "monitoring/register/device.html", context | {"map": map_assets(context["place"])})


@people_only
def new_device(request: HttpRequest) -> HttpResponse:
    """GET, POST /monitoring/devices/new/: register a device."""
    if not services.may_keep(request.user):
        raise PermissionDenied
    form = DeviceForm(request.POST or None, initial={"area_code": request.user.area_code})
    if request.method == "POST" and form.is_valid():
        try:
            made = services.register_device(form.given(), by=request.user, at=timezone.now())
            return redirect("monitoring-device", made.code)
        except services.Refused as refusal:
            form.add_error(refusal.field or None, str(refusal))
        except services.NotAllowed:
            form.add_error("area_code", _("It lies outside your area of duty."))
    context = _context(request, "devices", form=form, title=_("Register a device"), button=_("Register the device"))
    return render(request, "monitoring/register/form.html", context, status=400 if form.errors else 200)


@people_only
def edit_device(request: HttpRequest, code: str) -> HttpResponse:
    """GET, POST /monitoring/devices/<code>/edit/: change what the register says of a device."""
    found = _found(request, code)
    if not services.may_keep(request.user, found.area_code):
        raise PermissionDenied
    form = DeviceForm(request.POST or None, initial=said_of(found))
    if request.method == "POST" and form.is_valid():
        try:
            made = services.change_device(found.pk, form.given(found.options), by=request.user, at=timezone.now())
            return redirect("monitoring-device", made.code)
        except services.Refused as refusal:
            form.add_error(refusal.field or None, str(refusal))
        except services.NotAllowed:
            form.add_error("area_code", _("It lies outside your area of duty."))
    context = _context(request, "devices", form=form, title=found.name, button=_("Save"), device=found)
    return render(request, "monitoring/register/form.html", context, status=400 if form.errors else 200)


@require_POST
@people_only
def move_device(request: HttpRequest, code: str) -> HttpResponse:
    """POST /monitoring/devices/<code>/move/: out of service, back, or retired."""
    found, form = _found(request, code), MoveForm(request.POST)
    if not services.may_keep(request.user, found.area_code):
        raise PermissionDenied
    if form.is_valid():
        try:
            services.move_device(found.pk, by=request.user, at=timezone.now(), **form.cleaned_data)
            messages.success(request, _("Written down."))
        except services.Refused as refusal:
            messages.error(request, str(refusal))
    else:
        messages.error(request, _("That was not understood."))
    return redirect("monitoring-device", found.code)


# -- addresses that nobody knows ---------------------------------------------------------------------------------------
@desk_page
def unknown(request: HttpRequest) -> HttpResponse:
    """GET /monitoring/unknown/: addresses that speak and that no device has, to be registered or put aside. Queries: 3 besides those of every page."""
    if request.user.role not in selectors.UNKNOWN_READERS:
        raise PermissionDenied
    ignored = request.GET.get("ignored") == "true"
    rows = selectors.unknown_listed(ignored=ignored)
    context = _context(
        request, "unknown", rows=rows[:ROWS], count=rows.count(), ignored=ignored, shown=ROWS,
        kinds=selectors.kinds_by_protocol(),
    )  # fmt: skip
    return render(request, "monitoring/register/unknown.html", context)


@require_POST
@people_only
def settle_unknown(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """POST /monitoring/unknown/<id>/register|ignore|heed/: make a device of an address, put it aside, or take it back."""
    if not services.may_keep(request.user):
        raise PermissionDenied
    try:
        if verb == "register":
            form = KindForm(request.POST)
            if not form.is_valid():
                messages.error(request, _("Say which kind of device it is."))
                return redirect("monitoring-unknown")
            made = services.register_unknown(pk, kind=form.cleaned_data["kind"], by=request.user, at=timezone.now())
            return redirect("monitoring-device", made.code)
        if verb not in ("ignore", "heed"):
            raise Http404
        services.ignore_unknown(pk, by=request.user, at=timezone.now(), ignored=verb == "ignore")
    except UnknownDevice.DoesNotExist as error:
        raise Http404 from error
    except services.Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("monitoring-unknown")


# -- one datastream ----------------------------------------------------------------------------------------------------
@desk_page
def datastream(request: HttpRequest, pk: int) -> HttpResponse:
    """GET /monitoring/datastreams/<id>/: what a channel measured in a day, a week or a month. Queries: 3 or 4 besides those of every page."""
    mine = Device.objects.visible_to(request.user).order_by()
    rows = Datastream.objects.select_related("device__kind__system", "quantity", "latest")
    found = get_object_or_404(rows.filter(device__in=mine.values("pk")), pk=pk)
    span = request.GET.get("span", "day")
    if span not in charts.SPANS:
        span = "day"
    now = timezone.now()
    points = charts.points_of(found, span=span, at=now)
    context = _context(
        request, "devices", stream=found, span=span, latest=getattr(found, "latest", None), points=points,
        chart=charts.drawn(points, span=span, at=now), newest=list(reversed(points[-200:])),
        spans=(("day", _("24 hours")), ("week", _("7 days")), ("month", _("30 days"))),
    )  # fmt: skip
    return render(request, "monitoring/register/datastream.html", context)
