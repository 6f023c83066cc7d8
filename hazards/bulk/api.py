"""HTTP doors of a step with many cases: /api/v1/hazards/bulk/."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from citysafety.api import Unprocessable

from ..lifecycle import FOR_MANY
from ..models import BulkRun
from ..services.given import FieldsMissing
from . import asking, judging, services
from .judging import Fields


class SeenInput(serializers.Serializer):
    """A case, and the version of it that the sender saw; without one the trial takes the present one."""

    id = serializers.UUIDField()
    version = serializers.IntegerField(min_value=1, required=False, allow_null=True, default=None)


class FieldsInput(serializers.Serializer):
    """What all cases get alike."""

    reason = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    department = serializers.CharField(
        max_length=32, required=False, allow_blank=True, default="", help_text="none: the one suggested for each case"
    )
    cause = serializers.CharField(max_length=16, required=False, allow_blank=True, default="")


class BulkInput(serializers.Serializer):
    id = serializers.UUIDField(
        help_text="of this run, made by the sender; the same id with dry_run false does what was tried"
    )
    dry_run = serializers.BooleanField()
    verb = serializers.ChoiceField(choices=FOR_MANY)
    hazards = SeenInput(many=True, required=False, allow_empty=False, max_length=services.MOST)
    filter = serializers.DictField(
        required=False,
        help_text=f"filters of the list of hazards, instead of hazards; the newest {services.MOST} that fit",
    )
    fields = FieldsInput(required=False)

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if ("hazards" in given) == ("filter" in given):
            raise serializers.ValidationError({"hazards": _("Give either hazards or a filter.")})
        return given


class ResultOutput(serializers.Serializer):
    hazard = serializers.UUIDField()
    number = serializers.CharField(help_text="empty for what the caller may not see")
    version = serializers.IntegerField(
        allow_null=True, help_text="as it was seen; a case that changed since is refused"
    )
    result = serializers.ChoiceField(choices=[judging.POSSIBLE, judging.DONE, judging.REFUSED])
    words = serializers.CharField(help_text="why it is refused: what was seen and what is expected")
    department = serializers.CharField(help_text="where it is dispatched to")


class BulkOutput(serializers.Serializer):
    id = serializers.UUIDField()
    verb = serializers.CharField()
    state = serializers.ChoiceField(choices=BulkRun.State.choices)
    possible = serializers.IntegerField(help_text="after a dry run: how many would be done; later: how many still wait")
    done = serializers.IntegerField()
    refused = serializers.IntegerField()
    more = serializers.BooleanField(help_text="more cases fit the filter than one run takes")
    results = ResultOutput(many=True)


def run_answer(run: BulkRun) -> dict[str, Any]:
    """Return a run as the API gives it."""
    names = ("hazard", "number", "version", "result", "words", "department")
    return {
        "id": str(run.pk),
        "verb": run.action,
        "state": run.state,
        "possible": len(run.waiting),
        "done": len(run.done),
        "refused": len(run.refused),
        "more": run.is_more,
        "results": [{name: row[name] for name in names} for row in run.told],
    }


class BulkView(APIView):
    permission_classes = [IsAuthenticated]

    @extend_schema(
        request=BulkInput,
        responses={200: BulkOutput, 202: BulkOutput},
        description=(
            f"Take one step with up to {services.MOST} cases. `dry_run: true` writes nothing to any case and says of each"
            " whether the step is possible, with its version. The same body with `dry_run: false` does exactly what was"
            " tried under this id; a case that changed since is refused. Without a dry run before, both are done at once."
            f" More than {services.AT_ONCE} are done by a worker: 202, and GET tells how far it is. A repeat does nothing"
            " twice. Each case stands for itself: one that is refused keeps no other back."
        ),
    )
    def post(self, request: Request) -> Response:
        own = judging.choices(request.user)
        if not own:
            raise PermissionDenied(_("Your role takes no step with many cases."))
        given = BulkInput(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        fields = data.get("fields") or {}
        alike = Fields(
            words=fields.get("reason", ""), department=fields.get("department", ""), cause=fields.get("cause", "")
        )
        if data["verb"] not in dict(own):
            raise PermissionDenied(_("Your role does not take this step with many cases."))
        run = self._tried(request, data, alike)
        if data["dry_run"]:
            return Response(run_answer(run))
        try:
            run, _is_anew = services.confirm(run_id=run.pk, given=alike, actor=request.user, at=timezone.now())
        except FieldsMissing as refusal:
            raise ValidationError({"fields": refusal.errors}) from refusal
        waits = run.state == BulkRun.State.RUNNING
        return Response(run_answer(run), status=status.HTTP_202_ACCEPTED if waits else status.HTTP_200_OK)

    def _tried(self, request: Request, data: dict[str, Any], alike: Fields) -> BulkRun:
        """Return what was tried under the id, now or before. :raises Unprocessable: it is used for something else."""
        asked = {name: value for name, value in data.items() if name not in ("id", "dry_run")}
        try:
            if run := services.known(data["id"], request.user, asked):
                return run
            seen, is_more = self._seen(request, data)
            return services.try_run(
                run_id=data["id"], action=data["verb"], seen=seen, given=alike, actor=request.user, at=timezone.now(),
                asked=asked, is_more=is_more,
            )  # fmt: skip
        except services.AnotherRun as error:
            raise Unprocessable({"id": _("This id was used for something else.")}) from error

    def _seen(self, request: Request, data: dict[str, Any]) -> tuple[dict[UUID, int | None], bool]:
        if "filter" not in data:
            return {one["id"]: one["version"] for one in data["hazards"]}, False
        ids, is_more = asking.fitting(request, data["filter"])
        return dict.fromkeys(ids), is_more


class BulkRunView(APIView):
    permission_classes = [IsAuthenticated]

    @extend_schema(responses=BulkOutput)
    def get(self, request: Request, run_id: UUID) -> Response:
        """Say how far a run of the caller's is, or what became of each case."""
        return Response(run_answer(get_object_or_404(BulkRun, pk=run_id, actor=request.user)))
