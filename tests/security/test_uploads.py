"""S7: what is uploaded is a picture or nothing, and what is served of it is inert."""

import hashlib
import io
import resource
import struct
import time
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from PIL import Image

from citysafety.accounts.tokens import issue
from citysafety.evidence import services as evidence
from citysafety.evidence.models import Attachment, Photo

from .world import World

pytestmark = pytest.mark.django_db

HTML = b"<html><script>alert(document.cookie)</script></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
GPS_IFD, MAKE = 0x8825, 0x010F


def encoded(kind: str, size: tuple[int, int] = (64, 48), **more: Any) -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 40).convert("RGB").save(out, kind, **more)
    return out.getvalue()


def png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def pixel_bomb(side: int) -> bytes:
    """A PNG of some kilobytes that unpacks to side × side pixels."""
    packer = zlib.compressobj(9)
    row = b"\0" * (side // 8 + 1)
    body = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", body) + png_chunk(b"IEND", b"")


def text_bomb() -> bytes:
    """A PNG with a compressed text of 60 MB."""
    text = b"Comment\0\0" + zlib.compress(b"A" * 60_000_000, 9)
    plain = encoded("PNG")
    return plain[:33] + png_chunk(b"zTXt", text) + plain[33:]


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("../../etc/passwd", "x")
    return out.getvalue()


def with_position() -> bytes:
    exif = Image.Exif()
    exif[MAKE] = "a camera that tells too much"
    exif.get_ifd(GPS_IFD).update({1: "N", 2: (37.0, 26.0, 13.0), 3: "E", 4: (118.0, 40.0, 11.0)})
    return encoded("JPEG", exif=exif)


REFUSED: dict[str, tuple[Callable[[], bytes], int]] = {
    "nothing": (lambda: b"", 415),
    "words": (lambda: b"not a picture", 415),
    "a page": (lambda: HTML, 415),
    "an SVG with a script": (lambda: SVG, 415),
    "an SVG that says it is XML": (lambda: b'<?xml version="1.0"?>' + SVG, 415),
    "a PDF": (lambda: b"%PDF-1.7\n" + HTML, 415),
    "a ZIP": (archive, 415),
    "a GIF": (lambda: encoded("GIF"), 415),
    "a BMP": (lambda: encoded("BMP"), 415),
    "a TIFF": (lambda: encoded("TIFF"), 415),
    "an icon": (lambda: encoded("ICO"), 415),
    "PostScript": (lambda: encoded("EPS"), 415),
    "a page that begins like a GIF": (lambda: b"GIF89a/*" + HTML, 415),
    "the first bytes of a JPEG and a page": (lambda: b"\xff\xd8\xff\xe0" + HTML, 415),
    "the head of a PNG and nothing": (lambda: encoded("PNG")[:40], 415),
    "half a JPEG": (lambda: encoded("JPEG")[:500], 415),
    "100 megapixels in 12 kB": (lambda: pixel_bomb(10_000), 415),
    "256 megapixels": (lambda: pixel_bomb(16_000), 415),
    "60 MB of text in a PNG": (text_bomb, 415),
    "too small": (lambda: encoded("PNG", (8, 400)), 415),
    "more than 10 MB": (lambda: encoded("JPEG") + b"\0" * (10 * 1024 * 1024), 413),
}
TAKEN: dict[str, Callable[[], bytes]] = {
    "a JPEG": lambda: encoded("JPEG"),
    "a PNG": lambda: encoded("PNG"),
    "a WebP": lambda: encoded("WEBP"),
    "a JPEG with a position": with_position,
    "a JPEG that is a page too": lambda: encoded("JPEG", comment=HTML) + HTML,
    "a PNG that is a ZIP too": lambda: encoded("PNG") + archive(),
}


class Phone:
    """Sends bytes as a photo of the own case."""

    def __init__(self, world: World) -> None:
        self.client = Client(raise_request_exception=False)
        self.path = f"/api/v1/hazards/{world.own.hazard.pk}/photos/"
        self.headers = {"HTTP_AUTHORIZATION": f"Token {issue(world.own.owner, 'phone')}"}

    def put(self, data: bytes, *, name: str = "", kind: str = "image/jpeg", role: str = "scene") -> Any:
        name = name or hashlib.sha256(data).hexdigest()
        return self.client.put(f"{self.path}{name}/?role={role}", data, content_type=kind, **self.headers)


@pytest.fixture
def phone(world: World) -> Phone:
    return Phone(world)


def test_s7_what_is_uploaded_is_a_picture_or_nothing(world: World, phone: Phone, say) -> None:
    photos, slowest = Photo.objects.count(), 0.0
    before_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    wrong = []
    for name, (make, expected) in REFUSED.items():
        data = make()
        started = time.monotonic()
        status = phone.put(data).status_code
        slowest = max(slowest, time.monotonic() - started)
        if status != expected:
            wrong.append(f"{name}: {status}, expected {expected}")
    grown_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before_mb
    say(
        f"S7: refused {len(REFUSED) - len(wrong)} of {len(REFUSED)} bad files, slowest {slowest:.2f} s, "
        f"memory grew by {grown_mb:.0f} MB"
    )
    assert wrong == []
    assert Photo.objects.count() == photos
    assert slowest < 10


@pytest.mark.parametrize("kind", TAKEN)
def test_what_is_served_of_a_photo_is_pixels_only(world: World, phone: Phone, kind: str) -> None:
    data = TAKEN[kind]()
    assert phone.put(data).status_code == 201
    attachment = Attachment.objects.get(photo_id=hashlib.sha256(data).hexdigest())
    assert (evidence.folder(attachment.photo_id) / "original").read_bytes() == data, "sealed as received"
    browser = Client()
    browser.force_login(world.own.owner)
    for size in ("thumb", "view"):
        answer = browser.get(f"/evidence/{attachment.pk}/{size}.jpg")
        shown = b"".join(answer.streaming_content)
        assert answer.headers["Content-Type"] == "image/jpeg"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert "private" in answer.headers["Cache-Control"]
        picture = Image.open(io.BytesIO(shown))
        assert dict(picture.getexif()) == {} and not picture.getexif().get_ifd(GPS_IFD)
        for trace in (b"<script", b"too much", b"Exif", b"PK\x03\x04"):
            assert trace not in shown


def test_the_sealed_bytes_are_handed_out_as_a_file_and_only_to_who_answers_for_evidence(
    world: World, phone: Phone
) -> None:
    data = TAKEN["a JPEG that is a page too"]()
    phone.put(data)
    attachment = Attachment.objects.get(photo_id=hashlib.sha256(data).hexdigest())
    browser = Client()
    browser.force_login(world.own.owner)
    assert browser.get(f"/evidence/{attachment.pk}/original").status_code == 404
    boss = world.own.hazard.steps.get(action="accept").actor
    browser.force_login(boss)
    answer = browser.get(f"/evidence/{attachment.pk}/original")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_photo_has_the_hash_of_its_address(phone: Phone) -> None:
    data = encoded("JPEG")
    photos = Photo.objects.count()
    assert phone.put(data, name="0" * 64).status_code == 422
    assert phone.put(data, name=hashlib.sha256(data).hexdigest().upper()).status_code == 201
    assert phone.put(data).status_code == 200
    assert Photo.objects.count() == photos + 1


@pytest.mark.parametrize("name", ["../../etc/passwd", "%2e%2e%2fetc", "x" * 64, "", "0" * 63, "0" * 65])
def test_a_name_that_is_no_hash_leads_nowhere(phone: Phone, name: str) -> None:
    answer = phone.client.put(f"{phone.path}{name}?role=scene", b"x", content_type="image/png", **phone.headers)
    assert answer.status_code in (404, 405)


@pytest.mark.parametrize(
    "kind", ["text/html", "image/svg+xml", "application/json", "multipart/form-data; boundary=x", ""]
)
def test_what_the_sender_calls_it_changes_nothing(phone: Phone, kind: str) -> None:
    assert phone.put(encoded("JPEG"), kind=kind).status_code in (201, 415)
    assert phone.put(HTML, kind=kind).status_code == 415
