"""Who is told of alarms: once for each, once for a storm, nobody of quiet ones, the next where nobody acknowledges."""

from datetime import timedelta

import pytest
from django.utils import timezone

from citysafety.notices.models import Ladder, Notice, Rung
from monitoring import known, ladders
from monitoring.models import Alarm, AlarmClimb, AlarmClimbed, AlarmPolicy
from monitoring.seeds import seed_alarm_ladders
from monitoring.services.quiet import settle_quiet
from tests.factories import AWAY, person

from .desks import Desk, make_desk, relay
from .worlds import station

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def desk() -> Desk:
    return make_desk()


def told(topic: str = "alarm.raised") -> list[int]:
    relay()
    return sorted(Notice.objects.filter(topic=topic).values_list("recipient", flat=True))


def test_roles_of_the_area_and_the_departments_of_the_device_are_told_once(desk):
    person("operator", area=AWAY), person("department_handler", department=desk.city.departments["fire-03"])
    sharing = person("department_handler", department=desk.city.departments["roads-02"])
    desk.device.owners.add(desk.city.departments["roads-02"])
    alarm = desk.raised()
    expected = sorted(one.pk for one in (desk.operator, desk.leader, desk.handler, sharing))
    assert told() == expected
    notice = Notice.objects.get(recipient=desk.operator)
    assert (notice.kind, notice.subject_id, notice.level) == ("alarm", str(alarm.pk), 3)
    desk.measure(1.0, 12.0)  # back and again
    assert told() == expected


def test_two_hundred_flaps_are_told_once(desk):
    desk.raised()
    desk.measure(*(1.0 if n % 2 == 0 else 15.0 for n in range(200)))
    assert len(told()) == 3
    assert Notice.objects.count() == 3


def test_graver_than_ever_is_told_and_milder_is_not(desk):
    desk.raised()
    told()
    desk.measure(25.0, 12.0, 1.0, 25.0)
    assert len(told("alarm.worse")) == 3
    assert len(told()) == 3


def test_quiet_ones_are_not_told_and_are_once_they_are_heard(desk):
    alarm, at = desk.raised(), timezone.now()
    desk.step(alarm, "shelve", words="标定", until=at + 60 * MINUTE)
    desk.measure(25.0)
    assert told("alarm.worse") == []
    settle_quiet(at=at + 60 * MINUTE)
    assert len(told("alarm.heard_again")) == 3


def test_what_was_raised_in_silence_is_told_when_the_silence_ends(desk):
    alarm, at = desk.raised(), timezone.now()
    desk.step(alarm, "shelve", words="标定", until=at + 60 * MINUTE)
    desk.step(alarm, "acknowledge")
    desk.measure(1.0, 12.0)
    assert len(told()) == 3  # the first alone
    settle_quiet(at=at + 60 * MINUTE)
    relay()
    assert Notice.objects.filter(topic="alarm.heard_again").exclude(subject_id=str(alarm.pk)).count() == 3


def test_a_storm_is_told_once(desk):
    AlarmPolicy.present()
    AlarmPolicy.objects.update(storm_from=3)
    for n in range(6):
        device = station(f"STORM-STATION-{n}", kind=desk.device.kind, department=desk.device.department,
                         cell=desk.device.cell, area_code=desk.device.area_code)  # fmt: skip
        desk.store.renew(known.read())
        desk.measure(12.0, place=desk.store.known.by_id[device.pk].channels["a21028-Rtd"].place)
    assert len(told("alarm.storm")) == 3
    assert len(told()) == 2 * 3  # the two before it was one
    storm = Notice.objects.filter(topic="alarm.storm").first()
    assert storm.subject_id == str(Alarm.objects.exclude(storm=None).first().storm_id)


def test_a_department_is_told_of_what_is_assigned_to_it(desk):
    roads = person("department_handler", department=desk.city.departments["roads-02"])
    desk.step(desk.raised(), "assign", department="roads-02")
    assert told("alarm.assigned") == [roads.pk]


def test_nobody_acknowledges_and_the_next_are_told_each_once_until_somebody_does(desk):
    seed_alarm_ladders()
    alarm = desk.raised()  # level III: within 30 minutes
    at = alarm.raised_at
    assert ladders.climb(at=at + 29 * MINUTE) == 0
    assert ladders.climb(at=at + 30 * MINUTE) == 1
    assert ladders.climb(at=at + 31 * MINUTE) == 0
    assert told("alarm.escalated") == [desk.operator.pk]
    assert ladders.climb(at=at + 45 * MINUTE) == 1
    desk.step(alarm, "acknowledge")
    assert ladders.climb(at=at + 90 * MINUTE) == 0
    assert list(AlarmClimbed.objects.order_by("order").values_list("target", "outcome")) == [
        ("operators", "told"), ("dispatchers", "told"),
    ]  # fmt: skip


def test_who_was_away_long_hears_of_the_highest_rung_alone(desk):
    seed_alarm_ladders()
    alarm = desk.raised()
    assert ladders.climb(at=alarm.raised_at + 300 * MINUTE) == 1
    assert told("alarm.escalated") == [desk.supervisor.pk]
    assert sorted(AlarmClimbed.objects.values_list("outcome", flat=True)) == ["skipped", "skipped", "told"]


def test_a_rung_without_anybody_gives_way_to_the_next(desk):
    ladder = Ladder.objects.create(kind="alarm")
    for order, (percent, target) in enumerate(((100, "head"), (200, "supervisors")), start=1):
        Rung.objects.create(ladder=ladder, order=order, percent=percent, target=target)
    alarm = desk.raised()
    assert ladders.climb(at=alarm.raised_at + 30 * MINUTE) == 1
    assert told("alarm.escalated") == [desk.supervisor.pk]


def test_the_wait_begins_anew_when_it_is_heard_again_and_when_it_is_graver(desk):
    seed_alarm_ladders()
    alarm, at = desk.raised(), timezone.now()
    ladders.climb(at=at)
    desk.step(alarm, "shelve", words="标定", until=at + 60 * MINUTE)
    assert ladders.climb(at=at + 50 * MINUTE) == 0
    settle_quiet(at=at + 60 * MINUTE)
    assert ladders.climb(at=at + 80 * MINUTE) == 0
    assert ladders.climb(at=at + 90 * MINUTE) == 1
    desk.measure(25.0)  # level II: within 10 minutes, from now
    relay()
    since = AlarmClimb.objects.get().since
    assert ladders.climb(at=since + 9 * MINUTE) == 0
    assert ladders.climb(at=since + 10 * MINUTE) == 1


def test_climbing_costs_the_same_for_one_and_for_three(desk, django_assert_num_queries):
    seed_alarm_ladders()
    alarm, at = desk.raised(), timezone.now() + 30 * MINUTE
    with django_assert_num_queries(18):
        ladders.climb(at=at)
    for n in range(3):
        device = station(f"CLIMB-STATION-{n}", kind=desk.device.kind, area_code=alarm.area_code,
                         department=desk.device.department)  # fmt: skip
        desk.store.renew(known.read())
        desk.measure(12.0, place=desk.store.known.by_id[device.pk].channels["a21028-Rtd"].place)
    with django_assert_num_queries(18):
        assert ladders.climb(at=at + 5 * MINUTE) == 3
