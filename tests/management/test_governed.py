"""What the demo's people have decided at the start: one open case shows the limit of the whole case."""

import pytest
from django.utils import timezone

from citysafety.accounts.demo import LABEL
from citysafety.accounts.tokens import issue
from citysafety.calendars.services import forget, seed_years
from citysafety.management.governed import govern
from grid.models import Matter
from hazards.models import Hazard
from hazards.present import clock_answer
from tests.factories import file_hazard, make_city, person
from tests.hazards.test_pages import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    make_city()
    seed_years(at=timezone.now())
    forget()
    found = {role: person(role, area="3705") for role in ("supervisor", "leader", "dispatcher")}
    for user in found.values():
        issue(user, LABEL)
    yield found
    forget()


def test_one_open_case_has_a_clock_of_the_whole_case_and_its_page_shows_it(people):
    Matter.objects.filter(code="XF-002").update(total_amount=16, total_unit="work_days")
    at = timezone.now()
    file_hazard(person("grid_worker"), at=at)
    assert govern(at) >= 1
    [hazard] = Hazard.objects.filter(matter__code="XF-002")
    assert (hazard.state, hazard.reporter) == ("accepted", people["dispatcher"])
    stages = {one["stage"]: one for one in clock_answer(hazard, at)["stages"]}
    assert (stages["total"]["amount"], stages["total"]["unit"]) == (16, "work_days")
    client = signed_in(people["dispatcher"])
    client.cookies["django_language"] = "en"
    assert "Whole case" in client.get(f"/hazards/{hazard.pk}/").content.decode()


def test_a_city_whose_matters_limit_no_whole_case_is_left_alone(people):
    file_hazard(person("grid_worker"), at=timezone.now())
    govern(timezone.now())
    assert not Hazard.objects.filter(clocks__stage="total").exists()
