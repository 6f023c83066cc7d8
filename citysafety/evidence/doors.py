"""The door that photos of any kind of subject come in by."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import UnsupportedMediaType, ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from citysafety.api import TooLarge, Unprocessable

from . import services


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


def take_photo(
    request: Request, *, kind: str, subject_id: str, role: str, sha256: str, step_id: UUID | None
) -> Response:
    """Seal the body as a photo of a subject: 201, 200 for a repeat, 422 for another hash, 415 for no picture, 413 too large."""
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
        )
    except services.WrongHash as error:
        raise Unprocessable({"sha256": str(error)}) from error
    except services.NotAPicture as error:
        raise UnsupportedMediaType(request.content_type or "", detail=str(error)) from error
    except services.TooLarge as error:
        raise TooLarge(str(error)) from error
    return Response({"sha256": sha256.lower(), "role": role, kind: subject_id}, status=201 if created else 200)
