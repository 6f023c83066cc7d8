"""What devices sent is stored once, told apart as new, late and repeated, and seen by the rules."""

import time

import pytest
from django.db import connection

from citysafety.outbox.models import OutboxEntry
from monitoring import known
from monitoring.models import Alarm, AlarmStep, Datastream, Latest, RawMessage, Reading, UnknownDevice
from monitoring.storing import BAD, DOUBTFUL, Batch, Message, Store

from .worlds import limits, station

pytestmark = pytest.mark.django_db
SECOND = 1000


def now_ms() -> int:
    return int(time.time() * 1000)


def store_of() -> Store:
    return Store(known.read())


def take(store: Store, *readings: tuple[int, float], **more: object) -> None:
    """Take readings of the only channel: (ms, value) each, received as they were measured."""
    batch = Batch()
    for measured, value in readings:
        batch.read(0, measured, value, measured, **more)
    store.take(batch)


def values() -> list[tuple[float, bool]]:
    return list(Reading.objects.order_by("measured_at", "value").values_list("value", "late"))


def alarms() -> list[tuple[str, int, int]]:
    return list(Alarm.objects.order_by("raised_at").values_list("state", "level", "times"))


def test_readings_are_stored_with_their_three_times_and_the_newest_is_kept_apart():
    station()
    at = now_ms()
    take(store_of(), (at, 0.4), (at + SECOND, 0.5))

    assert values() == [(0.4, False), (0.5, False)]
    row = Reading.objects.order_by("measured_at").first()
    assert int(row.measured_at.timestamp() * 1000) == at
    assert row.stored_at is not None and row.received_at == row.measured_at
    latest = Latest.objects.get()
    assert (latest.value, int(latest.measured_at.timestamp() * 1000)) == (0.5, at + SECOND)


def test_a_repeat_is_one_row_in_the_same_batch_in_the_next_and_after_a_restart():
    station()
    at = now_ms()
    store = store_of()
    take(store, (at, 0.4), (at, 0.4))
    take(store, (at, 0.4))
    take(store_of(), (at, 0.4))

    assert values() == [(0.4, False)]


def test_what_two_gateways_take_at_once_is_stored_once():
    station()
    first, second = store_of(), store_of()
    at = now_ms()
    take(first, (at, 0.4))
    take(second, (at, 0.4), (at + SECOND, 0.5))

    assert values() == [(0.4, False), (0.5, False)]


def test_late_readings_fill_history_leave_the_latest_alone_and_raise_nothing():
    limits(station())
    store, at = store_of(), now_ms()
    take(store, (at, 1.0))
    take(store, (at - 60 * SECOND, 30.0))

    assert values() == [(30.0, True), (1.0, False)]
    assert Latest.objects.get().value == 1.0
    assert alarms() == []


def test_what_a_device_delivers_afterwards_raises_nothing():
    limits(station())
    take(store_of(), (now_ms(), 30.0), afterwards=True)

    assert alarms() == []
    assert values() == [(30.0, True)]


def test_a_clock_far_ahead_does_not_silence_what_comes_after_it_is_set_right():
    limits(station())
    store, at = store_of(), now_ms()
    ahead = Batch()
    ahead.read(0, at + 86_400_000, 1.0, at)
    store.take(ahead)
    take(store, (at + 301 * SECOND, 30.0))

    assert [state for state, _level, _times in alarms()] == ["unack"]


def test_the_end_of_a_batch_is_all_or_nothing(monkeypatch):
    limits(station())
    store, at = store_of(), now_ms()
    broken = Batch(messages=[Message("x" * 20, "", "", at, b"")])  # no protocol has so long a name
    broken.read(0, at, 30.0, at)
    with pytest.raises(Exception, match="too long"):
        store.take(broken)
    assert values() == [] and alarms() == []

    take(store, (at, 30.0))
    assert values() == [(30.0, False)]
    assert [state for state, _level, _times in alarms()] == ["unack"]  # the rule had not moved on without its alarm


