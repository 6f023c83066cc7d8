"""The demo's history: lives that the table of steps allows, imported whole, with photos, work and notices that wait."""

from datetime import date, timedelta

import pytest
from django.db import connection, transaction

from citysafety.accounts.demo import LABEL
from citysafety.accounts.models import Department, User
from citysafety.accounts.tokens import issue
from citysafety.evidence.models import Attachment, Photo
from citysafety.evidence.services import folder
from citysafety.management import loading, past
from citysafety.management.past import City, Teller
from citysafety.management.staff import make_staff
from citysafety.management.waiting import Waiting
from citysafety.notices.models import Notice
from citysafety.tallies.reconciling import differences
from grid import locate
from grid.models import Centre, Worker
from grid.services import post_worker
from hazards.history import import_history
from hazards.lifecycle import LIFECYCLE
from hazards.models import Clock, Hazard, Mark, Step
from tests.factories import AWAY, HOME, NOON, make_city, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(monkeypatch):
    """Ten days of a small city, told and imported as ``bin/manage demo`` does."""
    monkeypatch.setattr(past, "A_DAY", 40)
    monkeypatch.setattr(loading, "SCENES_A_CLASS", 2)
    locate.forget()
    made = make_city()
    centre = Centre.objects.create(code="ZX", name_zh="网格中心", level="township", division_id=f"{HOME}001")
    for n, cell in enumerate(made.cells.values()):
        for role in ("primary", "backup"):
            user = person("grid_worker", area=cell.code[:6])
            worker = Worker.objects.create(user=user, number=f"W{user.pk}", centre=centre, area_code=cell.code)
            post_worker(worker_id=worker.pk, cell_id=cell.pk, role=role, since=date(2026, 1, 1), at=NOON)
            if n == 0:
                issue(user, LABEL)
    for user in (
        person("department_handler", department=made.departments["fire-02"]),
        person("dispatcher", level="county"),
        person("dispatcher", area="3705", level="city"),
    ):
        issue(user, LABEL)
    make_staff(seed=1)
    album = loading.draw_album(NOON - timedelta(days=7))
    teller = Teller(City(), now=NOON, seed=7, album=album, pictured_since=NOON - timedelta(days=7))
    waiting = Waiting(teller)
    number = import_history(waiting.among(teller.days(10)))
    waiting.tell()
    assert number == Hazard.objects.count() > 200
    return teller


def test_nothing_is_told_of_the_future_and_every_step_is_a_row_of_the_table(told):
    assert max(Step.objects.latest("at").at, Mark.objects.latest("at").at) < NOON
    assert Hazard.objects.values("number").distinct().count() == Hazard.objects.count()
    known = {(step.source, step.action, step.target) for step in LIFECYCLE.steps}
    taken = set(Step.objects.exclude(action="report").values_list("source", "action", "target").distinct())
    assert taken <= known
    assert {"return", "fail", "refuse", "handle_on_spot", "write_off"} <= {action for _source, action, _target in taken}
    for hazard in Hazard.objects.all()[:50]:
        versions = list(hazard.steps.order_by("at", "version").values_list("version", flat=True))
        assert versions == list(range(1, hazard.version + 1))


def test_nobody_verified_their_own_work(told):
    for step in Step.objects.filter(action="verify").select_related("hazard"):
        doing = step.hazard.steps.filter(action__in=("rectify", "handle_on_spot"), version__lt=step.version)
        assert doing.latest("version").actor_id != step.actor_id


def test_figures_of_the_history_agree_with_its_rows_and_keys_and_indexes_are_back(told):
    # The small city is made without the periods of its cells and workers.
    assert [line for line in differences() if not line.startswith(("cell ", "worker "))] == []
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, "hazards_step")
    assert sum(one["foreign_key"] is not None for one in constraints.values()) == 3
    assert any(one["index"] and not one["primary_key"] for one in constraints.values())
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_open_cases_have_one_running_clock_and_what_ran_out_is_marked(told):
    for hazard in Hazard.objects.open():
        clock = Clock.objects.get(hazard=hazard, stopped_at=None)
        assert (clock.stage, clock.due_at) == (hazard.due_stage, hazard.due_at)
        assert hazard.overdue == (hazard.due_at + timedelta(seconds=9) < NOON)
    assert not Clock.objects.filter(hazard__state__in=("written_off", "refused"), stopped_at=None).exists()


def test_photos_prove_the_steps_of_the_last_week_only(told):
    proven = Step.objects.filter(action__in=("rectify", "handle_on_spot"), at__gte=told.pictured_since)
    used = set(Attachment.objects.filter(role="after").values_list("used_by", flat=True))
    assert {step.pk for step in proven} == used
    assert not Attachment.objects.filter(at__lt=told.pictured_since).exists()
    photo = Photo.objects.first()
    assert {path.name for path in folder(photo.pk).iterdir()} == {"original", "view.jpg", "thumb.jpg"}


def test_demo_accounts_have_work_waiting_and_notices(told):
    people = {user.role: user for user in User.objects.filter(access_tokens__label=LABEL).order_by("-pk")}
    worker, handler = people["grid_worker"], people["department_handler"]
    cell = worker.worker.postings.get().cell
    assert Hazard.objects.filter(cell=cell, state="rectified").exclude(rectified_by=worker).count() >= 3
    for state in ("dispatched", "taken"):
        assert Hazard.objects.filter(department=handler.department, state=state).count() >= 2
    assert Hazard.objects.filter(area_code__startswith=HOME, state="reported").count() >= 3
    for user in (worker, handler):
        assert Notice.objects.filter(recipient=user, read_at=None).exists()


def test_every_office_has_handlers_and_every_county_dispatchers(told):
    staffed = User.objects.filter(role="department_handler").values_list("department_id", flat=True)
    assert set(staffed) == set(Department.objects.values_list("pk", flat=True))
    assert User.objects.filter(role="dispatcher", area_code=AWAY).count() == 2
    assert make_staff(seed=1) == 0
