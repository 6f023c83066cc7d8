"""Photos of the handling: for who has the code, once somebody who answers for the case has decided so, and until then nobody."""

import io
import uuid

import pytest
from django.test import Client
from django.utils import timezone
from PIL import Image

from citysafety.evidence.models import Attachment
from hazards.models import Hazard
from tests.factories import AWAY, attach_to, file_hazard, person

from .reporting import (
    closed,
    filed,
    not_solved,
    picture,
    step,
    text_of,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_asked_yet")]


def shown(address):
    """Return the pictures that a page shows, by their addresses."""
    page, first = text_of(Client().get(address)), f"{address}photos/1.jpg"
    assert (first in page) == (Client().get(first).status_code == 200)
    return [n for n in range(1, 5) if f"{address}photos/{n}.jpg" in page]


def test_photos_of_the_handling_are_shown_once_that_is_decided_and_no_longer_when_it_is_withdrawn(cast, supervisor):
    address = filed(photos=[picture()])
    hazard = closed(cast, Hazard.objects.get())
    assert shown(address) == [], "off, until somebody decides"
    step(hazard, "show_photos", cast.dispatcher)
    assert shown(address) == [1]
    attach_to(hazard, "after", picture().read(), cast.handler)
    assert shown(address) == [1], "what came later was not looked at"
    assert Client().get(f"{address}photos/2.jpg").status_code == 404
    assert Client().get("/public/cases/AAAA-AAAA-AAAA-AAAA/photos/1.jpg").status_code == 404
    step(hazard, "hide_photos", supervisor, words="照片中有人")
    assert shown(address) == []
    history = hazard.steps.filter(action__in=("show_photos", "hide_photos")).order_by("version")
    assert [(row.action, row.actor, row.words) for row in history] == [
        ("show_photos", cast.dispatcher, ""), ("hide_photos", supervisor, "照片中有人")
    ]  # fmt: skip


def test_what_is_served_is_small_made_anew_without_metadata_and_kept_by_nobody(cast):
    address = filed()
    hazard = Hazard.objects.get()
    for action, by, more in (
        ("accept", cast.dispatcher, {}), ("dispatch", cast.dispatcher, {"department": "fire-02"}), ("take", cast.handler, {}),
    ):  # fmt: skip
        step(hazard, action, by, **more)
    exif = Image.Exif()
    exif[0x010F], exif[0x013B] = "Camera of somebody", "Somebody"
    out = io.BytesIO()
    Image.effect_noise((900, 700), 60).save(out, "JPEG", exif=exif)
    attach_to(hazard, "after", out.getvalue(), cast.handler)
    step(hazard, "rectify", cast.handler, words="已清理")
    step(hazard, "verify", cast.worker)
    step(hazard, "show_photos", cast.dispatcher)
    answer = Client().get(f"{address}photos/1.jpg")
    body = b"".join(answer.streaming_content)
    with Image.open(io.BytesIO(body)) as seen:
        assert (seen.format, max(seen.size), dict(seen.getexif())) == ("JPEG", 320, {})
    assert b"omebody" in out.getvalue() and b"omebody" not in body
    assert "no-store" in answer["Cache-Control"] and answer["X-Robots-Tag"] == "noindex"
    photo = Attachment.objects.filter(role="after").order_by("pk")[0]
    assert Client().get(f"/evidence/{photo.pk}/thumb.jpg").status_code == 302, "the door of the city stays closed"


def test_a_reopened_case_shows_none_and_its_next_handling_is_decided_anew(cast):
    address = filed()
    hazard = closed(cast, Hazard.objects.get())
    step(hazard, "show_photos", cast.dispatcher)
    assert shown(address) == [1]
    assert not_solved(address).status_code == 302
    assert shown(address) == []
    for action, by, more in (
        ("dispatch", cast.dispatcher, {"department": "fire-02"}), ("take", cast.handler, {}),
        ("rectify", cast.handler, {"words": "再次清理"}), ("verify", cast.worker, {}),
    ):  # fmt: skip
        step(hazard, action, by, **more)
    assert shown(address) == []
    step(hazard, "show_photos", cast.dispatcher)
    assert Attachment.objects.filter(subject_id=str(hazard.pk), role="after").count() == 2
    assert shown(address) == [1], "those of the last handling alone"


def test_it_is_decided_by_who_answers_for_the_area_about_cases_of_the_public_that_are_handled(cast, supervisor, client):
    filed()
    hazard = Hazard.objects.get()

    def ask(action, by):
        client.force_login(by)
        hazard.refresh_from_db()
        return client.post(
            f"/api/v1/hazards/{hazard.pk}/{action}/", {"id": str(uuid.uuid4()), "version": hazard.version},
            content_type="application/json",
        ).status_code  # fmt: skip

    assert ask("show_photos", cast.dispatcher) == 409, "nothing is handled yet"
    closed(cast, hazard)
    denied = [cast.worker, cast.handler, person("operator"), person("leader"), person("auditor")]
    assert [ask("show_photos", user) for user in denied] == [403] * len(denied)
    assert ask("show_photos", person("supervisor", area=AWAY)) == 404
    assert ask("hide_photos", supervisor) == 409
    assert ask("show_photos", supervisor) == 200
    assert ask("show_photos", cast.dispatcher) == 409
    said = client.get(f"/api/v1/hazards/{hazard.pk}/public/").json()
    assert said["photos_shown_at"] is not None
    page = text_of(client.get(f"/hazards/{hazard.pk}/"))
    assert 'data-step="hide_photos"' in page and 'data-step="show_photos"' not in page
    assert ask("hide_photos", cast.dispatcher) == 200
    assert client.get(f"/api/v1/hazards/{hazard.pk}/public/").json()["photos_shown_at"] is None


def test_a_case_that_nobody_of_the_public_follows_has_no_such_step(cast, client):
    address = filed()
    duplicate, original = Hazard.objects.get(), closed_worker_case(cast)
    client.force_login(cast.dispatcher)
    assert 'data-step="show_photos"' not in text_of(client.get(f"/hazards/{original.pk}/"))
    other = closed_worker_case(cast, with_duplicate=duplicate)
    step(other, "show_photos", cast.dispatcher)
    assert shown(address) == [1], "a report that goes on as a case of a worker shows that one's"


def closed_worker_case(cast, with_duplicate=None):
    hazard = file_hazard(cast.worker, at=timezone.now())
    if with_duplicate:
        step(with_duplicate, "merge", cast.dispatcher, into=hazard.number)
    return closed(cast, hazard)


def test_a_look_at_shown_photos_costs_a_bounded_number_of_queries(cast, django_assert_num_queries):
    address = filed()
    hazard = closed(cast, Hazard.objects.get())
    step(hazard, "show_photos", cast.dispatcher)
    client = Client()
    client.get(address)
    client.get(f"{address}photos/1.jpg")  # makes the picture
    with django_assert_num_queries(6):
        client.get(address)
    with django_assert_num_queries(3):
        client.get(f"{address}photos/1.jpg")
