"""Pages of alarms: the list with its tabs, columns and files; one alarm; quality; the chain; the administration."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from citysafety.accounts.models import ExportRecord
from citysafety.accounts.rights import visible_rule
from monitoring.models import Alarm, AlarmPolicy, Rule
from tests.factories import AWAY, person
from tests.sheets import csv_rows, xlsx_rows

from .desks import Desk, make_desk, relay

pytestmark = pytest.mark.django_db
PAGE = "/monitoring/alarms/"
HEARD = f"{PAGE}?open=true&quiet=false"


def client_of(user):
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def desk() -> Desk:
    return make_desk()


def text_of(answer) -> str:
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def test_the_list_begins_with_what_is_open_and_heard_and_says_level_and_state(desk, django_assert_num_queries):
    alarm, pages = desk.raised(), client_of(desk.operator)
    assert pages.get(PAGE)["Location"] == HEARD
    text = text_of(pages.get(HEARD))
    assert alarm.number in text
    assert "level-3" in text and ">III<" in text
    with django_assert_num_queries(8):
        pages.get(HEARD)
    desk.step(alarm, "shelve", words="标定", until=timezone.now() + timedelta(hours=1))
    assert alarm.number not in text_of(pages.get(HEARD))
    assert alarm.number in text_of(pages.get(f"{PAGE}?open=true&quiet=true"))


def test_the_list_costs_the_same_however_long(desk, django_assert_num_queries):
    pages = client_of(desk.operator)
    for many in (1, 3):
        while Alarm.objects.count() < many:
            for alarm in Alarm.objects.open():
                desk.step(alarm, "acknowledge")
            desk.measure(1.0, 12.0)
        pages.get(f"{PAGE}?view=all")
        with django_assert_num_queries(8):
            assert text_of(pages.get(f"{PAGE}?view=all")).count("data-href=") == many


@pytest.mark.parametrize(
    ("asked", "rows"),
    [("?level=3", 1), ("?level=1", 0), ("?figure=alarms.open_iii", 1), ("?figure=alarms.open_i", 0), ("?area=370502", 1),
     ("?search=化工园", 1), ("?colour=red", 0), ("?columns=colour", 0), ("?figure=none", 0), ("?level=x", 0)],
)  # fmt: skip
def test_filters_keep_what_they_say_and_unknown_ones_are_named(desk, asked, rows):
    desk.raised()
    relay()
    text = text_of(client_of(desk.operator).get(f"{PAGE}{asked}"))
    assert text.count("data-href=") == rows
    assert ("colour" in text) == ("colour" in asked)


def test_pages_after_the_first_go_on_where_it_ended(desk, monkeypatch):
    monkeypatch.setattr("monitoring.pages.ROWS", 2)
    for _n in range(5):
        for alarm in Alarm.objects.open():
            desk.step(alarm, "acknowledge")
        desk.measure(1.0, 12.0)
    pages, seen, address = client_of(desk.operator), [], f"{PAGE}?view=all"
    while address:
        answer = pages.get(address)
        seen += [row[0].number for row in answer.context["rows"]]
        older = answer.context["older"]
        address = f"{PAGE}?view=all&before={older}" if older else ""
    assert seen == list(Alarm.objects.order_by("-raised_at").values_list("number", flat=True))
    assert pages.get(f"{PAGE}?before=nonsense").status_code == 404


def test_files_hold_the_columns_shown_and_are_recorded(desk):
    alarm, pages = desk.raised(), client_of(desk.operator)
    asked = "?open=true&columns=number&columns=level&columns=value&columns=raised"
    text, book = (pages.get(f"{PAGE}export.{kind}{asked}") for kind in ("csv", "xlsx"))
    rows = csv_rows(text)
    assert rows[-1][0] == alarm.number and "12" in rows[-1][2] and len(rows[-1]) == 4
    assert xlsx_rows(book)[-1][0] == alarm.number
    assert ExportRecord.objects.count() == 2
    assert pages.get(f"{PAGE}export.csv?colour=red").status_code == 302


def test_one_alarm_shows_value_advice_life_and_what_may_be_done(desk, django_assert_num_queries):
    alarm, pages = desk.raised(), client_of(desk.operator)
    text = text_of(pages.get(f"{PAGE}{alarm.pk}/"))
    assert "疏散下风向人员" in text and "12 mg/m³" in text
    for action in ("acknowledge", "assign", "comment", "shelve", "file_hazard"):
        assert f'data-step="{action}"' in text
    assert 'data-step="raise"' not in text
    with django_assert_num_queries(7):
        pages.get(f"{PAGE}{alarm.pk}/")
    assert "data-step=" not in text_of(client_of(desk.leader).get(f"{PAGE}{alarm.pk}/"))
    desk.step(alarm, "file_hazard")
    desk.step(alarm, "shelve", words="标定中", until=timezone.now() + timedelta(hours=1))
    text = text_of(pages.get(f"{PAGE}{alarm.pk}/"))
    assert "标定中" in text
    assert f"/hazards/{Alarm.objects.get().hazard_id}/" in text


@pytest.mark.parametrize(
    ("role", "area", "status"),
    [("operator", AWAY, 404), ("grid_worker", "370502", 403), ("kiosk", "370502", 403), ("auditor", "3705", 200),
     ("department_handler", "370502", 404)],
)  # fmt: skip
def test_alarms_are_the_business_of_some(desk, role, area, status):
    alarm = desk.raised()
    assert client_of(person(role, area=area)).get(f"{PAGE}{alarm.pk}/").status_code == status


def test_quality_counts_by_rule_and_by_desk_and_every_number_leads_to_its_list(desk, django_assert_num_queries):
    AlarmPolicy.present()
    AlarmPolicy.objects.update(most_per_10_min=1)
    first = desk.raised()
    desk.step(first, "acknowledge")
    desk.step(first, "false_alarm", words="漂移")
    desk.measure(1.0, 12.0)
    second = Alarm.objects.order_by("-raised_at").first()
    desk.measure(*(1.0 if n % 2 == 0 else 15.0 for n in range(12)))  # it flaps
    Alarm.objects.filter(pk=second.pk).update(raised_at=timezone.now() - timedelta(hours=25))
    pages = client_of(desk.supervisor)
    pages.get(f"{PAGE}quality/")
    with django_assert_num_queries(8):
        answer = pages.get(f"{PAGE}quality/")
    [rule], desks = answer.context["rules"], answer.context["desks"]
    assert [one.value for one in (rule.raised, rule.judged, rule.false, rule.chattered, rule.stale)] == [2, 1, 1, 1, 1]
    assert rule.false_share == 100
    assert [(row.raised.value, row.peak.value) for row in desks] == [(2, 1)]
    numbers = [rule.raised, rule.judged, rule.false, rule.chattered, rule.stale, desks[0].raised, desks[0].peak]
    for number in numbers:
        assert pages.get(number.address).context["count"] == number.value, number.address
    assert "days" in text_of(pages.get(f"{PAGE}quality/?days=2"))
    assert pages.get(f"{PAGE}quality/?area={AWAY}").status_code == 404


def test_the_chain_shows_reading_alarm_and_hazard_from_both_ends(desk):
    alarm = desk.raised()
    desk.step(alarm, "acknowledge")
    hazard = desk.step(alarm, "file_hazard").hazard
    pages = client_of(desk.operator)
    for address in (f"/chain/alarm/{alarm.pk}/", f"/chain/hazard/{hazard.pk}/"):
        text = text_of(pages.get(address))
        assert alarm.number in text and hazard.number in text
        assert "12 mg/m³" in text
    assert client_of(person("operator", area=AWAY)).get(f"/chain/alarm/{alarm.pk}/").status_code == 404


def test_why_somebody_sees_an_alarm_is_explained(desk):
    alarm = desk.raised()
    seen = {rule.rule: rule.allowed for rule in visible_rule("alarm", desk.handler, str(alarm.pk))}
    assert seen == {"area": False, "department": True, "assigned": False, "shared": False}
    seen = {rule.rule: rule.allowed for rule in visible_rule("alarm", desk.leader, str(alarm.pk))}
    assert seen == {"area": True, "department": False, "assigned": False, "shared": False}


def rule_form(rule: Rule, **changed) -> dict:
    fields = {
        field.name: getattr(rule, field.attname) for field in rule._meta.fields if field.name not in ("id", "notify", "settings")
    }  # fmt: skip
    kept = {name: value for name, value in fields.items() if value is not None and value is not False}
    return {**kept, "settings": json.dumps(rule.settings), "notify": rule.notify, **changed}


def test_an_administrator_changes_a_rule_and_wrong_settings_are_refused_in_words(desk):
    administrator = person("administrator", area="3705")
    pages, address = client_of(administrator), reverse("admin:monitoring_rule_change", args=[desk.rule.pk])
    wrong = pages.post(address, rule_form(desk.rule, settings='{"high": 20, "high_high": 10}'))
    assert "do not rise" in text_of(wrong)
    assert pages.post(address, rule_form(desk.rule, settings='{"high": 15}', notify=["supervisor"])).status_code == 302
    desk.rule.refresh_from_db()
    assert (desk.rule.settings, desk.rule.notify) == ({"high": 15}, ["supervisor"])
    log = client_of(person("auditor", area="3705")).get(reverse("admin:monitoring_alarmrulehistory_changelist"))
    assert administrator.username in text_of(log)
    for name in ("schedule", "fence", "alarmpolicy", "maintenance", "rule"):
        assert pages.get(reverse(f"admin:monitoring_{name}_changelist")).status_code == 200
    assert pages.get(reverse("admin:monitoring_fence_add")).status_code == 200
    assert pages.get(reverse("admin:monitoring_maintenance_add")).status_code == 403
