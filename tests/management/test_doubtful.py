"""The demo's invented patterns: each is found by the detector that it was made for."""

import pytest

from citysafety.accounts.demo import LABEL
from citysafety.accounts.tokens import issue
from citysafety.management.doubtful import cheat
from hazards.evaluation.models import Finding
from hazards.models import Hazard
from tests.factories import NOON, person

from .test_past import city

__all__ = ["city"]
pytestmark = pytest.mark.django_db


def test_what_a_few_people_do_is_found_and_told_to_a_supervisor(city):
    issue(person("supervisor", area="3705"), LABEL)
    assert cheat(NOON) == Finding.objects.count()
    found = dict(Finding.objects.values_list("detector__code", "figures__cases"))
    assert {code: found[code] for code in ("on_the_spot", "batch", "photos")} == {
        "on_the_spot": 12,
        "batch": 9,
        "photos": 4,
    }


def test_without_a_supervisor_nothing_is_invented(city):
    assert cheat(NOON) == 0
    assert not Hazard.objects.exists()