def test_a_limit_raises_worsens_returns_and_is_the_same_alarm_again():
    limits(station())
    store, at = store_of(), now_ms()
    take(store, (at, 12.0))
    assert alarms() == [("unack", 3, 1)]
    take(store, (at + 1 * SECOND, 25.0))
    assert alarms() == [("unack", 2, 1)]
    take(store, (at + 2 * SECOND, 9.5))  # within the dead-band of 10: milder, not over
    assert alarms() == [("unack", 3, 1)]
    take(store, (at + 3 * SECOND, 5.0))
    assert alarms() == [("rtnun", 3, 1)]
    take(store, (at + 4 * SECOND, 15.0))
    assert alarms() == [("unack", 3, 2)]

    alarm = Alarm.objects.get()
    assert (alarm.worst, alarm.value, alarm.limit, alarm.peak) == (2, 12.0, 10.0, 25.0)
    assert alarm.number.startswith("BJ-")
    steps = AlarmStep.objects.order_by("version").values_list("action", "source", "target")
    assert list(steps) == [
        ("raise", "", "unack"), ("worsen", "unack", "unack"), ("return", "unack", "rtnun"), ("raise", "rtnun", "unack"),
    ]  # fmt: skip
    topics = list(OutboxEntry.objects.order_by("pk").values_list("topic", flat=True))
    assert topics == ["alarm.raised", "alarm.changed", "alarm.changed", "alarm.raised"]


def test_bad_values_raise_nothing_and_doubtful_ones_only_where_the_rule_says_so():
    rule = limits(station())
    at = now_ms()
    take(store_of(), (at, 30.0), quality=BAD)
    take(store_of(), (at + SECOND, 30.0), quality=DOUBTFUL)
    assert alarms() == []

    rule.doubtful_too = True
    rule.save()
    take(store_of(), (at + 2 * SECOND, 30.0), quality=DOUBTFUL)
    assert [state for state, _level, _times in alarms()] == ["unack"]


def test_200_flaps_in_10_minutes_are_one_alarm_with_one_mark_and_no_more_news():
    limits(station())
    store, at = store_of(), now_ms()
    for n in range(200):
        take(store, (at + n * 3 * SECOND, 15.0 if n % 2 == 0 else 1.0))

    [alarm] = Alarm.objects.all()
    assert alarm.flapping and alarm.is_open
    assert AlarmStep.objects.filter(action="flap").count() == 1
    raised = OutboxEntry.objects.filter(topic="alarm.raised").count()
    assert raised == 6  # the alarm, and its coming back until it was known to flap: five times in ten minutes


def test_addresses_that_nobody_knows_are_counted_with_what_they_sent_last():
    station()
    batch = Batch()
    for n in range(3):
        batch.meet("hj212", "SOMEBODY", now_ms(), bytes([n]))
    store_of().take(batch)

    unknown = UnknownDevice.objects.get()
    assert (unknown.address, unknown.count, bytes(unknown.sample)) == ("SOMEBODY", 3, b"\x02")


def test_bytes_are_kept_as_they_came_with_why_they_could_not_be_taken():
    station()
    data = bytes(range(256))
    store_of().take(Batch(messages=[Message("hj212", "M", "127.0.0.1:5", now_ms(), data, "no such factor")]))

    row = RawMessage.objects.get()
    assert (bytes(row.data), row.reason) == (data, "no such factor")


def test_a_batch_costs_the_same_statements_whatever_it_holds(django_assert_num_queries):
    station(channels=("a21028-Rtd", "a21005-Rtd"))
    store, at = store_of(), now_ms()
    take(store, (at, 1.0))

    def batch_of(many: int, since: int) -> Batch:
        batch = Batch()
        for n in range(many):
            batch.read(n % 2, since + n, 1.0, since + n)
        return batch

    # two savepoints begun and ended, COPY, the latest values
    for many in (10, 1000):
        with django_assert_num_queries(6):
            store.take(batch_of(many, at + many * 10))
    assert Reading.objects.count() == 1011


def test_rules_of_a_device_alone_replace_those_of_its_kind():
    device = station()
    limits(device)
    limits(device, code="h2s-here", device=device, settings={"high": 50})
    take(store_of(), (now_ms(), 30.0))

    assert alarms() == []


