"""Who is told of what: every fact of a hazard, of the grid and of the calendar, heard through the relay's own table."""

import io
import itertools
import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import translation
from PIL import Image

from citysafety.accounts.models import User
from citysafety.calendars import services as calendars
from citysafety.calendars.models import CalendarYear, Day
from citysafety.notices.models import Notice
from citysafety.notices.topics import words
from citysafety.outbox.models import OutboxEntry
from citysafety.outbox.relay import hear, relay_waiting
from citysafety.subscriptions import LISTENERS
from grid.models import Centre, Posting, Worker
from grid.services import post_worker, set_worker_state
from grid.services.postings import end_posting
from hazards import listeners
from hazards.models import Hazard
from hazards.seeds import seed_limits
from hazards.services import mark_overdue, take_step
from hazards.services.steps import StepInput
from tests.factories import AWAY, HOME, NOON, attach_to, file_hazard, make_city, person

pytestmark = pytest.mark.django_db
TOWN, CELL = f"{HOME}001", f"{HOME}001001001"
_shades = itertools.count(1)


class People:
    """A small city with somebody in every role."""

    def __init__(self) -> None:
        self.city = make_city()
        fire, roads = self.city.departments["fire-02"], self.city.departments["roads-02"]
        self.reporter, self.primary, self.backup = (self.worker(area=HOME) for _n in range(3))
        self.post(self.primary, "primary")
        self.post(self.backup, "backup")
        self.handlers = [person("department_handler", department=fire) for _n in range(2)]
        self.stranger = person("department_handler", department=roads)
        self.county, self.second = person("dispatcher", level="county"), person("dispatcher", level="county")
        self.top = person("dispatcher", area="3705", level="city")
        self.elsewhere = person("dispatcher", area=AWAY, level="county")
        self.supervisor, self.leader, self.operator = (person(r) for r in ("supervisor", "leader", "operator"))
        person("supervisor", area=AWAY)
        person("dispatcher", is_active=False)

    def worker(self, area: str) -> User:
        user = person("grid_worker", area=area)
        centre, _made = Centre.objects.get_or_create(
            code="ZX", defaults={"name_zh": "网格中心", "level": "township", "division_id": TOWN}
        )
        Worker.objects.create(user=user, number=f"W{user.pk}", centre=centre, area_code=TOWN)
        return user

    def post(self, user: User, role: str, cell: str = CELL) -> Posting:
        cell_id = self.city.cells[cell].pk
        return post_worker(worker_id=user.worker.pk, cell_id=cell_id, role=role, since=date(2026, 1, 1), at=NOON)

    def step(self, hazard: Hazard, action: str, by: User, **fields: object) -> Hazard:
        for role in {"rectify": ["after"], "handle_on_spot": ["before", "after"]}.get(action, []):
            photo(hazard, role, by)
        hazard.refresh_from_db()
        given = StepInput(id=uuid.uuid4(), version=hazard.version, lon=118.53, lat=37.45, **fields)
        return take_step(hazard_id=hazard.pk, action=action, given=given, actor=by, at=NOON)

    def bring(self, hazard: Hazard, to: str) -> Hazard:
        """Take the steps of the plain life up to one of them."""
        steps = {
            "accept": (self.county, {}),
            "dispatch": (self.county, {"department": "fire-02"}),
            "take": (self.handlers[0], {}),
            "rectify": (self.handlers[0], {"words": "已清理"}),
            "verify": (self.primary, {}),
            "write_off": (self.second, {}),
        }
        for action, (by, fields) in steps.items():
            hazard = self.step(hazard, action, by, **fields)
            if action == to:
                return hazard
        raise AssertionError(to)


def photo(hazard: Hazard, role: str, by: User) -> None:
    out = io.BytesIO()
    Image.new("L", (32, 32), next(_shades) % 250).save(out, "PNG")
    data = out.getvalue()
    attach_to(hazard, role, data, by)


@pytest.fixture
def people():
    return People()


def relay() -> None:
    while relay_waiting(listen=LISTENERS):
        pass
    assert not OutboxEntry.objects.filter(failed=True).exists(), "no listener failed"


def told(topic: str) -> set[int]:
    return set(Notice.objects.filter(topic=topic).values_list("recipient_id", flat=True))


def ids(*users: User) -> set[int]:
    return {user.pk for user in users}


