"""Rosters for programs: posts, shifts, who is on duty now, gaps, swaps, leave, handovers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import Model, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from citysafety.accounts.models import Department, User
from citysafety.accounts.rights import sentence
from citysafety.accounts.roles import Role
from citysafety.api import Conflict, Unprocessable, answer_once, area_asked, known_answer, uuid_in
from citysafety.viewsets import CountTwin
from citysafety.workdays import CITY_TIME

from . import handovers, rosters, shifts
from .asking import YEARS, moment_in, nobody_named, pattern_of, person_named
from .filters import HandoverFilter, LeaveFilter, PostFilter, ShiftFilter, SwapFilter
from .models import ROSTERED, Handover, Leave, Post, Shift, Swap
from .rosterwords import (
    VIEWERS,
    duty_answer,
    gap_answer,
    handover_answer,
    leave_answer,
    post_answer,
    shift_answer,
    swap_answer,
    trial_answer,
)
from .shifts import NotAllowed, Over, Refused, ShiftInput


class RostersOpen(IsAuthenticated):
    """Rosters are open to those who stand in them, and to the auditor."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return super().has_permission(request, view) and request.user.role in VIEWERS


class Moment(serializers.DateTimeField):
    """An aware moment; without a zone by the city's clock. Out of all proportion is refused."""

    def __init__(self, **more: Any) -> None:
        super().__init__(default_timezone=CITY_TIME, **more)

    def to_internal_value(self, value: Any) -> datetime:
        found = super().to_internal_value(value)
        if found.year not in YEARS:
            self.fail("overflow")
        return found


class ShiftFields(serializers.Serializer):
    id = serializers.UUIDField()
    post = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    person = serializers.CharField(max_length=150)
    deputy = serializers.CharField(max_length=150, required=False, allow_blank=True, allow_null=True, default="")
    begins = Moment()
    ends = Moment()
    kind = serializers.ChoiceField(Shift.Kind.choices, default=Shift.Kind.PRIMARY)
    note = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class ChangeFields(ShiftFields):
    post = None


class Once(serializers.Serializer):
    id = serializers.UUIDField()


class PatternFields(serializers.Serializer):
    id = serializers.UUIDField()
    post = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    slots = serializers.CharField(max_length=120)
    teams = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField(max_length=150), min_length=1, max_length=10),
        min_length=1,
        max_length=12,
    )
    first = serializers.DateField()
    last = serializers.DateField()
    start = serializers.IntegerField(min_value=0, max_value=1000, default=0)
    dry = serializers.BooleanField(default=True)


class CopyFields(serializers.Serializer):
    id = serializers.UUIDField()
    post = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    source = serializers.DateField()
    target = serializers.DateField()
    dry = serializers.BooleanField(default=True)


class SwapFields(serializers.Serializer):
    id = serializers.UUIDField()
    first = serializers.UUIDField()
    second = serializers.UUIDField()
    words = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class LeaveFields(serializers.Serializer):
    id = serializers.UUIDField()
    person = serializers.CharField(max_length=150, required=False, allow_blank=True, default="")
    begins = Moment()
    ends = Moment()
    reason = serializers.CharField(max_length=200)


class HandoverFields(serializers.Serializer):
    id = serializers.UUIDField()
    post = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    matters = serializers.CharField(max_length=4000)
    cases = serializers.CharField(max_length=1000, required=False, allow_blank=True, default="")
    equipment_ok = serializers.BooleanField(default=True)
    equipment = serializers.CharField(max_length=400, required=False, allow_blank=True, default="")


class ReceiptFields(serializers.Serializer):
    id = serializers.UUIDField()
    words = serializers.CharField(max_length=400, required=False, allow_blank=True, default="")


