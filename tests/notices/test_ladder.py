"""Where rungs stand on a limit, what is wrong with a ladder, and what an administrator may change of it."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.translation import override

from citysafety import worktime
from citysafety.notices.ladders import limit_of, moment, points, problems
from citysafety.notices.models import Channel, Ladder, LadderHistory, Rung, RungHistory
from citysafety.outbox.models import OutboxEntry
from hazards.seeds import LADDERS, seed_ladders
from tests.accounts.people import person

DAYS = worktime.Calendar({year: worktime.Year("announced", "test") for year in (2026, 2027)})
MONDAY = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)  # 08:00 in the city
HOUR = timedelta(hours=1)


def clock(**more):
    given = {
        "unit": "work_hours",
        "amount": 4,
        "started_at": MONDAY,
        "consumed_s": 0,
        "due_at": MONDAY + 4 * HOUR,
        "not_after": None,
    }
    return SimpleNamespace(**{**given, **more})


def rung(order=1, **more):
    return Rung(order=order, **{"target": "leaders", **more})


def test_rungs_and_repeats_stand_at_used_seconds_the_earliest_first():
    rungs = [
        rung(1, percent=50),
        rung(2, percent=100, repeat_hours=2, repeat_most=2),
        rung(3, percent=120),
        rung(4, over_hours=3),
    ]
    found = [(point.reach_s // 60, point.rung.order, point.repeat) for point in points(rungs, 4 * 3600)]
    assert found == [(120, 1, 0), (240, 2, 0), (288, 3, 0), (360, 2, 1), (420, 4, 0), (480, 2, 2)]


@pytest.mark.parametrize(
    ("given", "reach_h", "hours_later"),
    [
        (clock(), 2, 2),
        (clock(), 6, 8),  # lunch counts nothing
        (clock(), 9, 25),  # nor does the night
        (clock(consumed_s=3600), 2, 1),  # what was used before a pause stays used
        (clock(consumed_s=9000), 2, 0),
        (clock(unit="urgent_hours", amount=24), 12, 12),
        (clock(unit="work_days", amount=2), 8, 24),
    ],
)
def test_a_rung_is_due_when_its_share_of_the_clocks_own_unit_is_used(given, reach_h, hours_later):
    assert moment(given, reach_h * 3600, DAYS) == MONDAY + hours_later * HOUR


def test_a_missing_year_and_a_limit_beyond_ten_years_have_no_moment():
    assert moment(clock(started_at=datetime(2028, 1, 3, tzinfo=UTC)), 3600, DAYS) is None
    assert moment(clock(unit="urgent_hours"), 11 * 366 * 86_400, DAYS) is None


def test_a_due_time_from_elsewhere_shortens_the_limit_that_shares_are_of():
    noon, ten = MONDAY + 4 * HOUR, MONDAY + 2 * HOUR
    assert limit_of(clock(), DAYS) == 4 * 3600
    assert limit_of(clock(due_at=ten, not_after=ten), DAYS) == 2 * 3600
    assert limit_of(clock(due_at=noon, not_after=noon + HOUR), DAYS) == 4 * 3600


@pytest.mark.parametrize(
    ("rungs", "words"),
    [
        ([rung(1, percent=80), rung(2, percent=80)], "Rung 2 stands at 80 %, not above the one before at 80 %."),
        (
            [rung(1, over_hours=2), rung(2, percent=150)],
            "Rung 2 stands at 150 %, not above the one before at 100 % + 2 h.",
        ),
        ([rung(1, percent=150), rung(2, over_hours=2)], "not above the one before at 150 %"),
        ([rung(1, percent=80, target="mayor")], "“mayor” is not one of handlers, head, dispatchers"),
    ],
)
def test_shares_rise_and_whom_to_tell_is_known(rungs, words):
    with translation.override("en"):
        assert words in problems("hazard", "general", "", rungs)[0]


def test_names_that_nobody_registered_are_refused_and_the_seeds_are_sound():
    with translation.override("en"):
        assert "“flood” is no kind of case; expected one of hazard" in problems("flood", "", "", [])[0]
        assert "“huge” is not one of general, major." in problems("hazard", "huge", "", [])
        assert "“lunch” is not one of accept, rectify" in problems("hazard", "", "lunch", [])[0]
    for severity, rows in LADDERS.items():
        assert problems("hazard", severity, "", [rung(n, **row) for n, row in enumerate(rows, 1)]) == []


@pytest.mark.django_db
def test_seeding_twice_makes_two_ladders_marked_as_the_citys_own_and_keeps_edits():
    seed_ladders()
    Rung.objects.filter(ladder__severity="general", order=1).update(percent=60)
    seed_ladders()
    assert [(one.severity, one.basis) for one in Ladder.objects.all()] == [
        ("general", "本市规则（示例）"), ("major", "本市规则（示例）"),
    ]  # fmt: skip
    assert Rung.objects.get(ladder__severity="general", order=1).percent == 60


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wrong",
    [{"percent": 40}, {"percent": 301}, {}, {"percent": 80, "over_hours": 2}, {"percent": 80, "level": 5},
     {"percent": 80, "repeat_hours": 2}, {"percent": 80, "repeat_most": 2}],
)  # fmt: skip
def test_the_database_refuses_rungs_that_cannot_be(wrong):
    ladder = Ladder.objects.create(kind="hazard", severity="general", basis="test")
    with pytest.raises(IntegrityError), transaction.atomic():
        Rung.objects.create(ladder=ladder, order=1, target="leaders", **{"level": 3, **wrong})


# -- the administration -------------------------------------------------------------------------------


def form(rows):
    posted = {
        "kind": "hazard", "severity": "general", "stage": "", "basis": "本市规则", "active": "on",
        "rungs-TOTAL_FORMS": len(rows), "rungs-INITIAL_FORMS": 0, "rungs-MIN_NUM_FORMS": 0, "rungs-MAX_NUM_FORMS": 1000,
    }  # fmt: skip
    for n, row in enumerate(rows):
        given = {"order": n + 1, "level": 3, "channels": ["email"], "repeat_most": 0, **row}
        posted |= {f"rungs-{n}-{name}": value for name, value in given.items()}
    return posted


@pytest.mark.django_db
def test_an_administrator_makes_a_ladder_its_history_is_kept_and_the_city_hears(client):
    client.force_login(person("administrator", area="3705"))
    good = form([{"percent": 80, "target": "handlers"}, {"percent": 120, "target": "leaders", "robots": "on"}])
    assert client.post("/admin/notices/ladder/add/", good).status_code == 302
    ladder = Ladder.objects.get()
    assert [(one.percent, one.target, one.channels, one.robots) for one in ladder.rungs.all()] == [
        (80, "handlers", ["email"], False), (120, "leaders", ["email"], True),
    ]  # fmt: skip
    assert OutboxEntry.objects.get(topic="ladder.changed").subject_id == str(ladder.pk)
    assert (LadderHistory.objects.count(), RungHistory.objects.count()) == (1, 2)
    with override("en"):  # the registered words, not the keys
        assert str(ladder) == "hazard · General"
    client.force_login(person("auditor", area="3705"))
    for name in ("ladderhistory", "runghistory", "ladder"):
        assert client.get(f"/admin/notices/{name}/").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{"percent": 80, "target": "handlers"}, {"percent": 80, "target": "leaders"}], "not above the one before"),
        ([{"percent": 40, "target": "handlers"}], "50"),
        ([{"target": "handlers"}], "Give either a share of the limit"),
        ([{"percent": 80, "target": "mayor"}], "mayor"),
        ([{"percent": 80, "target": "leaders", "repeat_most": 2}], "A repeat needs both"),
    ],
)
def test_a_ladder_that_does_not_rise_is_refused_in_words(client, rows, words):
    client.force_login(person("administrator", area="3705"))
    client.cookies["django_language"] = "en"
    answer = client.post("/admin/notices/ladder/add/", form(rows))
    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert not Ladder.objects.exists()


@pytest.mark.django_db
def test_group_robots_are_the_administrators_and_peoples_channels_are_not(client):
    own = Channel.objects.create(user=person("supervisor"), kind="webhook", address="https://hook.example/")
    client.force_login(person("administrator", area="3705"))
    robot = {
        "area_code": "370502",
        "kind": "wecom",
        "address": "https://robot.example/send?key=abcdef123456",
        "enabled": "on",
    }
    assert client.post("/admin/notices/channel/add/", robot).status_code == 302
    page = client.get("/admin/notices/channel/").content.decode()
    assert "abcdef123456" not in page
    assert "robot.example …123456" in page
    assert client.post(f"/admin/notices/channel/{own.pk}/change/", {"enabled": ""}).status_code == 403
    client.cookies["django_language"] = "en"
    nobodys = client.post("/admin/notices/channel/add/", {**robot, "area_code": ""}).content.decode()
    assert "Give either a person" in nobodys