def test_a_plain_life_tells_each_whose_turn_it_is_and_the_reporter_at_the_end(people):
    people.bring(file_hazard(people.reporter), "write_off")
    relay()

    assert told("hazard.dispatched") == ids(*people.handlers)
    assert told("hazard.to_verify") == ids(people.primary, people.backup)
    assert told("hazard.written_off") == ids(people.reporter)
    assert Notice.objects.count() == 2 + 2 + 1


def test_the_refused_reporter_reads_the_reason_and_the_nearest_dispatchers_hear_of_the_protest(people):
    hazard = file_hazard(people.reporter)
    people.step(hazard, "refuse", people.top, words="不属于安全隐患")
    people.step(hazard, "contest", people.reporter, words="照片为证")
    relay()

    assert told("hazard.refused") == ids(people.reporter)
    assert told("hazard.contested") == ids(people.county, people.second), (
        "the city is told only where no level below is"
    )
    said = words(Notice.objects.get(topic="hazard.refused"), "en")
    assert said.title == "Your report was refused: Blocked escape route"
    assert said.body == f"{hazard.number} · 370502 Cell 1 · Reason: 不属于安全隐患"
    assert said.path == f"/field/cases/{hazard.pk}/"


def test_what_is_asked_of_a_limit_reaches_who_decides_and_the_decision_who_asked(people):
    seed_limits()
    hazard = people.bring(file_hazard(people.reporter), "take")
    people.step(hazard, "ask_extension", people.handlers[0], amount=1, words="配件未到")
    people.step(hazard, "grant_extension", people.county)
    people.step(hazard, "ask_pause", people.handlers[0], cause="weather", words="暴雨")
    people.step(hazard, "deny_pause", people.county, words="雨已停")
    people.step(hazard, "pause", people.supervisor, cause="weather", words="又下了")
    people.step(hazard, "resume", people.handlers[1])
    people.step(hazard, "pin", people.leader)
    relay()

    assert told("hazard.extension_asked") == ids(people.county, people.second)
    assert told("hazard.extension_granted") == ids(*people.handlers)
    assert told("hazard.pause_asked") == ids(people.county, people.second, people.supervisor)
    assert told("hazard.pause_denied") == told("hazard.paused") == told("hazard.pinned") == ids(*people.handlers)
    assert told("hazard.resumed") == ids(people.handlers[0])  # not who did it
    with translation.override("en"):
        assert (
            words(Notice.objects.filter(topic="hazard.pinned").first(), "en").title
            == "A leader set a limit: Blocked escape route"
        )


def test_a_merged_report_is_followed_and_every_reporter_hears_of_the_end(people):
    other = people.worker(area=HOME)
    duplicate, original = file_hazard(other), file_hazard(people.reporter)
    people.step(duplicate, "merge", people.county, into=original.number)
    people.step(duplicate, "remark", other, words="又多了一箱")
    relay()
    assert told("hazard.merged") == ids(other)
    assert f"Followed as {original.number}" in words(Notice.objects.get(topic="hazard.merged"), "en").body
    assert told("hazard.remarked") == ids(people.county, people.second)
    assert {str(pk) for pk in Notice.objects.filter(topic="hazard.remarked").values_list("subject_id", flat=True)} == {
        str(original.pk)
    }
    people.bring(original, "write_off")
    relay()
    assert told("hazard.written_off") == ids(people.reporter, other)


def test_a_township_with_a_dispatcher_is_told_before_the_county(people):
    here = person("dispatcher", area=TOWN, level="township")
    hazard = people.bring(file_hazard(people.reporter), "write_off")
    people.step(hazard, "reopen", people.reporter, words="又堆上了")
    relay()

    assert told("hazard.reopened") == ids(here)


def test_who_dispatched_hears_of_the_return(people):
    hazard = people.bring(file_hazard(people.reporter), "dispatch")
    people.step(hazard, "return", people.handlers[1], words="不属本部门职责")
    relay()

    assert told("hazard.returned") == ids(people.county)


def test_a_failed_verification_goes_back_to_the_department_and_on_the_spot_to_the_dispatchers(people):
    hazard = people.bring(file_hazard(people.reporter), "rectify")
    people.step(hazard, "fail", people.primary, words="整改不彻底")
    spot = people.step(file_hazard(people.reporter, claimed_on_spot=True), "handle_on_spot", people.reporter)
    people.step(spot, "fail", people.backup, words="仍有杂物")
    relay()

    assert told("hazard.failed") == ids(*people.handlers, people.county, people.second)
    assert Notice.objects.filter(topic="hazard.failed").count() == 4


