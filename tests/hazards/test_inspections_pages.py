"""Pages of inspections: who opens them, what they say, what they cost; the demo's inspections."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from citysafety.management.inspected import inspect
from grid.models import Centre, Posting, Premises, Worker
from hazards.inspections.models import Checklist, Inspection, InspectionPlan, Result, RiskRule
from hazards.models import Hazard
from tests.factories import AWAY, HOME, file_hazard, person

from .inspecting import Town, make_town

pytestmark = pytest.mark.django_db


@pytest.fixture
def town() -> Town:
    return make_town()


@pytest.mark.parametrize("rows", [1, 3])
def test_pages_cost_the_same_however_long(town, client, rows, django_assert_num_queries):
    for n in range(rows):
        town.send(town.visit("a", "b"))
        place = Premises.objects.get(pk=town.shop.pk)
        place.pk, place.code = None, f"CS9{n}"
        place.save()
        town.send(town.visit(premises=place.code))
    one = Inspection.objects.filter(failed=2).first()
    client.force_login(town.worker)
    client.get("/inspections/")
    for path, number in (
        ("/inspections/", 7),
        ("/inspections/done/", 6),
        ("/inspections/premises/CS1/", 6),
        (f"/inspections/{one.pk}/", 7),
        ("/inspections/new/?premises=CS1", 5),
    ):
        with django_assert_num_queries(number):
            assert client.get(path).status_code == 200, path
    for path, number in (("/inspections/", 3), ("/inspections/done/", 3)):
        with django_assert_num_queries(number):
            assert "<table" in client.get(path, headers={"HX-Request": "true", "HX-Target": "list"}).content.decode()


def test_pages_open_to_those_who_have_a_part_in_them(town, client):
    done = town.send(town.visit("a")).json()
    for role, area, page, status in (
        ("grid_worker", HOME, "", 200), ("supervisor", HOME, "done/", 200), ("auditor", HOME, "premises/CS1/", 200),
        ("leader", HOME, f"{done['id']}/", 200), ("leader", AWAY, f"{done['id']}/", 404),
        ("leader", AWAY, "premises/CS1/", 404), ("operator", HOME, "", 403), ("administrator", HOME, "done/", 403),
        ("kiosk", HOME, "", 403), ("supervisor", HOME, "new/?premises=CS1", 403),
        ("grid_worker", HOME, "new/?premises=CS1", 200), ("grid_worker", HOME, "new/?premises=CS2", 404),
        ("grid_worker", HOME, "new/", 404), ("grid_worker", HOME, f"new/?premises=CS1&of={uuid.uuid4()}", 404),
        ("grid_worker", HOME, "new/?premises=CS1&of=x", 404), ("grid_worker", HOME, f"?area={AWAY}", 404),
    ):  # fmt: skip
        client.force_login(person(role, area=area))
        assert client.get(f"/inspections/{page}").status_code == status, (role, page)


def test_the_menu_has_inspections_for_those_who_use_them(town, client):
    for role, has in (("grid_worker", True), ("supervisor", True), ("operator", False)):
        client.force_login(person(role))
        assert ('href="/inspections/"' in client.get("/hazards/").content.decode()) is has


def test_what_is_late_is_marked_and_counted_in_both_languages(town, client):
    InspectionPlan.objects.filter(premises=town.shop).update(due_on=timezone.localdate() - timedelta(days=3))
    client.force_login(town.worker)
    assert "天天粮油店" in client.get("/inspections/?overdue=true").content.decode()
    client.cookies["django_language"] = "en"
    page = client.get("/inspections/?overdue=true").content.decode()
    assert "Grain shop" in page
    assert "overdue" in page
    assert client.get("/inspections/?overdue=maybe").content.decode().count("was not understood") == 1


def test_the_form_asks_the_items_of_the_version_or_those_that_failed(town, client):
    done = town.send(town.visit("a", "b")).json()
    client.force_login(town.worker)
    whole = client.get("/inspections/new/?premises=CS1").content.decode()
    assert [f'data-item="{code}"' in whole for code in "abc"] == [True, True, True]
    assert (whole.count('value="pass"'), whole.count('value="na"')) == (3, 2)
    early = client.get(f"/inspections/new/?premises=CS1&of={done['id']}").content.decode()
    assert "data-inspect" not in early
    for row in done["results"][:2]:
        town.close(row["hazard"]["id"])
    again = client.get(f"/inspections/new/?premises=CS1&of={done['id']}").content.decode()
    assert [f'data-item="{code}"' in again for code in "abc"] == [True, True, False]


def test_a_reader_who_may_not_see_a_hazard_is_told_only_that_there_is_one(town, client):
    done = town.send(town.visit("c")).json()
    client.force_login(town.handler)  # the checklist is the fire brigade's; the hazard is with nobody yet
    page = client.get(f"/inspections/{done['id']}/").content.decode()
    assert Hazard.objects.get().number not in page
    assert client.get(f"/api/v1/inspections/{done['id']}/").json()["results"][2]["hazard"] is None


# -- the administration --------------------------------------------------------------------------


def test_a_new_version_begins_with_the_items_of_the_last_and_a_used_one_is_closed(town, client):
    client.force_login(person("administrator", area="3705"))
    base = "/admin/hazards/checklistversion/"
    form = {"checklist": town.checklist.pk, "number": 2, "in_force_from": "2026-06-01", "basis": ""}
    assert client.post(f"{base}add/", form).status_code == 302
    newer = town.checklist.versions.get(number=2)
    assert list(newer.items.values_list("code", "matter__code")) == list(
        town.version.items.values_list("code", "matter__code")
    )
    assert 'name="items-0-code"' in client.get(f"{base}{newer.pk}/change/").content.decode()
    town.send(town.visit())
    page = client.get(f"{base}{town.version.pk}/change/").content.decode()
    assert 'name="items-0-code"' not in page
    assert 'name="number"' not in page


def test_editing_a_rule_grades_all_premises_anew(town, client):
    client.force_login(person("administrator", area="3705"))
    rule = RiskRule.objects.get(factor="kind")
    form = {
        "factor": "kind", "kind": "shop", "at_least": 0, "points": 50, "active": "on", "name_zh": "店", "name_en": "shop",
    }  # fmt: skip
    assert client.post(f"/admin/hazards/riskrule/{rule.pk}/change/", form).status_code == 302
    assert set(InspectionPlan.objects.values_list("score", "colour")) == {(60, 1)}


# -- the demo ------------------------------------------------------------------------------------


def test_the_demo_binds_inspections_to_its_history_and_leaves_some_late(town, django_assert_max_num_queries):
    at = timezone.now()
    worker = town.worker
    centre = Centre.objects.create(code="C1", level="township", division_id=f"{HOME}001", name_zh="网格中心")
    row = Worker.objects.create(user=worker, number="W1", centre=centre, area_code=town.shop.area_code)
    Posting.objects.create(worker=row, cell=town.shop.cell, role="primary", since=timezone.localdate())
    Checklist.objects.filter(pk=town.checklist.pk).update(code="ten-point")
    for n in range(60):
        place = Premises.objects.get(pk=town.shop.pk)
        place.pk, place.code = None, f"DM{n:03d}"
        place.save()
    hazards = [file_hazard(worker, at=at - timedelta(days=n)) for n in (1, 2, 3)]
    with django_assert_max_num_queries(120):
        made = inspect(at, seed=7)
    assert made == Inspection.objects.count() == 61
    assert set(Result.objects.filter(result="fail").values_list("hazard", flat=True)) == {one.pk for one in hazards}
    assert Inspection.objects.filter(result="fail").count() == 3
    assert inspect(at, seed=7) == 0
    assert InspectionPlan.objects.filter(last__isnull=False).count() == 61
