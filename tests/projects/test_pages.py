"""Pages of supervision: the overdue list with its sums, columns and sheet; the notices; the way of one to its unit."""

import pytest
import time_machine
from django.test import Client

from citysafety.accounts.models import ExportRecord
from citysafety.notices.models import Notice
from citysafety.sheets import plain
from projects import services
from tests.factories import AWAY, person
from tests.sheets import csv_rows, xlsx_rows

from .conftest import relay


def client_of(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def late(office):
    """An overdue hazard at a moment when it is; yields it and the pages of the supervisor."""
    hazard, at = office.overdue(description="=1+1 楼道堆物")
    with time_machine.travel(at, tick=False):
        yield hazard, client_of(office.supervisor)


def test_the_list_says_by_how_much_each_case_is_over(late, django_assert_num_queries):
    hazard, pages = late
    pages.get("/supervision/")
    with django_assert_num_queries(6):
        answer = pages.get("/supervision/")
    text = answer.content.decode()
    assert hazard.number in text
    assert "工作日" in text
    assert 'data-figure="supervision.issued_today"' in text


@pytest.mark.parametrize(
    ("asked", "rows"),
    [
        ("", 1),
        ("?severity=general", 1),
        ("?severity=major", 0),
        ("?department=fire-02", 1),
        ("?department=fire-03", 0),
        ("?search=楼道堆物", 1),
        ("?search=没有的词", 0),
        ("?area=370502", 1),
        ("?colour=red", 0),
        ("?columns=colour", 0),
    ],
)
def test_filters_keep_what_they_say_and_unknown_ones_are_named(late, asked, rows):
    _hazard, pages = late
    answer = pages.get(f"/supervision/{asked}")
    text = answer.content.decode()
    assert text.count("data-row=") == rows
    assert ("colour" in text) == ("colour" in asked)


def test_the_sheet_holds_what_the_page_shows_with_filter_and_time_and_nothing_that_computes(late, office, caplog):
    hazard, pages = late
    with caplog.at_level("INFO", logger="citysafety.sheets"):
        rows = csv_rows(
            pages.get("/supervision/overdue.csv?severity=general&columns=number&columns=over&columns=place")
        )
    assert ("370502" in rows[1][1], "一般" in rows[1][1]) == (True, True)
    assert len(rows[2][1]) == len("2026-11-23 12:00:00")
    assert rows[3][1] == str(office.supervisor)
    assert rows[4] and len(rows[4]) == 3
    assert rows[5][0] == hazard.number
    assert len(rows) == 6
    assert [plain(text) for text in ("=1+1", "+86", "-2", "@x", "楼道", None, 3)] == [
        "'=1+1",
        "'+86",
        "'-2",
        "'@x",
        "楼道",
        "",
        "3",
    ]
    assert [(record.user, record.rows) for record in caplog.records] == [(office.supervisor.pk, 1)]


@pytest.mark.parametrize("sheet", ["overdue", "notices"])
def test_both_formats_say_the_same_and_are_recorded(late, office, sheet):
    hazard, pages = late
    notice = services.draft_notice(hazard=hazard, rule=None, by=None, at=hazard.due_at.replace(year=2027))
    office.issued(notice, office.supervisor, hazard.due_at.replace(year=2027))
    text, book = (pages.get(f"/supervision/{sheet}.{kind}") for kind in ("csv", "xlsx"))
    rows = csv_rows(text)
    assert [[cell for cell in row if cell] for row in xlsx_rows(book)] == [
        [cell for cell in row if cell] for row in rows
    ]
    assert len(rows) == 6
    assert list(ExportRecord.objects.order_by("pk").values_list("user", "format", "rows")) == [
        (office.supervisor.pk, "csv", 1), (office.supervisor.pk, "xlsx", 1),
    ]  # fmt: skip


def test_an_open_row_shows_the_sum_of_its_clock_and_its_notice(late, office):
    hazard, pages = late
    text = pages.get(f"/supervision/cases/{hazard.pk}/").content.decode()
    assert 'class="sums"' in text
    assert f'data-draft="{hazard.pk}"' in text
    services.draft_notice(hazard=hazard, rule=None, by=office.supervisor, at=hazard.due_at.replace(year=2027))
    text = pages.get(f"/supervision/cases/{hazard.pk}/").content.decode()
    assert f'data-only="{hazard.pk}"' in text
    assert client_of(person("supervisor", area=AWAY)).get(f"/supervision/cases/{hazard.pk}/").status_code == 404
    assert client_of(office.leader).get(f"/supervision/cases/{hazard.pk}/").content.decode().count("data-only") == 0
    assert client_of(office.handler).get(f"/supervision/cases/{hazard.pk}/").status_code == 403


def test_who_has_no_part_in_deadlines_sees_only_what_was_issued(late, office):
    hazard, _pages = late
    operator = client_of(person("operator"))
    assert operator.get("/supervision/").status_code == 403
    assert operator.get("/supervision/overdue.csv").status_code == 403
    notice = services.draft_notice(hazard=hazard, rule=None, by=None, at=hazard.due_at.replace(year=2027))
    assert hazard.number not in operator.get("/supervision/notices/").content.decode()
    office.issued(notice, office.supervisor, hazard.due_at.replace(year=2027))
    for page in (operator, client_of(office.handler), client_of(office.leader)):
        assert hazard.number in page.get("/supervision/notices/").content.decode()
    assert hazard.number in client_of(office.handler).get("/supervision/").content.decode()
    rows = csv_rows(client_of(office.leader).get("/supervision/notices.csv?state=issued"))
    assert hazard.number in rows[5]
    assert len(csv_rows(client_of(office.leader).get("/supervision/notices.csv?state=closed"))) == 5


def test_the_way_of_a_notice_to_its_unit_is_told_with_times(late, office):
    hazard, pages = late
    at = hazard.due_at.replace(year=2027)
    notice = services.draft_notice(hazard=hazard, rule=None, by=None, at=at)
    address = f"/supervision/notices/{notice.pk}/"
    assert 'class="road"' not in pages.get(address).content.decode()
    office.issued(notice, office.supervisor, at)
    relay()
    pages.get(address)
    notice.refresh_from_db()
    assert notice.opened_at is None  # the supervisor's own look is none of the unit's
    assert Notice.objects.filter(topic="supervision.issued", recipient=office.handler).exists()
    version = notice.version
    client_of(office.handler).get(address)
    notice.refresh_from_db()
    assert (notice.opened_by, notice.version) == (office.handler, version)
    first = notice.opened_at
    client_of(office.handler).get(address)
    notice.refresh_from_db()
    assert notice.opened_at == first
    text = pages.get(address).content.decode()
    assert text.count('<li class="is-done"><span>') == 3
    assert office.handler.name in text
    office.step(notice, "receive", office.handler, at)
    assert pages.get(address).content.decode().count('<li class="is-ahead"><span>') == 0


@pytest.mark.parametrize(
    ("sheet", "page"),
    [("overdue.csv?severity=grave", ""), ("overdue.csv?columns=colour", ""), ("notices.csv?state=lost", "notices/")],
)
def test_a_sheet_whose_filter_means_nothing_is_none_but_leads_to_the_page_that_says_so(office, sheet, page):
    query = sheet.partition("?")[2]
    answer = client_of(office.leader).get(f"/supervision/{sheet}", follow=True)
    assert answer.redirect_chain == [(f"/supervision/{page}?{query}", 302)]
    assert query.partition("=")[2] in answer.content.decode()