def test_what_was_put_right_on_the_spot_is_not_offered_to_its_doer_to_verify(people):
    people.step(file_hazard(people.primary), "handle_on_spot", people.primary)
    relay()

    assert told("hazard.to_verify") == ids(people.backup)


def test_where_no_worker_may_verify_the_nearest_dispatchers_are_told(people):
    Worker.objects.update(state=Worker.State.ILL)
    people.bring(file_hazard(people.reporter), "rectify")
    relay()

    assert told("hazard.to_verify") == ids(people.county, people.second)


def test_a_major_hazard_tells_dispatchers_operators_and_leaders_of_the_area_and_not_its_own_reporter(people):
    file_hazard(people.operator, severity="major", criterion="other: 判定标准第三条第一款")
    file_hazard(people.reporter)
    relay()

    assert told("hazard.major") == ids(people.county, people.second, people.top, people.leader)
    assert set(Notice.objects.values_list("level", flat=True)) == {2}


@pytest.mark.parametrize(
    ("stage", "to", "topic", "whose"),
    [
        ("accept", None, "hazard.overdue", ("county", "second")),
        ("rectify", "dispatch", "hazard.overdue", ("handlers",)),
        ("rectify", "take", "hazard.overdue", ("handlers",)),
        ("verify", "rectify", "hazard.overdue_to_verify", ("primary", "backup")),
        ("verify", "verify", "hazard.overdue", ("county", "second")),
    ],
)
def test_what_is_overdue_is_told_to_those_whose_work_it_is_and_once_to_the_supervisors(people, stage, to, topic, whose):
    hazard = file_hazard(people.reporter)
    hazard = people.bring(hazard, to) if to else hazard
    relay()
    Notice.objects.all().delete()
    for _sweep in range(3):
        mark_overdue(at=hazard.due_at + timedelta(minutes=1))
        relay()

    assert hazard.due_stage == stage
    expected = [user for name in whose for user in (people.handlers if name == "handlers" else [getattr(people, name)])]
    assert told(topic) == ids(*expected)
    assert told("hazard.overdue_in_area") == ids(people.supervisor)
    assert Notice.objects.count() == len(expected) + 1


def test_supervisors_hear_once_of_a_case_that_runs_out_in_two_stages(people):
    hazard = file_hazard(people.reporter)
    mark_overdue(at=hazard.due_at + timedelta(minutes=1))
    hazard = people.bring(hazard, "dispatch")
    mark_overdue(at=hazard.due_at + timedelta(minutes=1))
    relay()

    assert told("hazard.overdue") == ids(people.county, people.second, *people.handlers)
    assert Notice.objects.filter(topic="hazard.overdue_in_area").count() == 1


def test_a_fact_relayed_again_writes_nothing_again(people):
    people.bring(file_hazard(people.reporter), "write_off")
    relay()
    before = Notice.objects.count()
    for entry in OutboxEntry.objects.order_by("position"):
        for listener in LISTENERS.get(entry.topic, ()):
            hear(listener, [entry])

    assert Notice.objects.count() == before > 0


QUERIES = {
    "hazard.reported": 0, "hazard.dispatch": 8, "hazard.take": 0, "hazard.rectify": 8, "hazard.verify": 0, "hazard.write_off": 12,
    "hazard.accept": 0, "hazard.mark_overdue": 15,
}  # fmt: skip


@pytest.mark.parametrize("more", [0, 3])
def test_a_fact_costs_the_same_few_queries_whatever_the_number_of_people(people, django_assert_num_queries, more):
    for _n in range(more):
        person("department_handler", department=people.city.departments["fire-02"])
        person("dispatcher")
        person("supervisor")
        people.post(people.worker(area=HOME), "backup")
    hazard = file_hazard(people.reporter)
    mark_overdue(at=hazard.due_at + timedelta(minutes=1))
    people.bring(hazard, "write_off")
    for entry in OutboxEntry.objects.filter(kind="hazard").order_by("pk"):
        with django_assert_num_queries(QUERIES[entry.topic]):
            for listener in LISTENERS.get(entry.topic, ()):
                hear(listener, [entry])


