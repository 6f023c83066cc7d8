"""The demo's history: lives that the table of steps allows, imported whole, with photos, work and notices that wait."""

from datetime import date, timedelta

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.db.models import Count, Max, Min
from django.utils import timezone

from citysafety import worktime
from citysafety.accounts.demo import LABEL
from citysafety.accounts.models import Department, User
from citysafety.accounts.tokens import issue
from citysafety.calendars.services import calendar, forget, seed_years
from citysafety.evidence.models import Attachment, Photo
from citysafety.evidence.services import folder
from citysafety.management import loading, past
from citysafety.management.past import City, Teller
from citysafety.management.staff import make_staff
from citysafety.management.waiting import Waiting
from citysafety.notices.models import Notice
from citysafety.tallies import selectors as tallies
from citysafety.tallies.models import NO_DAY, Tally
from citysafety.tallies.reconciling import differences
from grid import locate
from grid.models import Centre, Matter, Worker
from grid.services import post_worker
from hazards.history import import_history
from hazards.lifecycle import LIFECYCLE
from hazards.models import Clock, Hazard, Mark, Step
from tests.factories import AWAY, HOME, NOON, make_city, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def city(monkeypatch):
    """A small city with people in its cells and offices, and some demo accounts."""
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
    return made


@pytest.fixture
def told(city, monkeypatch):
    """Ten days of a small city, told and imported as ``bin/manage demo`` does."""
    monkeypatch.setattr(past, "A_DAY", 40)
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


# -- a year of it --------------------------------------------------------------------------------
@pytest.fixture
def year(city, monkeypatch):
    """The thirty days of the demo, and after them the year before, as ``bin/manage load_history`` brings it."""
    monkeypatch.setattr(past, "A_DAY", 8)
    seed_years()
    forget()
    for days in (30, 365):
        loading.load_history(days, 5, at=NOON, say=lambda words: None)
    return city


def test_a_year_agrees_with_its_figures_and_lies_before_now(year):
    assert [line for line in differences() if not line.startswith(("cell ", "worker "))] == []
    assert max(Step.objects.latest("at").at, Mark.objects.latest("at").at) < NOON
    assert Hazard.objects.filter(due_at__lt=NOON - timedelta(seconds=9), overdue=False).count() == 0
    assert Hazard.objects.values("number").distinct().count() == Hazard.objects.count() > 4000


def test_every_history_is_whole(year):
    steps = Step.objects.values("hazard").annotate(first=Min("version"), last=Max("version"), many=Count("pk"))
    rows = {row["hazard"]: (row["first"], row["last"], row["many"]) for row in steps}
    assert rows == {pk: (1, version, version) for pk, version in Hazard.objects.values_list("pk", "version")}
    ended = Hazard.objects.filter(state__in=("written_off", "refused"))
    assert Step.objects.filter(hazard__in=ended, action__in=("write_off", "refuse")).count() >= ended.count()
    assert not Hazard.objects.exclude(pk__in=Clock.objects.values("hazard")).exists()
    for hazard in Hazard.objects.order_by("pk")[:60]:
        acted = list(hazard.steps.order_by("version").values_list("actor", flat=True))
        assert hazard.party_users == list(dict.fromkeys(acted))
        assert set(hazard.party_departments) >= {hazard.department_id} - {None}


def test_clocks_of_the_past_ran_as_clocks_of_the_present_do(year):
    for clock in Clock.objects.filter(consumed_s=0).order_by("pk")[:200]:
        due = worktime.due_after(clock.started_at, clock.amount, clock.unit, calendar(), consumed_s=0)
        assert abs(clock.due_at - due.at) <= timedelta(milliseconds=2)


def test_a_year_falls_rests_at_weekends_and_has_all_classes_in_their_season(year):
    today = timezone.localdate(NOON)
    found = dict(Hazard.objects.values_list("received_at__date").annotate(Count("pk")))

    def mean(days):
        days = list(days)
        return sum(found.get(day, 0) for day in days) / len(days)

    first, last = (mean(today - timedelta(days=back + n) for n in range(1, 29)) for back in (336, 0))
    assert 2.6 < first / last < 4.2
    all_days = [today - timedelta(days=n) for n in range(1, 365)]
    weekend = mean(day for day in all_days if day.weekday() >= 5)
    assert 0.6 < weekend / mean(day for day in all_days if day.weekday() < 5) < 0.85
    classes = Hazard.objects.values_list("matter__matter_class__code").annotate(Count("pk"))
    active = set(Matter.objects.filter(active=True).values_list("matter_class__code", flat=True))
    assert {code for code, _many in classes} == active


def test_old_days_of_villages_are_counted_where_they_are_not_kept(year):
    for area in (f"{HOME}001001", f"{HOME}001001001", f"{HOME}001"):
        first = timezone.localdate() - timedelta(days=364)
        within = Hazard.objects.within(area).filter(received_at__date__gte=first)
        assert sum(value for _day, value in tallies.days("hazards.found_today", area, 365)) == within.count() > 100
    assert not Tally.objects.filter(area=f"{HOME}001001", day__gt=NO_DAY, day__lt=first + timedelta(days=300)).exists()


def test_days_that_have_hazards_are_left_alone(year):
    before = Hazard.objects.count()
    assert loading.load_history(365, 5, at=NOON, say=lambda words: None) == 0
    assert Hazard.objects.count() == before


def test_a_step_after_the_import_is_in_the_change_log_again(year):
    hazard = Hazard.objects.open().first()
    kept = apps.get_model("hazards", "HazardHistory")
    assert not kept.objects.exists()
    hazard.description = "改"
    hazard.save(update_fields=["description"])
    assert kept.objects.count() == 1


def test_offices_differ(year):
    teller = Teller(City(), now=NOON, seed=5, album={}, pictured_since=NOON)
    assert teller.slips.min() < teller.slips.max()
    assert 0.002 <= teller.slips.min() <= teller.slips.max() <= 0.2
