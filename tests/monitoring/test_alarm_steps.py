"""What people do with alarms: the steps, what keeps alarms quiet, the hazard that one becomes, figures all along."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from citysafety.lifecycle import StepNotAllowed
from citysafety.outbox.services import announce
from citysafety.tallies import selectors as tallies
from hazards.models import Hazard
from hazards.services.given import FieldsMissing, NotAllowed, StaleVersion
from hazards.services.reporting import stepped
from monitoring import engine
from monitoring.models import Alarm, AlarmPolicy, AlarmStep, Device, Maintenance, Shelving
from monitoring.registry import recount
from monitoring.services.alarms import settle_flapping
from monitoring.services.maintenance import Works, begin_maintenance, end_maintenance
from monitoring.services.quiet import settle_quiet
from monitoring.services.steps import AlarmInput, steps_open_to, take_step
from tests.factories import AWAY, person

from .desks import Desk, make_desk, relay

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def desk() -> Desk:
    return make_desk()


def counted() -> dict[str, int]:
    """Return the figures of alarms once everything is told; a recount says the same."""
    relay()
    figures = {key: n for key, n in tallies.board("3705").figures.items() if key.startswith("alarms.") and n}
    again: dict[str, int] = {}
    for one in recount():
        for key in [*one.now, *(key for keys in one.today.values() for key in keys)]:
            again[key] = again.get(key, 0) + 1
    assert again == figures
    return figures


def state_of(alarm: Alarm) -> tuple[str, str, int]:
    alarm = Alarm.objects.get(pk=alarm.pk)
    return alarm.state, alarm.quiet, alarm.version


def test_acknowledged_while_it_stands_it_is_over_when_the_condition_is(desk):
    alarm = desk.raised()
    assert counted() == {"alarms.open_iii": 1, "alarms.raised_today": 1}
    desk.step(alarm, "acknowledge")
    assert state_of(alarm) == ("acked", "", 2)
    desk.measure(1.0)
    assert state_of(alarm) == ("over", "", 3)
    assert counted() == {"alarms.raised_today": 1}


def test_returned_before_anybody_saw_it_waits_for_somebody(desk):
    alarm = desk.raised()
    desk.measure(1.0)
    assert state_of(alarm)[0] == "rtnun"
    done = desk.step(alarm, "acknowledge", words="看过")
    assert (done.state, done.over_at is not None) == ("over", True)
    assert list(AlarmStep.objects.order_by("version").values_list("action", "actor", "words")) == [
        ("raise", None, ""), ("return", None, ""), ("acknowledge", desk.operator.pk, "看过"),
    ]  # fmt: skip


def test_who_may_do_what(desk):
    alarm = desk.raised()
    away = person("operator", area=AWAY)
    other = person("department_handler", department=desk.city.departments["roads-02"])
    for nobody in (desk.leader, away, other, person("grid_worker"), person("auditor")):
        assert steps_open_to(nobody, alarm) == []
        with pytest.raises(NotAllowed):
            desk.step(alarm, "acknowledge", nobody)
    assert {step.action for step in steps_open_to(desk.handler, alarm)} == {
        "acknowledge", "assign", "comment", "shelve", "file_hazard",
    }  # fmt: skip
    desk.step(alarm, "assign", department="roads-02")
    desk.step(alarm, "acknowledge", other)  # it is theirs now too
    assert state_of(alarm)[0] == "acked"


def test_stale_versions_missing_words_and_steps_that_are_not_open_are_refused_and_leave_nothing(desk):
    alarm = desk.raised()
    with pytest.raises(StaleVersion):
        given = AlarmInput(id=uuid.uuid4(), version=7)
        take_step(alarm_id=alarm.pk, action="acknowledge", given=given, actor=desk.operator, at=timezone.now())
    with pytest.raises(StepNotAllowed):
        desk.step(alarm, "confirm", words="真实")  # nobody has acknowledged it
    with pytest.raises(StepNotAllowed):
        desk.step(alarm, "reset", words="x")
    for action, given, field in (
        ("comment", {}, "words"),
        ("assign", {"department": "fire-03"}, "department"),
        ("shelve", {"words": "检修"}, "until"),
        ("shelve", {"words": "检修", "until": timezone.now() + 13 * HOUR}, "until"),
        ("shelve", {"words": "检修", "until": timezone.now() - HOUR}, "until"),
    ):
        with pytest.raises(FieldsMissing) as refused:
            desk.step(alarm, action, **given)
        assert list(refused.value.errors) == [field]
    assert state_of(alarm) == ("unack", "", 1)
    assert not Shelving.objects.exists()


def test_a_verdict_is_given_once_somebody_has_seen_it_and_may_be_corrected(desk):
    alarm = desk.raised()
    desk.step(alarm, "acknowledge")
    desk.step(alarm, "confirm", words="现场核实")
    assert Alarm.objects.get().verdict == "real"
    desk.step(alarm, "false_alarm", desk.supervisor, words="探头漂移")
    assert Alarm.objects.get().verdict == "false"


def test_what_is_shelved_is_quiet_until_its_end_and_then_heard_again(desk):
    alarm, at = desk.raised(), timezone.now()
    desk.step(alarm, "shelve", words="标定", until=at + HOUR)
    assert state_of(alarm)[1] == "shelved"
    assert counted() == {"alarms.raised_today": 1}
    with pytest.raises(StepNotAllowed):
        desk.step(alarm, "shelve", words="标定", until=at + HOUR)
    assert settle_quiet(at=at + HOUR / 2) == 0
    assert settle_quiet(at=at + HOUR) == 1
    assert settle_quiet(at=at + HOUR) == 0
    assert state_of(alarm)[:2] == ("unack", "")
    assert counted() == {"alarms.open_iii": 1, "alarms.raised_today": 1}
    assert Shelving.objects.get().ended_at == Shelving.objects.get().until


def test_shelving_is_ended_by_hand_and_its_like_is_quiet_while_it_lasts(desk):
    alarm, at = desk.raised(), timezone.now()
    desk.step(alarm, "shelve", words="标定", until=at + HOUR)
    desk.step(alarm, "acknowledge")
    desk.measure(1.0, 12.0)  # over, and raised anew
    again = Alarm.objects.order_by("-raised_at").first()
    assert (again.pk != alarm.pk, again.quiet) == (True, "shelved")
    assert counted() == {"alarms.raised_today": 1}  # the first one, when it was raised
    desk.step(again, "unshelve")
    assert counted() == {"alarms.open_iii": 1, "alarms.raised_today": 1}
    with pytest.raises(StepNotAllowed):
        desk.step(again, "unshelve")


def works(desk: Desk, **more):
    at = timezone.now()
    given = {"area": "370502", "kind": "", "begins_at": at, "ends_at": at + HOUR, "reason": "泵站检修", **more}
    return begin_maintenance(works=Works(**given), by=desk.operator, at=at)


def test_maintenance_quiets_open_and_new_alarms_and_ends_by_the_sweep(desk):
    alarm = desk.raised()
    row = works(desk)
    assert state_of(alarm)[1] == "maintenance"
    assert AlarmStep.objects.filter(action="suppress", actor=desk.operator, words="泵站检修").count() == 1
    desk.step(alarm, "acknowledge")
    desk.measure(1.0, 12.0)
    assert Alarm.objects.order_by("-raised_at").first().quiet == "maintenance"
    assert counted() == {"alarms.raised_today": 1}
    assert settle_quiet(at=row.ends_at) == 1
    assert counted() == {"alarms.open_iii": 1, "alarms.raised_today": 1}


def test_maintenance_begins_later_by_the_sweep_is_of_a_kind_and_ends_by_hand(desk):
    alarm, at = desk.raised(), timezone.now()
    works(desk, begins_at=at + HOUR, ends_at=at + 2 * HOUR, kind="gas-station")
    assert state_of(alarm)[1] == ""
    assert settle_quiet(at=at + HOUR) == 1
    row = Maintenance.objects.get()
    end_maintenance(maintenance_id=row.pk, by=desk.supervisor, at=at + HOUR)
    assert state_of(alarm)[:2] == ("unack", "")
    with pytest.raises(StepNotAllowed):
        end_maintenance(maintenance_id=row.pk, by=desk.supervisor, at=at + HOUR)


def test_maintenance_of_others_areas_and_of_no_time_is_refused(desk):
    at = timezone.now()
    for more in ({"area": AWAY}, {"area": "3705"}):
        with pytest.raises(NotAllowed):
            works(desk, **more)
    for more, field in (({"area": "37"}, "area"), ({"ends_at": at - HOUR}, "ends_at"), ({"kind": "no"}, "kind")):
        with pytest.raises(FieldsMissing) as refused:
            works(desk, **more)
        assert list(refused.value.errors) == [field]
    assert not Maintenance.objects.exists()


def test_what_is_shelved_within_maintenance_stays_quiet_when_that_ends(desk):
    alarm = desk.raised()
    desk.step(alarm, "shelve", words="标定", until=timezone.now() + 3 * HOUR)
    row = works(desk)
    assert state_of(alarm)[1] == "maintenance"
    end_maintenance(maintenance_id=row.pk, by=desk.operator, at=timezone.now())
    assert state_of(alarm)[1] == "shelved"


def test_a_device_out_of_service_is_quiet_until_it_is_back(desk):
    alarm = desk.raised()
    Device.objects.update(state=Device.State.OUT_OF_SERVICE)
    assert settle_quiet(at=timezone.now()) == 1
    assert state_of(alarm)[1] == "service"
    Device.objects.update(state=Device.State.IN_SERVICE)
    assert settle_quiet(at=timezone.now()) == 1
    assert state_of(alarm)[1] == ""


def test_the_sweep_costs_the_same_for_one_and_for_three(django_assert_num_queries):
    desk = make_desk(channels=("a21028-Rtd",))
    with django_assert_num_queries(5):
        settle_quiet(at=timezone.now())
    desk.raised()
    with django_assert_num_queries(5):
        settle_quiet(at=timezone.now())
    Device.objects.update(state=Device.State.OUT_OF_SERVICE)
    with django_assert_num_queries(15):
        settle_quiet(at=timezone.now())


def test_what_latches_stands_until_it_is_reset_and_rises_again_where_the_condition_holds():
    desk = make_desk(latching=True)
    alarm = desk.raised()
    desk.measure(1.0)
    assert state_of(alarm)[0] == "unack"
    desk.step(alarm, "acknowledge")
    desk.step(alarm, "reset", words="现场已复位")
    assert state_of(alarm)[0] == "over"
    desk.store.known.reset(f"reset {alarm.rule_id} {alarm.subject}")  # as a gateway does when it is told
    assert desk.store.known.slots.zone.tolist() == [engine.NORMAL]
    desk.measure(12.0)
    assert list(Alarm.objects.order_by("raised_at").values_list("state", flat=True)) == ["over", "unack"]


def test_an_alarm_becomes_one_hazard_and_hears_of_its_write_off(desk):
    alarm = desk.raised()
    done = desk.step(alarm, "file_hazard", desk.dispatcher, words="请速查")
    hazard = Hazard.objects.get()
    assert (done.hazard, hazard.matter.code, hazard.area_code) == (hazard, "XF-001", "370502001001001")
    assert hazard.description.endswith("请速查") and alarm.number in hazard.description and "12" in hazard.description
    with pytest.raises(StepNotAllowed):
        desk.step(alarm, "file_hazard")
    relay()
    announce(stepped(hazard, action="write_off", actor_id=None))
    relay()
    last = AlarmStep.objects.order_by("-version").first()
    assert (last.action, last.actor, last.said) == ("comment", None, {"written_off": hazard.number})


def test_a_rule_without_a_matter_asks_for_one(desk):
    alarm = desk.raised()
    desk.rule.matter = None
    desk.rule.save()
    with pytest.raises(FieldsMissing) as refused:
        desk.step(alarm, "file_hazard")
    assert list(refused.value.errors) == ["matter"]
    with pytest.raises(FieldsMissing) as refused:
        desk.step(alarm, "file_hazard", matter="NO-1")
    assert list(refused.value.errors) == ["matter"]
    assert not Hazard.objects.exists()
    desk.step(alarm, "file_hazard", matter="SZ-001")
    assert Hazard.objects.get().matter.code == "SZ-001"


def test_a_step_costs_the_same_statements_whatever_the_history(desk, django_assert_num_queries):
    alarm = desk.raised()
    for _n in (1, 3):
        with django_assert_num_queries(9):
            desk.step(alarm, "comment", words="记录")  # one of them asks for the version


def test_policy_sets_the_longest_shelving(desk):
    AlarmPolicy.present()
    AlarmPolicy.objects.update(shelve_most_h=48)
    desk.step(desk.raised(), "shelve", words="大修", until=timezone.now() + 47 * HOUR)
    assert Shelving.objects.count() == 1


def test_flapping_ends_while_shelved(desk):
    alarm = desk.raised()
    desk.measure(*(1.0 if n % 2 == 0 else 15.0 for n in range(12)))
    desk.step(alarm, "shelve", words="振荡", until=timezone.now() + HOUR)
    desk.measure(1.0)
    assert settle_flapping(at=timezone.now() + timedelta(minutes=11)) == 1
    assert state_of(alarm)[:2] == ("rtnun", "shelved")
