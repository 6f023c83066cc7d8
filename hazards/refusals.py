"""How an API tells that a step was refused."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import PermissionDenied, ValidationError

from citysafety.accounts.rights import sentence
from citysafety.api import Conflict, Unprocessable
from citysafety.documents.services import OtherBytes, WrongState
from citysafety.lifecycle import StepNotAllowed

from .services.given import EvidenceMissing, FieldsMissing, NotAllowed, StaleVersion


@contextmanager
def told(present: Callable[[], Any] | None = None, *, why: Callable[[StepNotAllowed], str] = str) -> Iterator[None]:
    """Tell what services refuse: 403, 409 with the record as it stands now, 400 naming the fields, 422 naming the photo.

    ``present`` answers with the record; ``why`` says why the step is not open.
    """
    try:
        yield
    except NotAllowed as refusal:
        raise PermissionDenied(sentence(refusal.rule)) from refusal
    except StepNotAllowed as refusal:
        raise Conflict(why(refusal), present=present and present()) from refusal
    except (StaleVersion, OtherBytes, WrongState) as refusal:
        raise Conflict(_("It changed in the meantime."), present=present and present()) from refusal
    except FieldsMissing as refusal:
        raise ValidationError(refusal.errors) from refusal
    except EvidenceMissing as refusal:
        raise Unprocessable({refusal.requirement: str(refusal)}) from refusal
