"""The pages of duty: who is there now, the week, one post, and the forms by which rosters and handovers are made."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import wraps
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from citysafety.accounts.models import User
from citysafety.accounts.rights import area_q
from citysafety.api import area_asked
from citysafety.filtering import not_understood
from citysafety.outbox import receipts
from citysafety.workdays import CITY_TIME

from . import handovers, rosters, shifts, week
from .asking import pattern_of
from .forms import (
    CopyForm,
    HandoverForm,
    LeaveForm,
    PatternForm,
    PostForm,
    ReceiptForm,
    ShiftForm,
    SwapForm,
)
from .models import ROSTERED, Handover, Leave, Post, Shift, Swap
from .presence import midnight
from .rosterwords import VIEWERS, conflict_words
from .services import calendar
from .shifts import NotAllowed, Over, Refused, ShiftInput

MOST_POSTS = 60
MOST_HANDOVERS = 20
MOST_PEOPLE = 60
AHEAD = timedelta(days=28)  # how far a swap looks for the other's shift
DAY = timedelta(days=1)


def duty_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Open a page to those who stand in rosters, and to the auditor; others are refused alike, whatever they ask for."""

    @wraps(view)
    def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.role not in VIEWERS:
            raise PermissionDenied
        try:
            return view(request, *args, **kwargs)
        except NotAllowed as refusal:
            raise PermissionDenied from refusal

    return never_cache(login_required(door))


def acted(request: HttpRequest, form: forms.BaseForm, act: Callable[[dict[str, Any]], Any]) -> bool:
    """Act on a valid form once; tell whether it is done. What is refused stands at its field, and the words stay."""
    if not form.is_valid():
        return False
    data = dict(form.cleaned_data)
    body = {"to": request.path, "body": {name: request.POST.getlist(name) for name in form.fields}}
    try:
        receipts.answer_once(id=data["id"], account_id=request.user.pk, body=body, act=lambda: (200, act(data) and {}))
    except receipts.RepeatDiffers:
        form.add_error(None, _("This form was sent before with other words; open the page anew."))
    except Refused as refusal:
        for name, words in refusal.errors.items():
            form.add_error(name if name in form.fields else None, words)
    except Over:
        form.add_error(None, _("It has ended, was called off or was settled; nothing was changed."))
    return not form.errors


@duty_page
def duty(request: HttpRequest) -> HttpResponse:
    """GET /duty/: who is on duty now, what awaits me, and the week by posts.

    Queries: 12 with what every page asks, however many posts and shifts; the calendar's own beside.
    """
    area, at = area_asked(request), timezone.now()
    start, refused = _week_asked(request)
    around = list(rosters.posts_around(request.user, area)[: MOST_POSTS + 1])
    posts, more = around[:MOST_POSTS], len(around) > MOST_POSTS
    own = [post for post in posts if post.area_code.startswith(area)]
    look = rosters.roster(own, start, start + 7 * DAY)
    heads = week.days_of(start, calendar(), timezone.localdate(at))
    waiting = handovers.unsigned_of(own)[:MOST_HANDOVERS]
    context = {
        "as_of": at,
        "area": area,
        "refusals": refused,
        "now_rows": week.now_rows(rosters.roster(posts, at, at + rosters.MOMENT), at, area),
        "more": more,
        "heads": heads,
        "week_rows": week.week_rows(look, heads),
        "gap_count": sum(len(gaps) for gaps in look.gaps.values()),
        "monday": heads[0].day,
        "sunday": heads[-1].day,
        "earlier": heads[0].day - 7 * DAY,
        "later": heads[0].day + 7 * DAY,
        "is_this_week": any(head.is_today for head in heads),
        "own_shifts": rosters.own_shifts(request.user, at),
        "to_write": list(handovers.posts_to_hand_over(request.user, at)),
        "to_sign": list(handovers.to_sign(request.user, at)),
        "unsigned": [(one, handovers.is_late(one, at)) for one in waiting],
        "swaps": list(_swaps_of(request.user)),
        "plans": request.user.role in shifts.PLANNERS,
        "stands": request.user.role in ROSTERED,
    }
    return render(request, "calendars/duty.html", context)


