"""Pages without an account: report, follow, answer that it is solved or not, the list of public cases."""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from rest_framework.exceptions import NotFound, ValidationError

from citysafety.evidence.pages import rendition
from citysafety.evidence.services import NotAPicture, TooLarge
from grid.models import Matter
from grid.selectors import active_version

from ..desk import SIGNS, reason_words
from ..open311 import present
from . import access, codes, selectors, services
from .access import public_page
from .forms import ContestForm, FollowForm, PlaceForm, RateForm, ReportForm, VoiceForm, by_class, fresh_id
from .maps import frame
from .models import PublicReport

# What GeoReport calls a field, and what it is called here.
CALLED = {"description": "description", "address_string": "address", f"attribute[{present.CRITERION}]": "criterion"}


def _matters() -> list[Matter]:
    return sorted(selectors.offered(), key=lambda matter: (matter.matter_class.code, matter.code))


# -- report --------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@public_page
def report(request: HttpRequest) -> HttpResponse:
    """GET /public/report/: first what and where, then, with both in the address, the rest. POST: file it, once.

    Queries: 2 for the first page, 3 for the second; filing those of GeoReport and 5, and those of the photos.
    """
    form = PlaceForm(request.GET or None, _matters())
    if not form.is_valid():
        status = 400 if request.method == "POST" else 200
        context = {"form": form, "map_version": active_version(), "frame": frame()}
        return render(request, "hazards/public/start.html", context, status=status)
    place = form.cleaned_data
    matter = form.matters[place["matter"]]
    given: dict[str, Any] = {"asks_criterion": bool(present.attributes_of(matter))}
    if request.method != "POST":
        return _second(request, ReportForm(matter, initial={"secret": fresh_id()}, **given), matter, place)
    sent = ReportForm(matter, request.POST, request.FILES, **given)
    if wait := access.wait_of(request, "filings", access.FILINGS):
        words = _("Too many reports came from this address. Send it again in %(n)s minutes; it is kept below.")
        sent.add_error(None, words % {"n": -(-wait // 60)})
        answer = _second(request, sent, matter, place, status=429)
        answer["Retry-After"] = str(wait)
        return answer
    if sent.is_valid() and (code := _file(sent, matter, place)):
        return redirect(f"{reverse('public-case', args=[codes.spelled(code)])}?new=1")
    return _second(request, sent, matter, place, status=400)


def _file(sent: ReportForm, matter: Matter, place: Mapping[str, Any]) -> str:
    """File what a form says; return its code, or nothing and the errors in the form."""
    said = sent.cleaned_data
    fields = {
        "service_code": matter.code, "lat": str(place["lat"]), "long": str(place["lon"]),
        "description": said["description"], "address_string": said["address"],
        **({f"attribute[{present.CRITERION}]": said["criterion"]} if said.get("criterion") else {}),
    }  # fmt: skip
    given = services.Given(
        secret=said["secret"], fields=fields, pictures=said["photos"], name=said["name"].strip(), phone=said["phone"].strip()
    )  # fmt: skip
    try:
        return services.report(given=given, at=timezone.now())[0]
    except ValidationError as error:
        detail = error.detail if isinstance(error.detail, dict) else {"": error.detail}
        for name, words in detail.items():
            known = CALLED.get(name) if CALLED.get(name) in sent.fields else None
            if name == "id":
                words = [_("This was sent already, and changed since. To report something else, begin anew.")]
            sent.add_error(known, [str(one) for one in words])
    except NotFound as error:  # the matter was taken off the catalogue a moment ago
        sent.add_error(None, str(error.detail))
    except (NotAPicture, TooLarge) as error:
        sent.add_error("photos", str(error))
    return ""


def _second(
    request: HttpRequest, form: ReportForm, matter: Matter, place: Mapping[str, Any], *, status: int = 200
) -> HttpResponse:
    lon, lat = place["lon"], place["lat"]
    near = selectors.near(matter, lon, lat, at=timezone.now())
    context = {
        "form": form,
        "matter": matter,
        "place": place,
        "place_words": selectors.place_words(lon, lat),
        "near": [
            (one, VoiceForm(initial={"id": fresh_id(), "number": one.number}, auto_id=False) if one.takes_voices else None)
            for one in near
        ],
        "query": request.GET.urlencode(),
        "chose_photos": bool(request.FILES),
    }  # fmt: skip
    return render(request, "hazards/public/report.html", context, status=status)


@require_http_methods(["POST"])
@public_page
def same(request: HttpRequest) -> HttpResponse:
    """POST /public/report/same/: it is a case that is known already; one voice a day from an address. Queries: those of a remark."""
    form, number, refusal = VoiceForm(request.POST), "", ""
    if form.is_valid():
        number = form.cleaned_data["number"].strip().upper()
        address = f"{request.META.get('REMOTE_ADDR', '')}:{number}"
        try:
            if wait := access.wait_of(request, "filings", access.FILINGS):
                return access.too_often(request, wait)
            if not access.wait_of(
                request, "voices", access.VOICES, address
            ):  # a second one of the day is kept with the first
                services.say_the_same(number=number, claimed=form.cleaned_data["id"], at=timezone.now())
        except services.Refused as error:
            refusal = str(error)
    else:
        refusal = _("The form could not be read. Go back and try again.")
    context = {"number": number, "refusal": refusal}
    return render(request, "hazards/public/same.html", context, status=400 if refusal else 200)


# -- follow --------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@public_page
def follow(request: HttpRequest) -> HttpResponse:
    """GET, POST /public/follow/: number and code lead to the case. Both must fit; which does not is not said. Queries: 0 or 1."""
    form, status = FollowForm(request.POST or None), 200
    if request.method == "POST" and form.is_valid():
        if wait := access.wait_of(request, "guesses", access.GUESSES):
            return access.too_often(request, wait)
        found = selectors.report_of(form.cleaned_data["code"])
        if found is not None and found.hazard.number == form.cleaned_data["number"].strip().upper():
            return redirect("public-case", codes.spelled(codes.typed(form.cleaned_data["code"])))
        form.add_error(None, _("There is no report with this number and this code. Look at both again."))
    if form.is_bound and form.errors:
        status = 400
    return render(request, "hazards/public/follow.html", {"form": form}, status=status)


def _found(request: HttpRequest, code: str) -> PublicReport:
    """Return the report of a code. Codes that are none count as guesses. :raises Http404: there is none."""
    found = selectors.report_of(code)
    if found is None:
        access.wait_of(request, "guesses", access.GUESSES)
        raise Http404
    return found


@require_safe
@public_page
def case(request: HttpRequest, code: str) -> HttpResponse:
    """GET /public/cases/<code>/: how a report stands, for who has its code. Queries: 3, 4 for a closed one, 1 with photos."""
    return _case(request, _found(request, code), code)


def _case(
    request: HttpRequest, found: PublicReport, code: str, *, status: int = 200, **forms_sent: forms.Form
) -> HttpResponse:
    seen = selectors.followed(found, at=timezone.now())
    context = {
        "seen": seen,
        "code": codes.spelled(codes.typed(code)),
        "address": request.build_absolute_uri(reverse("public-case", args=[codes.spelled(codes.typed(code))])),
        "is_new": bool(request.GET.get("new")),
        "no_time": reason_words(seen.due.reason) if seen.due.at is None and seen.due.reason else "",
        "contest": forms_sent.get("contest") or ContestForm(initial={"id": fresh_id()}),
        "rating": forms_sent.get("rating") or RateForm(),
        "days": selectors.rule().contest_days if seen.closing else 0,
        "chose_photos": bool(request.FILES),
        "place": selectors.rounded(seen.case.location),
        "rounded_m": selectors.METRES_ROUNDED,
        "map_version": active_version(),
    }
    return render(request, "hazards/public/case.html", context, status=status)


@require_safe
@public_page
def photo(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """GET /public/cases/<code>/photos/<n>.jpg: the n-th photo of the handling, small and without metadata, while it may be shown.

    Queries: 3, 1 where none is shown.
    """
    found = _found(request, code)
    shown = selectors.shown_photos(found.hazard.merged_into or found.hazard)
    if not 1 <= number <= len(shown):
        raise Http404
    return rendition(shown[number - 1], "thumb", f"{number}.jpg")


def _answering(act: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Open a door for who has a code, so often an hour with one code."""

    @require_http_methods(["POST"])
    @public_page
    def door(request: HttpRequest, code: str) -> HttpResponse:
        found = _found(request, code)
        if wait := access.wait_of(request, "answers", access.ANSWERS, found.digest):
            return access.too_often(request, wait)
        return act(request, found, code)

    return door


@_answering
def contest(request: HttpRequest, found: PublicReport, code: str) -> HttpResponse:
    """POST /public/cases/<code>/not-solved/: say that it is not solved. Queries: those of the step and its photos."""
    form = ContestForm(request.POST, request.FILES)
    if form.is_valid():
        said = form.cleaned_data
        try:
            services.contest(
                report=found, claimed=said["id"], words=said["words"], pictures=said["photos"], at=timezone.now()
            )
            return redirect("public-case", code)
        except services.Refused as error:
            form.add_error(None, str(error))
        except (NotAPicture, TooLarge) as error:
            form.add_error("photos", str(error))
    return _case(request, _found(request, code), code, status=400, contest=form)


@_answering
def rate(request: HttpRequest, found: PublicReport, code: str) -> HttpResponse:
    """POST /public/cases/<code>/solved/: say thank you, and how satisfied one is. Queries: 4."""
    form = RateForm(request.POST)
    if form.is_valid():
        try:
            services.rate(report=found, satisfaction=form.cleaned_data["satisfaction"], at=timezone.now())
            return redirect("public-case", code)
        except services.Refused as error:
            form.add_error(None, str(error))
    return _case(request, found, code, status=400, rating=form)


# -- the list ------------------------------------------------------------------------------------


class AskedForm(forms.Form):
    """What the list is asked for."""

    status = forms.ChoiceField(choices=[("", ""), ("open", ""), ("closed", "")], required=False)
    matter = forms.CharField(max_length=40, required=False)
    number = forms.CharField(max_length=24, required=False)
    before = forms.CharField(max_length=60, required=False)


@require_safe
@public_page
def cases(request: HttpRequest) -> HttpResponse:
    """GET /public/cases/: the cases of the public's matters, the newest first, and nothing personal. Queries: 6, 7 with merged ones."""
    form = AskedForm(request.GET)
    if not form.is_valid():
        raise Http404
    asked = form.cleaned_data
    try:
        before = selectors.marked(asked["before"]) if asked["before"] else None
    except ValueError as error:
        raise Http404 from error
    page, older = selectors.cases_page(
        is_open={"open": True, "closed": False}.get(asked["status"]),
        matter=asked["matter"],
        number=asked["number"].strip().upper(),
        before=before,
    )
    kept = request.GET.copy()
    kept.pop("before", None)
    answers = present.request_answers(page, request.build_absolute_uri)
    context = {
        "rows": [
            (line, one, selectors.PLAIN.get(line.state), SIGNS[line.state][0])
            for line, one in zip(page.lines, answers, strict=True)
        ],
        "map_version": active_version(),
        "asked": asked,
        "groups": by_class(_matters()),
        "older": f"?{kept.urlencode()}&before={older}" if older else "",
        "is_filtered": any(asked[name] for name in ("status", "matter", "number")),
        "statuses": (("", _("All")), ("open", _("Open")), ("closed", _("Closed"))),
    }
    return render(request, "hazards/public/cases.html", context)