def test_a_newer_snapshot_goes_on_where_the_older_one_stood():
    device = station()
    limits(device, on_delay_s=10)
    store, at = store_of(), now_ms()
    take(store, (at, 12.0))
    station("OTHER-STATION-000001", kind=device.kind)
    store.renew(known.read())
    place = int((store.known.stream_ids == Datastream.objects.get(device=device).pk).argmax())
    batch = Batch()
    batch.read(place, at + 11 * SECOND, 12.0, at + 11 * SECOND)
    store.take(batch)

    assert [state for state, _level, _times in alarms()] == ["unack"]


def test_days_that_nobody_made_are_moved_to_their_day_when_it_is_made():
    from datetime import UTC, datetime  # noqa: PLC0415

    from monitoring import partitions  # noqa: PLC0415

    station()
    old = int(datetime(2019, 5, 4, 12, tzinfo=UTC).timestamp() * 1000)
    take(store_of(), (old, 0.4))
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM monitoring_reading_rest")
        assert cursor.fetchone() == (1,)
        day = datetime(2019, 5, 4, tzinfo=UTC).date()
        assert partitions.make(day, day) == 3
        cursor.execute("SELECT count(*) FROM monitoring_reading_rest")
        assert cursor.fetchone() == (0,)
    assert values() == [(0.4, False)]
    assert partitions.make(day, day) == 0
    assert partitions.drop_before("monitoring_reading", datetime(2019, 5, 5, tzinfo=UTC).date()) == 1


def fix_of(device: int, at: int, lon: float, *, received: int | None = None) -> tuple:
    return (device, at, at, lon, 37.0, 10.0, 90, 3, 0, received or at, False)


def test_a_device_that_only_says_that_it_lives_is_seen_and_keeps_what_was_known_of_it():
    from monitoring.models import DeviceStatus  # noqa: PLC0415

    device, at = station(), now_ms()
    store = store_of()
    store.take(Batch(seen={device.pk: (at, -1)}))
    assert DeviceStatus.objects.get().flags == 0
    store.take(Batch(fixes=[fix_of(device.pk, at, 118.0)], more={device.pk: {"shipname": "A"}}))
    store.take(Batch(seen={device.pk: (at + SECOND, -1)}, more={device.pk: {"callsign": "B"}}))
    status = DeviceStatus.objects.get()
    assert (status.flags, status.lon, status.more) == (3, 118.0, {"shipname": "A", "callsign": "B"})
    assert int(status.seen_at.timestamp() * 1000) == at + SECOND


def test_a_position_that_comes_late_moves_nothing_back():
    from monitoring.models import DeviceStatus, Fix  # noqa: PLC0415

    device, at = station(), now_ms()
    store = store_of()
    store.take(Batch(fixes=[fix_of(device.pk, at, 118.0)]))
    store.take(Batch(fixes=[fix_of(device.pk, at - 60 * SECOND, 117.0, received=at)]))
    assert DeviceStatus.objects.get().lon == 118.0
    assert list(Fix.objects.order_by("measured_at").values_list("late", flat=True)) == [True, False]


def test_a_newer_snapshot_keeps_how_far_a_clock_is_behind():
    device = station()
    store, at = store_of(), now_ms()
    hour = Batch()
    hour.read(0, at - 3600 * SECOND, 1.0, at)
    store.take(hour)
    station("OTHER-STATION-000001", kind=device.kind)
    store.renew(known.read())
    assert len(store.lag) == len(store.known.stream_ids)
    place = int((store.known.stream_ids == Datastream.objects.get(device=device).pk).argmax())
    assert store.lag[place] == 3600 * SECOND


def test_a_rule_whose_settings_are_wrong_keeps_no_device_from_being_heard(caplog):
    device = station()
    limits(device)
    rule = limits(device, code="wrong", kind="rate", settings={"rise_per_min": 1})
    type(rule).objects.filter(pk=rule.pk).update(settings={})
    take(store_of(), (now_ms(), 12.0))
    assert alarms() == [("unack", 3, 1)]
    assert "rule wrong is not followed" in caplog.text