def _week_asked(request: HttpRequest) -> tuple[Any, list[str]]:
    """Return the Monday of ``?week=`` and what was not understood of it; this week's without one."""
    text, today = request.GET.get("week", ""), timezone.localdate()
    try:
        day = date.fromisoformat(text) if text else today
        if not 2000 < day.year < 2100:
            raise ValueError(text)
    except ValueError:
        return rosters.week_of(today)[0], [not_understood(_("Week"), [text[:40]], _("a day as YYYY-MM-DD"))]
    return rosters.week_of(day)[0], []


def _swaps_of(user: User) -> Any:
    """Return the swaps that await an answer of a person or of the other. Queries: 1."""
    mine = Q(first_person=user) | Q(second_person=user) | Q(proposed_by=user)
    rows = Swap.objects.filter(mine, state=Swap.State.PROPOSED)
    return rows.select_related("first__post", "second__post", "first_person", "second_person", "proposed_by")


@duty_page
def post(request: HttpRequest, pk: int) -> HttpResponse:
    """GET /duty/posts/<id>/: one post, its week, its handovers. Queries: 8 with what every page asks."""
    found, at = _post(request, pk), timezone.now()
    start, refused = _week_asked(request)
    look = rosters.roster([found], start, start + 7 * DAY)
    heads = week.days_of(start, calendar(), timezone.localdate(at))
    context = {
        "post": found,
        "as_of": at,
        "refusals": refused,
        "cells": week.week_rows(look, heads)[0][1],
        "monday": heads[0].day,
        "sunday": heads[-1].day,
        "earlier": heads[0].day - 7 * DAY,
        "later": heads[0].day + 7 * DAY,
        "is_this_week": any(head.is_today for head in heads),
        "handovers": [_told(one, at) for one in handovers.history_of(found)[:MOST_HANDOVERS]],
        "plans": shifts.may_plan(request.user, found),
        "may_write": handovers.may_give(request.user, found, at),
    }
    return render(request, "calendars/post.html", context)


def _told(handover: Handover, at: Any) -> dict[str, Any]:
    return {
        "row": handover,
        "receipt": getattr(handover, "receipt", None),
        "late": handovers.is_late(handover, at),
        "matters": handovers.linked(handover.matters),
        "cases": handovers.linked(handover.cases),
    }


def _post(request: HttpRequest, pk: int) -> Post:
    return get_object_or_404(Post.objects.visible_to(request.user).select_related("department"), pk=pk)


def _planned(request: HttpRequest, pk: int) -> Post:
    """Return a post whose roster the reader plans. Unseen: 404. :raises NotAllowed: seen, but another's to plan."""
    found = _post(request, pk)
    shifts.permitted(request.user, found)
    return found


