"""The door that photos of any kind of subject come in by."""

from collections.abc import Collection
from datetime import UTC, datetime
from math import isfinite
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import UnsupportedMediaType, ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from citysafety.api import Light, TooLarge, Unprocessable
from citysafety.coordinates import DATUMS, to_wgs84

from . import services
from .exif import YEARS
from .trust import Claim


class PictureBytes(BaseParser):
    """The raw body, whatever picture it says it is; the door looks at the bytes."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> bytes:
        return stream.read()


def role_asked(request: Request, roles: Collection[str]) -> str:
    """Return the role that a photo is sent in. :raises ValidationError: it is none of these."""
    role = request.query_params.get("role", "")
    if role not in roles:
        words = {"seen": role, "roles": ", ".join(roles)}
        raise ValidationError({"role": _("“%(seen)s” is not one of %(roles)s.") % words})
    return role


def step_asked(request: Request) -> UUID | None:
    """Return the step that a photo is sent for, None without one. :raises ValidationError: it is no UUID."""
    step = request.query_params.get("step")
    try:
        return UUID(step) if step else None
    except ValueError as error:
        raise ValidationError({"step": _("“%(seen)s” is not a UUID.") % {"seen": step}}) from error


class ClaimInput(Light):
    """What a device may say of a photo in the address that it sends it to; all of it may be left out."""

    taken_at = serializers.DateTimeField(required=False, help_text="When it was taken, as the device says.")
    lon = serializers.FloatField(min_value=-180, max_value=180, required=False, help_text="Where the device stood.")
    lat = serializers.FloatField(min_value=-90, max_value=90, required=False)
    accuracy_m = serializers.FloatField(min_value=0, max_value=100_000, required=False)
    datum = serializers.ChoiceField(choices=DATUMS, required=False, default="wgs84")

    def validate_taken_at(self, value: datetime) -> datetime:
        if value.astimezone(UTC).year not in YEARS:
            words = {"seen": f"{value:%F}", "first": YEARS[0], "last": YEARS[-1]}
            raise serializers.ValidationError(
                _("%(seen)s was not understood; expected a time from %(first)s to %(last)s.") % words
            )
        return value

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        """Leave with WGS 84, whatever came in."""
        numbers = {name: given[name] for name in ("lon", "lat", "accuracy_m") if name in given}
        if broken := [name for name, value in numbers.items() if not isfinite(value)]:
            raise serializers.ValidationError(dict.fromkeys(broken, _("Expected a finite number.")))
        if ("lon" in given) != ("lat" in given):
            missing = "lat" if "lon" in given else "lon"
            raise serializers.ValidationError({missing: _("A place has both: longitude and latitude.")})
        if "lon" in given:
            given["lon"], given["lat"] = to_wgs84(given["lon"], given["lat"], given["datum"])
        return given


def claim_made(request: Request) -> Claim:
    """Return what the device says of the photo. :raises ValidationError: 400 naming what was not understood."""
    if not any(request.query_params.get(name) for name in ClaimInput._declared_fields):
        return Claim()
    given = ClaimInput(data=request.query_params)
    given.is_valid(raise_exception=True)
    said = given.validated_data
    return Claim(**{name: said.get(name) for name in ("taken_at", "lon", "lat", "accuracy_m")})


def take_photo(
    request: Request, *, kind: str, subject_id: str, role: str, sha256: str, step_id: UUID | None
) -> Response:
    """Seal the body as a photo of a subject: 201, 200 for a repeat, 422 for another hash, 415 for no picture, 413 too large.

    What the device says of it stands in the address (``ClaimInput``); 400 for what of that is not understood.
    """
    claim = claim_made(request)
    try:
        created = services.attach(
            kind=kind,
            subject_id=subject_id,
            role=role,
            sha256=sha256.lower(),
            data=bytes(request.data or b""),
            by_id=request.user.pk,
            at=timezone.now(),
            step_id=step_id,
            claim=claim,
        )
    except services.WrongHash as error:
        raise Unprocessable({"sha256": str(error)}) from error
    except services.NotAPicture as error:
        raise UnsupportedMediaType(request.content_type or "", detail=str(error)) from error
    except services.TooLarge as error:
        raise TooLarge(str(error)) from error
    return Response({"sha256": sha256.lower(), "role": role, kind: subject_id}, status=201 if created else 200)