class RosterViews(CountTwin, viewsets.GenericViewSet):
    """What views of rosters share: who may look, the area, how a verb is answered once and its refusals told."""

    permission_classes = (RostersOpen,)
    lookup_value_regex = "[0-9a-fA-F-]{36}"
    beside_filters: tuple[str, ...] = ("area",)
    area_field = "post__area_code"

    def seen(self) -> QuerySet:
        """Return the rows that the caller may read."""
        raise NotImplementedError

    def shown(self, row: Any) -> dict[str, Any]:
        """Return one of them as the API shows it."""
        raise NotImplementedError

    def get_object(self) -> Any:
        """Return the row of the address. Unknown, unseen or no id: 404."""
        try:
            return get_object_or_404(self.get_queryset(), pk=self.kwargs["pk"])
        except DjangoValidationError as error:
            raise Http404 from error

    def get_queryset(self) -> QuerySet:
        if getattr(self, "swagger_fake_view", False):
            return Post.objects.none()
        return self.seen()

    def filter_queryset(self, rows: QuerySet) -> QuerySet:
        rows = super().filter_queryset(rows)
        if self.request.query_params.get("area"):
            rows = rows.filter(**{f"{self.area_field}__startswith": area_asked(self.request)})
        return rows

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([self.shown(row) for row in page])

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(self.shown(self.get_object()))

    def post_asked(self, pk: int) -> Post:
        """Return a post that the caller may see. Others: 404."""
        return get_object_or_404(Post.objects.visible_to(self.request.user).select_related("department"), pk=pk)

    def once(
        self, fields: type, to: str, act: Callable[[dict[str, Any]], Any], model: type[Model] | None = None
    ) -> Response:
        """Answer a verb once: known id → the stored answer; then the fields, then the act. 201 where a row is made."""
        request = self.request
        if (claimed := uuid_in(request.data)) and (known := known_answer(claimed, request, to=to)):
            return known
        given = fields(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data

        def answered() -> tuple[int, Any]:
            if model is not None and model._default_manager.filter(pk=data["id"]).exists():
                raise Unprocessable({"id": _("This id was used for something else.")})
            with told():
                body = act(data)
            return (201 if model else 200), body

        return answer_once(data["id"], request, answered, to=to)


@contextmanager
def told() -> Iterator[None]:
    """Tell what the services refuse as the API tells it: 403, 409, or 400 naming the fields."""
    try:
        yield
    except NotAllowed as refusal:
        raise PermissionDenied(sentence(refusal.rule)) from refusal
    except Over as refusal:
        raise Conflict(_("It has ended, was called off or was settled; nothing was changed.")) from refusal
    except Refused as refusal:
        raise ValidationError(refusal.errors) from refusal


class PostViews(RosterViews):
    """Posts of the own area."""

    filterset_class = PostFilter
    lookup_value_regex = r"\d{1,9}"
    area_field = "area_code"

    def seen(self) -> QuerySet[Post]:
        return Post.objects.visible_to(self.request.user).select_related("department").order_by("pk")

    def shown(self, row: Post) -> dict[str, Any]:
        return post_answer(row)


class ShiftViews(RosterViews):
    """Shifts of the own area: read, planned one by one, by pattern, copied."""

    filterset_class = ShiftFilter
    beside_filters = ("area", "from", "to")
    ordering = ("begins", "id")

    def seen(self) -> QuerySet[Shift]:
        posts = Post.objects.visible_to(self.request.user)
        return Shift.objects.filter(post__in=posts).select_related("person", "deputy", "post").order_by("begins", "id")

    def shown(self, row: Shift) -> dict[str, Any]:
        return shift_answer(row)

    def filter_queryset(self, rows: QuerySet[Shift]) -> QuerySet[Shift]:
        """Apply the filters; ``from`` and ``to`` keep what shares some time with that period."""
        rows = super().filter_queryset(rows)
        if "cancelled" not in self.request.query_params:
            rows = rows.standing()
        start, end = moment_asked(self.request, "from"), moment_asked(self.request, "to")
        rows = rows.filter(ends__gt=start) if start else rows
        return rows.filter(begins__lt=end) if end else rows

    def given(self, data: dict[str, Any], post: Post) -> ShiftInput:
        return ShiftInput(
            person=self.person("person", data["person"], post),
            deputy=self.person("deputy", data["deputy"], post) if data["deputy"] else None,
            begins=data["begins"], ends=data["ends"], kind=data["kind"], note=data["note"],
        )  # fmt: skip

    def person(self, field: str, username: str, post: Post) -> User:
        found = person_named(username, by=self.request.user, post=post)
        if found is None:
            raise ValidationError({field: nobody_named(username)})
        return found

    def planned(self, pk: int) -> Post:
        """Return a post whose roster the caller plans. Unseen: 404, no planner: 403."""
        post = self.post_asked(pk)
        with told():
            shifts.permitted(self.request.user, post)
        return post

    @extend_schema(request=ShiftFields, responses={201: OpenApiTypes.OBJECT, 200: OpenApiTypes.OBJECT})
    def create(self, request: Request) -> Response:
        """Put a person on a post."""

        def add(data: dict[str, Any]) -> dict[str, Any]:
            post = self.planned(data["post"])
            given = self.given(data, post)
            return shift_answer(
                shifts.add_shift(id=data["id"], post=post, given=given, by=request.user, at=timezone.now())
            )

        return self.once(ShiftFields, "duty/shifts/", add, Shift)

    @extend_schema(request=ChangeFields, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"])
    def change(self, request: Request, pk: str) -> Response:
        """Change the person, deputy, times, kind or note of a shift that is not over."""
        shift = self.get_object()
        post = self.planned(shift.post_id)

        def change(data: dict[str, Any]) -> dict[str, Any]:
            given = self.given(data, post)
            return shift_answer(shifts.change_shift(shift=shift, given=given, by=request.user, at=timezone.now()))

        return self.once(ChangeFields, f"duty/shifts/{shift.pk}/change/", change)

    @extend_schema(request=Once, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Call a shift off."""
        shift = self.get_object()
        self.planned(shift.post_id)
        return self.once(
            Once,
            f"duty/shifts/{shift.pk}/cancel/",
            lambda _data: shift_answer(shifts.cancel_shift(shift=shift, by=request.user, at=timezone.now())),
        )

    @extend_schema(request=PatternFields, responses=OpenApiTypes.OBJECT)
    @action(detail=False, methods=["post"], pagination_class=None, filterset_class=None)
    def pattern(self, request: Request) -> Response:
        """Lay out shifts by a pattern; ``dry`` (the default) only says what would be written and what stands against it."""

        def lay_out(data: dict[str, Any]) -> dict[str, Any]:
            post = self.planned(data["post"])
            teams = [[self.person("teams", name, post) for name in team] for team in data["teams"]]
            pattern = pattern_of(data["slots"], teams, data["first"], data["last"], data["start"])
            return self.many(post, pattern.drafts(CITY_TIME), dry=data["dry"])

        return self.once(PatternFields, "duty/shifts/pattern/", lay_out)

    @extend_schema(request=CopyFields, responses=OpenApiTypes.OBJECT)
    @action(detail=False, methods=["post"], pagination_class=None, filterset_class=None)
    def copy(self, request: Request) -> Response:
        """Copy the week of one day to the week of another; ``dry`` as with patterns."""

        def copy(data: dict[str, Any]) -> dict[str, Any]:
            post = self.planned(data["post"])
            return self.many(post, shifts.copied(post, data["source"], data["target"]), dry=data["dry"])

        return self.once(CopyFields, "duty/shifts/copy/", copy)

    def many(self, post: Post, drafts: list[Any], *, dry: bool) -> dict[str, Any]:
        if dry:
            rows = shifts.trial(post, drafts)
        else:
            rows = shifts.write_shifts(post=post, drafts=drafts, by=self.request.user, at=timezone.now())
        return {
            "dry": dry,
            "written": 0 if dry else sum(r.is_written for r in rows),
            "rows": [trial_answer(r) for r in rows],
        }


class SwapViews(RosterViews):
    """Swaps of the own shifts, for planners of their area."""

    filterset_class = SwapFilter
    area_field = "first__post__area_code"
    ordering = ("-proposed_at", "id")

    def seen(self) -> QuerySet[Swap]:
        return shifts.swaps_seen_by(self.request.user).order_by("-proposed_at", "id")

    def shown(self, row: Swap) -> dict[str, Any]:
        return swap_answer(row)

    @extend_schema(request=SwapFields, responses={201: OpenApiTypes.OBJECT, 200: OpenApiTypes.OBJECT})
    def create(self, request: Request) -> Response:
        """Propose that two people change places."""
        seen = Shift.objects.standing().filter(post__in=Post.objects.visible_to(request.user)).select_related("post")

        def propose(data: dict[str, Any]) -> dict[str, Any]:
            first, second = (get_object_or_404(seen, pk=data[name]) for name in ("first", "second"))
            swap = shifts.propose_swap(
                id=data["id"], first=first, second=second, words=data["words"], by=request.user, at=timezone.now()
            )
            return swap_answer(swap)

        return self.once(SwapFields, "duty/swaps/", propose, Swap)

    @extend_schema(request=Once, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"])
    def agree(self, request: Request, pk: str) -> Response:
        """Agree for oneself; once both have, the people change places."""
        return self._answer("agree", shifts.agree_to_swap)

    @extend_schema(request=Once, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"])
    def refuse(self, request: Request, pk: str) -> Response:
        """Refuse, or take back one's own proposal."""
        return self._answer("refuse", shifts.refuse_swap)

    def _answer(self, verb: str, act: Callable[..., Swap]) -> Response:
        swap = self.get_object()

        def answer(_data: dict[str, Any]) -> dict[str, Any]:
            act(swap=swap, by=self.request.user, at=timezone.now())
            return swap_answer(self.get_queryset().get(pk=swap.pk))

        return self.once(Once, f"duty/swaps/{swap.pk}/{verb}/", answer)


class LeaveViews(RosterViews):
    """The own leave; for planners that of people of their area."""

    filterset_class = LeaveFilter
    area_field = "person__area_code"
    ordering = ("begins", "id")

    def seen(self) -> QuerySet[Leave]:
        return shifts.leaves_seen_by(self.request.user).order_by("begins", "id")

    def shown(self, row: Leave) -> dict[str, Any]:
        return leave_answer(row)

    @extend_schema(request=LeaveFields, responses={201: OpenApiTypes.OBJECT, 200: OpenApiTypes.OBJECT})
    def create(self, request: Request) -> Response:
        """Note that a person will not be there; without ``person`` oneself."""

        def enter(data: dict[str, Any]) -> dict[str, Any]:
            username = data["person"]
            own = username in ("", request.user.username)
            person = request.user if own else person_named(username, by=request.user)
            if person is None or not shifts.may_enter_leave(request.user, person):
                raise ValidationError({"person": nobody_named(username)})
            leave = shifts.enter_leave(
                id=data["id"], person=person, begins=data["begins"], ends=data["ends"], reason=data["reason"],
                by=request.user, at=timezone.now(),
            )  # fmt: skip
            return leave_answer(leave)

        return self.once(LeaveFields, "duty/leaves/", enter, Leave)

    @extend_schema(request=Once, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Call a leave off."""
        leave = self.get_object()
        return self.once(
            Once,
            f"duty/leaves/{leave.pk}/cancel/",
            lambda _data: leave_answer(shifts.cancel_leave(leave=leave, by=request.user, at=timezone.now())),
        )


class HandoverViews(RosterViews):
    """Handovers of posts of the own area, with their receipts."""

    filterset_class = HandoverFilter
    ordering = ("-given_at", "id")

    def seen(self) -> QuerySet[Handover]:
        rows = Handover.objects.filter(post__in=Post.objects.visible_to(self.request.user))
        return rows.select_related("post", "given_by", "receipt__received_by").order_by("-given_at", "id")

    def shown(self, row: Handover) -> dict[str, Any]:
        return handover_answer(row, timezone.now())

    @extend_schema(request=HandoverFields, responses={201: OpenApiTypes.OBJECT, 200: OpenApiTypes.OBJECT})
    def create(self, request: Request) -> Response:
        """Write what the next shift must know."""

        def give(data: dict[str, Any]) -> dict[str, Any]:
            given = handovers.HandoverInput(
                data["matters"], data["cases"], equipment_ok=data["equipment_ok"], equipment=data["equipment"]
            )
            post, at = self.post_asked(data["post"]), timezone.now()
            row = handovers.give_handover(id=data["id"], post=post, given=given, by=request.user, at=at)
            return handover_answer(row, at)

        return self.once(HandoverFields, "duty/handovers/", give, Handover)

    @extend_schema(request=ReceiptFields, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"])
    def receive(self, request: Request, pk: str) -> Response:
        """Sign for a handover."""
        handover = self.get_object()

        def receive(data: dict[str, Any]) -> dict[str, Any]:
            at = timezone.now()
            handovers.receive_handover(id=data["id"], handover=handover, words=data["words"], by=request.user, at=at)
            return handover_answer(self.seen().get(pk=handover.pk), at)

        return self.once(ReceiptFields, f"duty/handovers/{handover.pk}/receive/", receive)


class NowView(APIView):
    """Who is on duty for an area in a role, and whom to turn to where nobody is."""

    permission_classes = (RostersOpen,)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        asked = request.query_params
        role, code = asked.get("role", ""), asked.get("department", "")
        if role not in {one.value for one in ROSTERED}:
            words = {"seen": role[:40], "expected": ", ".join(one.value for one in ROSTERED)}
            raise ValidationError(
                {"role": _("“%(seen)s” is no role with rosters; expected one of %(expected)s.") % words}
            )
        office = None
        if role == Role.DEPARTMENT_HANDLER or code:
            office = Department.objects.filter(code=code).first()
            if office is None:
                words = {"seen": code[:40]}
                raise ValidationError({"department": _("“%(seen)s” is no department; expected its code.") % words})
            if request.user.role == Role.DEPARTMENT_HANDLER and office.pk != request.user.department_id:
                raise ValidationError(
                    {"department": _("“%(seen)s” is no department; expected its code.") % {"seen": code[:40]}}
                )
        duty = rosters.on_duty(
            role=role,
            area_code=area_asked(request),
            at=moment_asked(request, "at") or timezone.now(),
            department_id=office.pk if office else None,
        )
        return Response(duty_answer(duty))


class GapsView(APIView):
    """When posts of an area that must be staffed are not; a week from now without ``from`` and ``to``."""

    permission_classes = (RostersOpen,)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        start = moment_asked(request, "from") or timezone.now()
        end = moment_asked(request, "to") or start + timedelta(days=7)
        posts = Post.objects.active().visible_to(request.user).within(area_asked(request))
        try:
            look = rosters.roster(posts, start, end)
        except ValueError as error:
            raise ValidationError({"to": _("Expected an end after the begin, at most 62 days later.")}) from error
        rows = [gap_answer(post, gap) for post in look.posts for gap in look.gaps[post.pk]]
        return Response({"results": sorted(rows, key=lambda row: row["begins"])})


def moment_asked(request: Request, name: str) -> datetime | None:
    """Return a moment of the query, None where there is none. :raises ValidationError: 400 naming the field."""
    text = request.query_params.get(name, "")
    if not text:
        return None
    try:
        return moment_in(text.replace(" ", "+"))  # a plus sign that nobody has encoded
    except ValueError as error:
        words = _("“%(seen)s” was not understood; expected a moment such as 2026-11-23T08:00:00+08:00, or a day.")
        raise ValidationError({name: words % {"seen": text[:40]}}) from error
