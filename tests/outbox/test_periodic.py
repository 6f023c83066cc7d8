"""Beat or a worker that is silent is said: by /readyz, on the line of screens, to administrators; and no longer once it is back."""

from datetime import timedelta

import pytest
from django.conf import settings as configured
from django.test import Client
from django.utils import timezone

from citysafety import health
from citysafety.outbox.models import Head
from citysafety.outbox.selectors import head
from citysafety.outbox.services import keep_working
from citysafety.outbox.tasks import say_periodic
from tests.accounts.people import person
from tests.factories import make_city

pytestmark = pytest.mark.django_db
SILENT = "No periodic work since"


@pytest.fixture
def silent():
    """Beat has been silent for twelve minutes: the row says so, as no task has come since."""
    since = timezone.now() - timedelta(minutes=12)
    Head.objects.update_or_create(pk=1, defaults={"worked_at": since})
    return since


def test_an_instance_that_has_not_begun_counts_from_its_first_row():
    assert head().idle_since(timezone.now()) is None
    Head.objects.create(pk=1)
    now = timezone.now()
    assert head().idle_since(now) is None
    assert head().idle_since(now + timedelta(minutes=6)) == Head.objects.get().worked_at


def test_silence_begins_after_the_minutes_that_are_set_and_ends_with_the_next_work(settings):
    begin = timezone.now()
    keep_working(at=begin)
    assert configured.PERIODIC_SILENT_MINUTES == 5
    assert head().idle_since(begin + timedelta(minutes=5)) is None
    late = begin + timedelta(minutes=5, seconds=1)
    assert head().idle_since(late) == begin
    settings.PERIODIC_SILENT_MINUTES = 30
    assert head().idle_since(late) is None
    settings.PERIODIC_SILENT_MINUTES = 5
    keep_working(at=late)
    assert head().idle_since(late) is None
    keep_working(at=begin)  # a worker that was held up does not turn it back
    assert Head.objects.get().worked_at == late


def test_readyz_stays_open_and_says_since_when_nothing_is_done(silent):
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    words = answer.json()["periodic"]
    assert words.startswith(f"no periodic work since {silent.isoformat(timespec='seconds')}, 72")
    assert 720 <= health.lags()["periodic"] < 730
    say_periodic()
    assert Client().get("/readyz").json() == {"status": "ok"}
    assert health.lags()["periodic"] < 5


def test_administrators_read_it_on_every_page_and_others_do_not(silent, client):
    make_city()
    client.cookies[configured.LANGUAGE_COOKIE_NAME] = "en"
    for role, path, reads in (("administrator", "/admin/", True), ("administrator", "/notices/", True), ("grid_worker", "/notices/", False)):  # fmt: skip
        client.force_login(person(role, area="3705"))
        page = client.get(path)
        assert page.status_code == 200, path
        assert (SILENT in page.content.decode()) is reads, (role, path)
    say_periodic()
    client.force_login(person("administrator", area="3705"))
    assert SILENT not in client.get("/admin/").content.decode()
