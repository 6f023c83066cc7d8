"""The doors to pictures. What a person may not see does not exist for them."""

from pathlib import Path

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone

from . import services
from .access import may_see
from .models import Attachment

SIZES = ("thumb", "view")


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
    attachment = _attachment(request, attachment_id)
    if attachment.photo.derived_at is None:
        services.derive(sha256=attachment.photo_id, at=timezone.now())
    path = services.folder(attachment.photo_id) / f"{size}.jpg"
    return _file(path, "image/jpeg", f"{attachment_id}-{size}.jpg", download=False)


@login_required
def original(request: HttpRequest, attachment_id: int) -> HttpResponse:
    """Hand out the sealed bytes as a file, to those who may see them and who answer for evidence."""
    attachment = _attachment(request, attachment_id)
    if request.user.role not in ("auditor", "supervisor", "dispatcher"):
        raise Http404
    path = services.folder(attachment.photo_id) / "original"
    return _file(path, "application/octet-stream", attachment.photo_id, download=True)
