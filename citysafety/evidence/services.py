"""Take a photo in, seal it, make the pictures that people see."""

import fcntl
import hashlib
import os
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.gis.geos import Point
from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from . import exif, trust
from .files import folder
from .looks import Look, look_of
from .models import Attachment, Photo, PhotoQuerySet, Trust

Image.MAX_IMAGE_PIXELS = 50_000_000  # a 12 kB file can unpack to 100 megapixels
FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
VIEW_SIDE, THUMB_SIDE = 1600, 320  # px


class NotAPicture(ValueError):
    """The bytes are not a JPEG, PNG or WebP picture we can open."""


class WrongHash(ValueError):
    """The bytes do not have the hash they were sent under."""


class TooLarge(ValueError):
    """The bytes are more than a photo may have."""


def open_picture(data: bytes) -> Image.Image:
    """Open bytes as a picture and read all of it. :raises NotAPicture: with what was seen."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(BytesIO(data), formats=list(FORMATS))
            picture.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
        seen = {"seen": data[:8].hex(" ").upper()}
        raise NotAPicture(
            _("This is no whole JPEG, PNG or WebP picture; its first bytes are %(seen)s.") % seen
        ) from error
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise NotAPicture(_("The picture has more than 50 megapixels.")) from error
    if min(picture.size) < settings.PHOTO_MIN_SIDE:
        sides = {"width": picture.width, "height": picture.height, "least": settings.PHOTO_MIN_SIDE}
        raise NotAPicture(
            _("The picture has %(width)s × %(height)s pixels; expected at least %(least)s a side.") % sides
        )
    return picture


def seal(sha256: str, data: bytes, *, flush: bool = True) -> None:
    """Write the received bytes to disk under their hash, whole or not at all, and make them durable.

    Without ``flush`` the caller makes many of them durable at once.
    """
    target = folder(sha256)
    target.mkdir(parents=True, exist_ok=True)
    original = target / "original"
    if original.exists():
        return
    with tempfile.NamedTemporaryFile(dir=target, delete=False) as part:
        part.write(data)
        part.flush()
        if flush:
            os.fsync(part.fileno())
    os.chmod(part.name, 0o440)
    os.replace(part.name, original)


def _photo(sha256: str, data: bytes, picture: Image.Image, at: datetime, **more: Any) -> Photo:
    """Return the row of a photo as its bytes and the picture in them tell it."""
    written = exif.read(picture)
    return Photo(
        sha256=sha256,
        size=len(data),
        mime=FORMATS[picture.format or ""],
        width=picture.width,
        height=picture.height,
        received_at=at,
        taken_at=written.taken_at,
        taken_offset=written.offset,
        camera_place=Point(*written.place, srid=4326) if written.place else None,
        **more,
    )


@transaction.atomic
def attach(
    *,
    kind: str,
    subject_id: str,
    role: str,
    sha256: str,
    data: bytes,
    by_id: int,
    at: datetime,
    step_id: UUID | None,
    claim: trust.Claim = trust.NOTHING,
) -> bool:
    """Seal a photo, bind it to its subject and begin its trust record; return whether it is new there.

    A repeat changes nothing; one that comes after the photo has served a step is noted. ``claim``: what the device says.

    :raises TooLarge, WrongHash, NotAPicture: nothing is kept.
    """
    if len(data) > settings.PHOTO_MAX_BYTES:
        sizes = {"seen": len(data), "most": settings.PHOTO_MAX_BYTES}
        raise TooLarge(_("The photo has %(seen)s bytes; expected at most %(most)s.") % sizes)
    seen = hashlib.sha256(data).hexdigest()
    if seen != sha256:
        hashes = {"seen": seen, "expected": sha256}
        raise WrongHash(_("The photo has the SHA-256 %(seen)s; expected %(expected)s, as in the address.") % hashes)
    picture = open_picture(data)
    seal(sha256, data)
    Photo.objects.bulk_create([_photo(sha256, data, picture, at)], ignore_conflicts=True)
    attachment, created = Attachment.objects.get_or_create(
        kind=kind,
        subject_id=subject_id,
        role=role,
        photo_id=sha256,
        defaults={"by_id": by_id, "at": at, "step_id": step_id},
    )
    if created:
        trust.begin(attachment, claim, at=at)
    elif attachment.used_by and attachment.used_by != step_id:
        trust.offered_again(attachment, at=at)
    if not created and step_id != attachment.step_id:  # sent again, for another step: it may serve that one now
        Attachment.objects.filter(pk=attachment.pk, used_by=None).update(step_id=step_id)
    return created


def unused(*, kind: str, subject_id: str, role: str, step_id: UUID | None, since: Any, actor: Any) -> list[int]:
    """Return the attachments that may serve a step: of its role, used by none, sent for it or for no step in particular.

    They came when the step was due, ``since`` then (a moment, or an expression of one), and from the side that takes it: the actor, or somebody of the
    actor's department. What others sent, or what was sent before, shows no work of this side. Queries: 1.
    """
    rows = Attachment.objects.filter(kind=kind, subject_id=subject_id, role=role, used_by=None, at__gte=since)
    side = Q(by=actor)
    if actor.department_id:
        side |= Q(by__department=actor.department_id)
    return list(rows.filter(side, Q(step_id=None) | Q(step_id=step_id)).values_list("pk", flat=True))


def left_over(*, kind: str, subject_id: str, role: str) -> int:
    """Count the photos of a role that have served no step, whoever sent them. Queries: 1."""
    return Attachment.objects.filter(kind=kind, subject_id=subject_id, role=role, used_by=None).count()


def is_there(*, kind: str, subject_id: str, role: str, sha256: str) -> bool:
    """Test whether a photo was attached before: who sends it again, for a lost answer, may. Queries: 1."""
    return Attachment.objects.filter(kind=kind, subject_id=subject_id, role=role, photo=sha256.lower()).exists()


def use(attachment_ids: list[int], *, step_id: UUID) -> None:
    """Bind photos to the step they served as evidence for."""
    Attachment.objects.filter(pk__in=attachment_ids).update(used_by=step_id)


def spend(*, kind: str, subject_id: str, role: str, step_id: UUID) -> None:
    """Bind what no step has used to one that puts an end to it: it serves none from then on. Queries: 1."""
    Attachment.objects.filter(kind=kind, subject_id=subject_id, role=role, used_by=None).update(used_by=step_id)


def derive(*, sha256: str, at: datetime) -> bool:
    """Make the two pictures people see: turned upright, without EXIF. Safe to run twice; returns whether it made them.

    What the photo looks like is kept with them, and compared with what others look like. An attempt is counted before
    it starts, so that a picture that kills its worker is parked after three.
    The worker and those who look before it wait for each other: one of them draws, the others find it drawn.
    """
    with _alone_in(folder(sha256)):
        if not Photo.objects.waiting().filter(sha256=sha256).update(deriving=F("deriving") + 1):
            return False
        look = _draw_derivatives(sha256, open_picture((folder(sha256) / "original").read_bytes()))
        kept = {"derived_at": at, "looked_at": at, **trust.columns_of(look)}
        made = bool(Photo.objects.filter(sha256=sha256, derived_at=None).update(**kept))
    trust.compare(sha256=sha256, at=at)
    return made


@contextmanager
def _alone_in(path: Path) -> Iterator[None]:
    """Hold a folder against other threads and processes; the lock goes with whoever dies holding it."""
    path.mkdir(parents=True, exist_ok=True)  # a lost one fails where its attempt has been counted
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def upright(picture: Image.Image) -> Image.Image:
    """Return a picture turned as the camera says it was held; as it lies where what the camera wrote is broken."""
    try:
        return ImageOps.exif_transpose(picture).convert("RGB")
    except Exception:  # turning it, Pillow writes the rest of the EXIF anew, which may hold anything
        return picture.convert("RGB")


def _draw_derivatives(sha256: str, picture: Image.Image) -> Look | None:
    """Draw both pictures; return what they look like."""
    picture = upright(picture)
    for name, side in (("view.jpg", VIEW_SIDE), ("thumb.jpg", THUMB_SIDE)):
        small = picture.copy()
        small.thumbnail((side, side), Image.Resampling.LANCZOS)
        clean = Image.new("RGB", small.size)
        clean.paste(small)  # pixels only: no EXIF, no position, no profile
        with tempfile.NamedTemporaryFile(dir=folder(sha256), delete=False) as part:
            clean.save(part, "JPEG", quality=82, optimize=True)
        os.chmod(part.name, 0o640)
        os.replace(part.name, folder(sha256) / name)
    return look_of(picture)


def unpark(photos: PhotoQuerySet) -> int:
    """Give photos whose pictures were given up a new start with the next sweep; return how many."""
    return photos.parked().update(deriving=0)


def take_in(pictures: Iterable[bytes], *, at: datetime) -> list[str]:
    """Seal pictures that come with an import and make what people see of them; return their hashes in order.

    A picture that is there already is left as it is. Queries: 1.
    """
    photos = {}
    for data in pictures:
        picture, sha256 = open_picture(data), hashlib.sha256(data).hexdigest()
        seal(sha256, data, flush=False)
        look = trust.columns_of(_draw_derivatives(sha256, picture))
        photos[sha256] = _photo(sha256, data, picture, at, derived_at=at, looked_at=at, **look)
    os.sync()  # once for all of them
    Photo.objects.bulk_create(photos.values(), ignore_conflicts=True)
    return list(photos)


def waiting(*, at: datetime, limit: int = 200) -> list[str]:
    """Return photos that were received a moment ago or longer and have no pictures yet."""
    rows = Photo.objects.waiting().filter(received_at__lt=at - timedelta(seconds=20))
    return list(rows.order_by("received_at").values_list("sha256", flat=True)[:limit])


def unlooked(*, limit: int = 200) -> list[str]:
    """Return photos with pictures that were never looked at for likeness. Queries: 1."""
    return list(Photo.objects.unlooked().order_by("received_at").values_list("sha256", flat=True)[:limit])


def uncompared(*, limit: int = 200) -> list[str]:
    """Return photos of which a record waits to be compared with what others look like. Queries: 1."""
    rows = Trust.objects.pending().filter(attachment__photo__looked_at__isnull=False).order_by("at")
    return list(dict.fromkeys(rows.values_list("attachment__photo_id", flat=True)[:limit]))
