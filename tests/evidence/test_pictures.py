"""A photo that many look at before the worker has come to it is drawn once, and every one of them sees it."""

import threading

import pytest
from django.db import connections
from django.utils import timezone

from citysafety.evidence import services
from citysafety.evidence.models import Photo
from tests.hazards.test_api import picture

pytestmark = pytest.mark.django_db(transaction=True)
LOOKERS = 8


@pytest.fixture
def received(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    data, now = picture(side=1800), timezone.now()
    opened = services.open_picture(data)
    [sha256] = services.take_in([data], at=now)
    Photo.objects.filter(pk=sha256).update(derived_at=None)
    for size in ("view.jpg", "thumb.jpg"):
        (services.folder(sha256) / size).unlink()
    assert max(opened.size) > services.VIEW_SIDE
    return sha256


def test_those_who_look_at_once_wait_for_the_one_who_draws(received):
    barrier, made, failures = threading.Barrier(LOOKERS), [], []

    def look():
        barrier.wait(10)
        try:
            made.append(services.derive(sha256=received, at=timezone.now()))
        except Exception as failure:
            failures.append(failure)
        connections.close_all()

    threads = [threading.Thread(target=look) for _ in range(LOOKERS)]
    [thread.start() for thread in threads]
    [thread.join(60) for thread in threads]

    assert failures == []
    assert sorted(made) == [False] * (LOOKERS - 1) + [True]
    assert Photo.objects.get(pk=received).deriving == 1, "who waited has tried nothing"
    assert sorted(path.name for path in services.folder(received).iterdir()) == ["original", "thumb.jpg", "view.jpg"]


def test_a_photo_whose_bytes_are_gone_counts_its_attempts_and_is_given_up(received):
    (services.folder(received) / "original").unlink()
    services.folder(received).rmdir()
    for _ in range(3):
        with pytest.raises(FileNotFoundError):
            services.derive(sha256=received, at=timezone.now())
    assert not services.derive(sha256=received, at=timezone.now())
    assert Photo.objects.parked().filter(pk=received).exists()
