"""Photos of a hazard."""

from datetime import datetime
from typing import Any
from uuid import UUID

from citysafety.evidence import services as evidence

from ..models import Hazard


def attach_photo(
    *, hazard: Hazard, role: str, sha256: str, data: bytes, by: Any, at: datetime, step_id: UUID | None
) -> bool:
    """Seal a photo as evidence of a hazard; return whether it is new. The hazard's version stays as it is.

    :raises evidence.TooLarge, evidence.WrongHash, evidence.NotAPicture: nothing is kept.
    """
    return evidence.attach(
        kind="hazard",
        subject_id=str(hazard.pk),
        role=role,
        sha256=sha256,
        data=data,
        by_id=by.pk,
        at=at,
        step_id=step_id,
    )
