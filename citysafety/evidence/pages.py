"""The doors to pictures. What a person may not see does not exist for them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _

from citysafety.accounts.doors import desk_page
from citysafety.accounts.roles import Role
from citysafety.api import area_asked
from citysafety.filtering import not_understood

from . import selectors, services
from .access import may_see
from .judging import AGAINST
from .models import Attachment
from .telling import LABELS

SIZES = ("thumb", "view")
ANSWERABLE = (
    Role.AUDITOR,
    Role.SUPERVISOR,
    Role.DISPATCHER,
)  # for evidence: they see sealed bytes and what speaks against
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _attachment(request: HttpRequest, attachment_id: int) -> Attachment:
    attachment = get_object_or_404(Attachment.objects.select_related("photo"), pk=attachment_id)
    if not may_see(request.user, attachment.kind, attachment.subject_id):
        raise Http404
    return attachment


def _file(path: object, mime: str, name: str, *, download: bool) -> HttpResponse:
    try:
        stream = Path(str(path)).open("rb")  # noqa: SIM115  the answer closes it
        answer = FileResponse(stream, content_type=mime, as_attachment=download, filename=name)
    except FileNotFoundError as error:
        raise Http404 from error
    answer["Cache-Control"] = "private, max-age=86400"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


@login_required
def picture(request: HttpRequest, attachment_id: int, size: str) -> HttpResponse:
    """Show a derivative: re-encoded, without EXIF; made here when the worker has not come to it yet."""
    if size not in SIZES:
        raise Http404
    return rendition(_attachment(request, attachment_id), size, f"{attachment_id}-{size}.jpg")


def rendition(attachment: Attachment, size: str, name: str) -> HttpResponse:
    """Answer with a derivative of a photo that the door has let its caller see. :raises Http404: there is no file."""
    if attachment.photo.derived_at is None:
        services.derive(sha256=attachment.photo_id, at=timezone.now())
    return _file(services.folder(attachment.photo_id) / f"{size}.jpg", "image/jpeg", name, download=False)


@login_required
def original(request: HttpRequest, attachment_id: int) -> HttpResponse:
    """Hand out the sealed bytes as a file, to those who may see them and who answer for evidence."""
    attachment = _attachment(request, attachment_id)
    if request.user.role not in ANSWERABLE:
        raise Http404
    path = services.folder(attachment.photo_id) / "original"
    return _file(path, "application/octet-stream", attachment.photo_id, download=True)


@desk_page
def look_closer(request: HttpRequest) -> HttpResponse:
    """GET /evidence/look-closer/: photos of one's area that something speaks against, the newest first.

    Queries: 2 with what every page asks, 1 a kind of case among the rows besides, 1 for another area than one's own.
    """
    if request.user.role not in ANSWERABLE:
        raise PermissionDenied
    reason, before = request.GET.get("reason", ""), request.GET.get("before", "")
    area = area_asked(request)
    refused = []
    if reason and reason not in AGAINST:
        refused = [not_understood(_("Reason"), [reason], _("one of %(choices)s") % {"choices": ", ".join(AGAINST)})]
    page = selectors.doubted(request.user, area=area, reason=reason, before=_mark(before)) if not refused else None
    context = {
        "as_of": timezone.now(),
        "refusals": refused,
        "rows": page.rows if page else [],
        "older": _spelled(page.older) if page and page.older else "",
        "is_older": bool(before),
        "area": request.GET.get("area", ""),
        "reason": reason,
        "codes": [(code, LABELS[code]) for code in AGAINST],
    }
    return render(request, "evidence/look_closer.html", context)


def _spelled(mark: selectors.Mark) -> str:
    return f"{(mark[0] - EPOCH) // timedelta(microseconds=1)}.{mark[1]}"


def _mark(text: str) -> selectors.Mark | None:
    """Return the row after which a page begins. :raises Http404: the address was not made here."""
    if not text:
        return None
    micros, _dot, last = text.partition(".")
    try:
        return EPOCH + timedelta(microseconds=int(micros)), min(int(last), 2**63 - 1)
    except (ValueError, OverflowError) as error:
        raise Http404 from error