def test_every_topic_has_words_in_both_languages_for_every_notice_written(people):
    hazard = file_hazard(people.reporter, severity="major", criterion="other: 判定标准第三条第一款")
    mark_overdue(at=hazard.due_at + timedelta(minutes=1))
    people.bring(hazard, "take")
    items = {"unit": "某单位", "person": "某人", "measures": "清理", "funds": "none", "contingency": "值守"}
    for n in range(2):
        people.step(hazard, "plan", people.handlers[0], finish_on=NOON.date(), **items)
        people.step(hazard, "approve_plan" if n else "return_plan", people.supervisor, words="措施不具体")
    people.step(hazard, "stop_work", people.supervisor, scope="二层", basis="安全生产法")
    people.step(hazard, "resume_work", people.supervisor, words="已复查")
    hazard = people.step(hazard, "rectify", people.handlers[0], words="已清理")
    mark_overdue(at=hazard.due_at + timedelta(minutes=1))
    relay()

    topics = set(Notice.objects.values_list("topic", flat=True))
    assert len(topics) == 11 and topics > {
        "hazard.plan_asked",
        "hazard.plan_returned",
        "hazard.plan_approved",
        "hazard.stopped",
        "hazard.work_resumed",
    }
    for notice in Notice.objects.all():
        for language in ("zh-hans", "en"):
            said = words(notice, language)
            assert hazard.number in said.body
            assert "%(" not in said.title + said.body + said.path
            assert {"en": "Blocked escape route", "zh-hans": "疏散通道堵塞"}[language] in said.title


def test_the_backup_hears_how_much_waits_in_the_cells_of_an_ill_colleague(people):
    people.bring(file_hazard(people.reporter), "rectify")
    file_hazard(people.primary, claimed_on_spot=True)
    file_hazard(people.reporter, claimed_on_spot=True)
    file_hazard(people.reporter)
    relay()
    Notice.objects.all().delete()
    set_worker_state(worker_id=people.primary.worker.pk, state=Worker.State.ILL, at=NOON)
    relay()

    notice = Notice.objects.get()
    assert notice.recipient == people.backup
    said = words(notice, "en")
    assert said.title == f"You answer for cells of {people.primary.name_en} now"
    assert said.body == "Cells: 370502 Cell 1. Cases that wait there for a worker: 2"
    assert said.path == "/field/cases/?list=verify"


def test_cells_that_nobody_answers_for_go_to_the_dispatchers_of_the_place(people):
    Posting.objects.filter(role="backup").delete()
    people.bring(file_hazard(people.reporter), "rectify")
    relay()
    Notice.objects.all().delete()
    set_worker_state(worker_id=people.primary.worker.pk, state=Worker.State.LEFT, at=NOON)
    relay()

    assert told("hazard.handover_to_centre") == ids(people.county, people.second)
    assert words(Notice.objects.first(), "en").path == f"/hazards/?state=rectified&area={TOWN}"


def test_an_ended_posting_tells_the_successor(people):
    posting = Posting.objects.get(worker__user=people.primary)
    end_posting(posting_id=posting.pk, until=NOON.date(), at=NOON)
    relay()

    assert told("hazard.handover") == ids(people.backup)


def test_due_times_follow_when_the_missing_year_arrives_and_when_a_day_is_edited(people):
    at = NOON.replace(year=2031)
    waits, runs = file_hazard(people.reporter, at=at), file_hazard(people.reporter)
    assert (waits.due_at, waits.due_reason) == (None, "calendar 2031 missing")
    CalendarYear.objects.create(year=2031, status="announced", source="test")
    Day.objects.create(date=NOON.date(), working=False, name_zh="临时放假", name_en="Holiday")
    calendars.announce_change([2026, 2031], at=at)
    relay()

    for hazard in (waits, runs):
        before = hazard.due_at
        hazard.refresh_from_db()
        assert hazard.due_at != before
        assert hazard.due_reason == ""
        assert hazard.clocks.get().due_at == hazard.due_at
    assert runs.due_at.date() > NOON.date()


def test_a_missing_next_year_is_told_once_a_day_from_november_on_to_those_who_can_mend_it(people):
    CalendarYear.objects.filter(year=2027).delete()
    calendars.forget()
    admin, officer = person("administrator", area="3705"), person("security_officer", area="3705")
    october = datetime(2026, 10, 31, 15, 59, tzinfo=UTC)  # a minute before November in the city
    runs = [
        october,
        october + timedelta(minutes=1),
        october + timedelta(hours=20),
        october + timedelta(hours=24, minutes=1),
    ]

    assert [listeners.tell_of_missing_calendar(at) for at in runs] == [0, 2, 0, 2]
    assert told("calendar.missing") == ids(admin, officer)
    with translation.override("en"):
        assert words(Notice.objects.first()).title == "The working days of 2027 are missing"
    CalendarYear.objects.create(year=2027, status="provisional", source="test")
    calendars.forget()
    assert listeners.tell_of_missing_calendar(NOON) == 0
