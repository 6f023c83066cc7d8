"""The change log of hazards: whose, with who made each change, and nothing to change in it."""

import pghistory
import pytest
from django.urls import reverse

from tests.factories import HOME, file_hazard, make_city, person

LOG = reverse("admin:hazards_hazardhistory_changelist")


@pytest.fixture
def hazard(db):
    make_city()
    worker = person("grid_worker")
    with pghistory.context(user=worker.pk, url="/api/v1/hazards/"):
        return file_hazard(worker)


def sign_in(client, role, area="3705"):
    client.force_login(person(role, area=area), backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_a_change_says_who_made_it_and_what_it_left_behind(client, hazard):
    sign_in(client, "auditor")
    assert len(client.get(LOG).context["cl"].result_list) == 1
    [row] = client.get(LOG, {"q": hazard.number}).context["cl"].result_list
    page = client.get(reverse("admin:hazards_hazardhistory_change", args=[row.pk])).content.decode()
    for words in (hazard.number, hazard.reporter.username, hazard.description, "/api/v1/hazards/"):
        assert words in page
    assert 'name="_save"' not in page
    for left_out in ("field-party_users", "field-party_departments", "field-period"):
        assert left_out not in page
    assert client.get(LOG, {"q": "YH-1"}).context["cl"].result_count == 0


@pytest.mark.parametrize(
    ("role", "area"), [("administrator", "3705"), ("security_officer", "3705"), ("operator", "3705"), ("auditor", HOME)]
)
def test_nobody_else_reads_it(client, hazard, role, area):
    assert sign_in(client, role, area).get(LOG).status_code in (302, 403)