@duty_page
def edit_post(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """GET, POST /duty/posts/new/ and …/<id>/edit/: what a post is. For planners of its area."""
    if request.user.role not in shifts.PLANNERS:
        raise PermissionDenied
    found = _planned(request, pk) if pk else Post(area_code=request.user.area_code)
    form = PostForm(request.user, request.POST or None, instance=found)
    if request.method == "POST" and form.is_valid():
        saved = form.save()
        messages.success(request, _("The post is saved."))
        return redirect("duty-post", saved.pk)
    title = found.name if pk else _("New post")
    return _form(request, form, title=title, button=_("Save"), back=found if pk else None)


@duty_page
def new_shift(request: HttpRequest, pk: int) -> HttpResponse:
    """GET, POST /duty/posts/<id>/shift/: put a person on a post."""
    found = _planned(request, pk)
    initial = _next_slot(found, request.GET.get("day", ""))
    form = ShiftForm(found, request.POST or None, initial=initial)

    def add(data: dict[str, Any]) -> Any:
        return shifts.add_shift(
            id=data.pop("id"), post=found, given=ShiftInput(**data), by=request.user, at=timezone.now()
        )

    if request.method == "POST" and acted(request, form, add):
        messages.success(request, _("The shift is in the roster."))
        return redirect("duty-post", found.pk)
    return _form(request, form, title=_("New shift: %(post)s") % {"post": found.name}, button=_("Enter"), back=found)


def _next_slot(found: Post, day: str) -> dict[str, Any]:
    """Return the hours that a new shift begins with: those of the post on a day, from eight to eight else."""
    try:
        on = date.fromisoformat(day)
    except ValueError:
        on = timezone.localdate() + DAY
    begins = midnight(on, CITY_TIME) + timedelta(hours=8)
    if found.begins and found.ends:
        hours = rosters.staffed_spans(found, midnight(on, CITY_TIME), midnight(on + DAY, CITY_TIME), rosters.NO_DAYS)[0]
        if hours:
            return {"begins": hours[-1][0], "ends": hours[-1][1]}
    return {"begins": begins, "ends": begins + timedelta(hours=12)}


@duty_page
def shift(request: HttpRequest, pk: UUID) -> HttpResponse:
    """GET, POST /duty/shifts/<id>/: one shift; planners change it, its person and they propose a swap."""
    found = _shift(request, pk)
    at, plans = timezone.now(), shifts.may_plan(request.user, found.post)
    is_open = found.cancelled_at is None and found.ends > at
    form = None
    if plans and is_open:
        names = ("person", "deputy", "begins", "ends", "kind", "note")
        form = ShiftForm(found.post, request.POST or None, initial={name: getattr(found, name) for name in names})
    if request.method == "POST":
        if form is None:
            raise PermissionDenied

        def change(data: dict[str, Any]) -> Any:
            data.pop("id")
            return shifts.change_shift(shift=found, given=ShiftInput(**data), by=request.user, at=at)

        if acted(request, form, change):
            messages.success(request, _("The shift is changed."))
            return redirect("duty-post", found.post_id)
        found = _shift(request, pk)
    context = {
        "shift": found,
        "form": form,
        "is_open": is_open,
        "plans": plans,
        "may_swap": is_open and (plans or request.user.pk == found.person_id),
        "away": Leave.objects.during(found.begins, found.ends).filter(person=found.person_id).exists(),
    }
    return render(request, "calendars/shift.html", context)


def _shift(request: HttpRequest, pk: UUID) -> Shift:
    seen = Shift.objects.filter(post__in=Post.objects.visible_to(request.user))
    return get_object_or_404(seen.select_related("post__department", "person", "deputy"), pk=pk)


@require_POST
@duty_page
def cancel_shift(request: HttpRequest, pk: UUID) -> HttpResponse:
    """POST /duty/shifts/<id>/cancel/: call a shift off."""
    found = _shift(request, pk)
    _said(
        request,
        lambda: shifts.cancel_shift(shift=found, by=request.user, at=timezone.now()),
        _("The shift is called off."),
    )
    return redirect("duty-post", found.post_id)


def _said(request: HttpRequest, act: Callable[[], Any], done: str) -> None:
    """Act, and say on the next page what became of it."""
    try:
        act()
    except Over:
        messages.error(request, _("It has ended, was called off or was settled; nothing was changed."))
    except Refused as refusal:
        messages.error(request, " ".join(refusal.errors.values()))
    else:
        messages.success(request, done)


@duty_page
def swap(request: HttpRequest, pk: UUID) -> HttpResponse:
    """GET, POST /duty/shifts/<id>/swap/: propose that two people change places."""
    found, at = _shift(request, pk), timezone.now()
    if request.user.pk != found.person_id:
        shifts.permitted(request.user, found.post)
    others = Shift.objects.standing().filter(
        post__in=Post.objects.active().visible_to(request.user).filter(role=found.post.role),
        ends__gt=at,
        begins__lt=at + AHEAD,
    )
    others = others.exclude(person=found.person_id).select_related("post", "person").order_by("begins", "pk")
    form = SwapForm(others, request.POST or None)

    def propose(data: dict[str, Any]) -> Any:
        return shifts.propose_swap(
            id=data["id"], first=found, second=data["second"], words=data["words"], by=request.user, at=at
        )

    if request.method == "POST" and acted(request, form, propose):
        messages.success(request, _("The swap is proposed; it is done when both have agreed."))
        return redirect("duty")
    title = _("Swap: %(person)s") % {"person": found.person.name}
    return _form(request, form, title=title, button=_("Propose"), back=found.post, shift=found)


@require_POST
@duty_page
def answer_swap(request: HttpRequest, pk: UUID, verb: str) -> HttpResponse:
    """POST /duty/swaps/<id>/agree/ or …/refuse/."""
    found = get_object_or_404(shifts.swaps_seen_by(request.user), pk=pk)
    act, words = {
        "agree": (shifts.agree_to_swap, _("You have agreed.")),
        "refuse": (shifts.refuse_swap, _("The swap is off.")),
    }[verb]
    _said(request, lambda: act(swap=found, by=request.user, at=timezone.now()), words)
    return redirect("duty")


@duty_page
def pattern(request: HttpRequest, pk: int) -> HttpResponse:
    """GET, POST /duty/posts/<id>/pattern/: lay out many shifts, look at them, then write them."""
    found = _planned(request, pk)
    people = list(rosters.candidates(found)[:MOST_PEOPLE])
    monday = rosters.week_of(timezone.localdate() + 7 * DAY)[0].date()
    is_copy = "target" in request.POST
    dates = {"first": monday, "last": monday + 6 * DAY}
    form = PatternForm(found, people, None if is_copy else request.POST or None, initial=dates)
    copy = CopyForm(request.POST if is_copy else None, initial={"target": monday}, auto_id="copy-%s")
    asked = copy if is_copy else form
    rows: list[shifts.Trial] = []
    if request.method == "POST" and asked.is_valid():
        try:
            rows = shifts.trial(found, _drafts(found, asked))
        except Refused as refusal:
            for name, words in refusal.errors.items():
                asked.add_error(name if name in asked.fields else None, words)
        if not asked.errors and request.POST.get("act") == "write":
            written = [row for row in rows if row.is_written]
            if acted(request, asked, lambda _data: shifts.write_shifts(
                post=found, drafts=[row.draft for row in rows], by=request.user, at=timezone.now()
            )):  # fmt: skip
                words = ngettext("%(n)s shift is in the roster.", "%(n)s shifts are in the roster.", len(written))
                messages.success(request, words % {"n": len(written)})
                return redirect("duty-post", found.pk)
    context = {
        "post": found,
        "form": form,
        "copy": copy,
        "asked": asked,
        "is_copy": is_copy,
        "tried": request.method == "POST" and not asked.errors,
        "rows": [(row, conflict_words(row)) for row in rows],
        "count": sum(row.is_written for row in rows),
        "people": people,
    }
    return render(request, "calendars/pattern.html", context)


def _drafts(found: Post, form: forms.BaseForm) -> list[Any]:
    """Return the shifts that a form lays out. :raises Refused: naming its field."""
    data = form.cleaned_data
    if isinstance(form, CopyForm):
        return shifts.copied(found, data["target"] - 7 * DAY, data["target"])
    return pattern_of(data["slots"], form.teams, data["first"], data["last"]).drafts(CITY_TIME)


@duty_page
def leave(request: HttpRequest) -> HttpResponse:
    """GET, POST /duty/leave/: the leave one may read, and a new one; planners enter it for people of their area."""
    at = timezone.now()
    people = User.objects.filter(pk=request.user.pk)
    if request.user.role in shifts.PLANNERS:
        roles = [role.value for role in ROSTERED]
        people = User.objects.filter(area_q(request.user), is_active=True, role__in=roles).order_by("name_zh", "pk")
    form = LeaveForm(
        request.user, people, request.POST or None, initial={"begins": midnight(timezone.localdate() + DAY, CITY_TIME)}
    )

    def enter(data: dict[str, Any]) -> Any:
        return shifts.enter_leave(**data, by=request.user, at=at)

    if request.method == "POST" and acted(request, form, enter):
        messages.success(request, _("The leave is entered; deputies step in where there are any."))
        return redirect("duty-leave")
    touched = Shift.objects.standing().filter(
        person=OuterRef("person"), begins__lt=OuterRef("ends"), ends__gt=OuterRef("begins")
    )
    rows = shifts.leaves_seen_by(request.user).filter(ends__gt=at).order_by("begins", "id")
    rows = rows.annotate(on_shift=Exists(touched), alone=Exists(touched.filter(deputy=None)))[:100]
    return render(request, "calendars/leave.html", {"form": form, "rows": rows, "as_of": at})


@require_POST
@duty_page
def cancel_leave(request: HttpRequest, pk: UUID) -> HttpResponse:
    """POST /duty/leave/<id>/cancel/: call a leave off."""
    found = get_object_or_404(shifts.leaves_seen_by(request.user), pk=pk)
    _said(
        request,
        lambda: shifts.cancel_leave(leave=found, by=request.user, at=timezone.now()),
        _("The leave is called off."),
    )
    return redirect("duty-leave")


@duty_page
def new_handover(request: HttpRequest, pk: int) -> HttpResponse:
    """GET, POST /duty/posts/<id>/handover/: write what the next shift must know, with the figures of this moment."""
    found, at = _post(request, pk), timezone.now()
    if not handovers.may_give(request.user, found, at):
        raise PermissionDenied
    form = HandoverForm(request.POST or None)

    def give(data: dict[str, Any]) -> Any:
        id = data.pop("id")
        return handovers.give_handover(id=id, post=found, given=handovers.HandoverInput(**data), by=request.user, at=at)

    if request.method == "POST" and acted(request, form, give):
        messages.success(request, _("The handover is written; the next shift signs for it."))
        return redirect("duty-post", found.pk)
    lines = handovers.lines_of(found.area_code)
    title = _("Handover: %(post)s") % {"post": found.name}
    return _form(request, form, title=title, button=_("Hand over"), back=found, lines=lines)


@duty_page
def handover(request: HttpRequest, pk: UUID) -> HttpResponse:
    """GET, POST /duty/handovers/<id>/: one handover; the incoming person signs."""
    seen = Handover.objects.filter(post__in=Post.objects.visible_to(request.user))
    found = get_object_or_404(seen.select_related("post", "given_by", "receipt__received_by"), pk=pk)
    at = timezone.now()
    is_mine = not hasattr(found, "receipt") and handovers.may_receive(request.user, found, at)
    form = ReceiptForm(request.POST or None) if is_mine else None
    if request.method == "POST":
        if form is None:
            raise PermissionDenied

        def receive(data: dict[str, Any]) -> Any:
            return handovers.receive_handover(**data, handover=found, by=request.user, at=at)

        if acted(request, form, receive):
            messages.success(request, _("You have signed for the handover."))
            return redirect("duty-handover", found.pk)
    context = {"told": _told(found, at), "figures": handovers.figures_since(found), "form": form}
    return render(request, "calendars/handover.html", context)


def _form(
    request: HttpRequest, form: forms.BaseForm, *, title: str, button: str, back: Post | None, **more: Any
) -> HttpResponse:
    """Show a form alone on its page."""
    context = {"form": form, "title": title, "button": button, "back": back, **more}
    return render(request, "calendars/form.html", context)
