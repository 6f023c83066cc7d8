"""A photo whose pictures were given up is found in the administration and started anew."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from citysafety.evidence import services
from citysafety.evidence.models import MOST_ATTEMPTS, Photo
from tests.factories import person

LIST = reverse("admin:evidence_photo_changelist")
MADE, WAITING, PARKED = "a" * 64, "b" * 64, "c" * 64


@pytest.fixture
def photos(db):
    now = timezone.now()
    look = {"size": 9, "mime": "image/jpeg", "width": 16, "height": 16, "received_at": now}
    Photo.objects.create(sha256=MADE, derived_at=now, deriving=1, **look)
    Photo.objects.create(sha256=WAITING, deriving=1, **look)
    Photo.objects.create(sha256=PARKED, deriving=MOST_ATTEMPTS, **look)


def sign_in(client, role):
    client.force_login(person(role, area="3705"), backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.parametrize(("state", "found"), [("made", MADE), ("waiting", WAITING), ("parked", PARKED)])
def test_photos_are_found_by_how_their_pictures_stand(client, photos, state, found):
    rows = sign_in(client, "administrator").get(LIST, {"pictures": state}).context["cl"].result_list
    assert [photo.pk for photo in rows] == [found]


def test_only_what_was_given_up_starts_anew(client, photos):
    chosen = {"action": "try_again", "_selected_action": [MADE, WAITING, PARKED]}
    assert sign_in(client, "administrator").post(LIST, chosen).status_code == 302
    assert dict(Photo.objects.values_list("pk", "deriving")) == {MADE: 1, WAITING: 1, PARKED: 0}
    assert set(services.waiting(at=timezone.now() + timedelta(minutes=1))) == {WAITING, PARKED}


def test_the_auditor_looks_and_starts_nothing(client, photos):
    sign_in(client, "auditor").post(LIST, {"action": "try_again", "_selected_action": [PARKED]})
    assert Photo.objects.get(pk=PARKED).deriving == MOST_ATTEMPTS


def test_a_given_up_photo_is_told_to_the_watch(client, photos):
    assert "citysafety_pictures_given_up 1.0" in client.get("/metrics").content.decode()
