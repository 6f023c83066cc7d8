"""The list of hazards as people set it up: columns and their order, views, and what leaves it as a file."""

import re
import tracemalloc
from datetime import timedelta

import pytest
import time_machine
from django.db import InternalError, transaction
from django.urls import reverse

from citysafety import sheets
from citysafety.accounts.models import ExportRecord, SavedView
from hazards import columns, desk, pages
from hazards.models import Hazard
from tests.factories import AWAY, HOME, NOON, file_hazard, person
from tests.sheets import body_of, csv_rows, xlsx_rows

from .test_costs import past
from .test_pages import LIST, numbers, see, signed_in

pytestmark = pytest.mark.django_db
CSV, XLSX = "/hazards/export.csv", "/hazards/export.xlsx"
READERS = {CSV: csv_rows, XLSX: xlsx_rows}
HEAD = 4  # rows before the header: title, filter, time, who


def heads(answer):
    """Return the headings of the table, in their order."""
    table = answer.content.decode().partition("<thead>")[2].partition("</thead>")[0]
    return re.findall(r"<th[^>]*>([^<]+)</th>", table)


def exported(user, address, **filters):
    return READERS[address](signed_in(user).get(address, filters))


# -- columns -------------------------------------------------------------------------------------


def test_the_usual_columns_are_those_of_the_page_with_the_description_beneath_the_matter(cast):
    file_hazard(cast.worker, description="纸箱堵住楼道")
    answer = see(cast.dispatcher)

    assert heads(answer) == ["Number", "Severity", "Matter", "Place", "Department", "State", "Due", "Time left"]
    assert answer.content.decode().count('<span class="quiet cut" title="纸箱堵住楼道">') == 1


def test_columns_stand_in_the_address_in_their_order_and_go_with_pages_and_filters(cast, monkeypatch):
    monkeypatch.setattr(pages, "ROWS", 1)
    for _n in range(2):
        file_hazard(cast.worker)
    answer = see(cast.dispatcher, columns=["received", "number", "area", "received"], state="reported")

    assert heads(answer) == ["Received", "Number", "Area"]
    page = answer.content.decode()
    assert "columns=received&amp;columns=number&amp;columns=area" in re.search(r'rel="next" href="([^"]+)"', page)[1]
    assert re.findall(r'<input type="hidden" name="columns" value="(\w+)">', page) == [
        "received",
        "number",
        "area",
        "received",
    ]
    assert "2026-11-23 12:00" in page
    assert "370502 370502 Subdistrict" in page


def test_every_column_can_be_shown_and_says_the_same_in_a_file(cast):
    hazard = cast.rectified()
    answer = see(cast.dispatcher, columns=list(columns.COLUMNS))
    shown = answer.content.decode()
    [row] = exported(cast.dispatcher, CSV, columns=list(columns.COLUMNS))[HEAD + 1 :]
    said = dict(zip(columns.COLUMNS, row, strict=True))

    assert len(heads(answer)) == len(columns.COLUMNS) - 1  # the description stands beneath the matter
    assert (said["number"], said["cell"], said["category"]) == (hazard.number, "370502 Cell 1", "Fire safety")
    assert [words for words in row if words not in shown and words != said["due"]] == []
    assert said["due"][5:] in shown  # the page leaves out the year


def test_a_column_that_does_not_exist_is_named_and_nothing_is_shown_or_exported(cast):
    file_hazard(cast.worker)
    answer = see(cast.dispatcher, columns="colour")

    assert "Columns: “colour” was not understood; expected one of number, severity," in answer.content.decode()
    assert numbers(answer) == []
    led = signed_in(cast.dispatcher).get(f"{CSV}?columns=colour")
    assert (led.status_code, led["Location"]) == (302, f"{LIST}?columns=colour")


def test_an_account_keeps_its_columns_and_an_address_outdoes_them(cast):
    file_hazard(cast.worker)
    client = signed_in(cast.dispatcher)
    kept = client.post(
        "/views/columns/", {"page": "hazards", "columns": ["state", "number"], "query": "severity=general&before=1.2"}
    )

    assert kept["Location"] == f"{LIST}?severity=general&columns=state&columns=number"
    assert heads(client.get(LIST)) == ["State", "Number"]
    assert heads(client.get(f"{LIST}?columns=number")) == ["Number"]
    assert heads(see(cast.worker))[0] == "Number"
    client.post("/views/columns/", {"page": "hazards", "columns": ["state"], "usual": "1"})
    assert len(heads(client.get(LIST))) == 8


def test_columns_nobody_has_are_not_kept(cast):
    client = signed_in(cast.dispatcher)
    answer = client.post("/views/columns/", {"page": "hazards", "columns": ["colour"]}, follow=True)

    assert "There is no column “colour”." in answer.content.decode()
    assert len(answer.redirect_chain) == 1
    assert client.post("/views/columns/", {"page": "moon", "columns": ["number"]}).status_code == 404


# -- views ---------------------------------------------------------------------------------------


def keep(user, name, query="", **more):
    return signed_in(user).post("/views/", {"page": "hazards", "name": name, "query": query, **more})


def test_a_view_holds_filters_and_columns_and_is_a_chip_above_the_list(cast):
    answer = keep(cast.dispatcher, "Major now", "severity=major&open=true&columns=number&before=1.2&search=&view=all")
    view = SavedView.objects.get()

    assert view.query == "severity=major&open=true&columns=number"
    assert answer["Location"] == f"{LIST}?{view.query}"
    page = see(cast.dispatcher, severity="major", open="true", columns="number").content.decode()
    assert re.search(rf'href="\?{view.query.replace("&", "&amp;")}" aria-current="true">Major now</a>', page)
    assert "Major now" not in see(cast.worker).content.decode()
    assert signed_in(cast.dispatcher).get(f"/views/{view.pk}/")["Location"] == f"{LIST}?{view.query}"


def test_the_page_offers_to_keep_what_it_shows_with_its_columns(cast):
    page = see(cast.dispatcher, state="reported").content.decode()
    [query] = re.findall(r'name="query" value="(state=reported&amp;columns=[^"]+)"', page)

    assert query.split("&amp;")[1:] == [f"columns={name}" for name in columns.USUAL]


def test_a_shared_view_is_seen_by_colleagues_of_the_same_role_area_and_department_alone(cast):
    keep(cast.dispatcher, "Together", "open=true", shared="1")
    keep(cast.dispatcher, "Mine", "open=true")
    shared, private = SavedView.objects.get(name="Together"), SavedView.objects.get(name="Mine")
    colleague, others = person("dispatcher"), [person("dispatcher", area=AWAY), person("supervisor"), cast.handler]

    client = signed_in(colleague)
    page = client.get(LIST).content.decode()
    assert ("Together" in page, cast.dispatcher.name_en in page, "Mine" in page) == (True, True, False)
    assert client.get(f"/views/{shared.pk}/").status_code == 302
    assert client.get(f"/views/{private.pk}/").status_code == 404
    for other in others:
        assert "Together" not in see(other).content.decode()
        assert signed_in(other).get(f"/views/{shared.pk}/").status_code == 404


def test_nobody_changes_or_deletes_another_s_view_shared_or_not(cast):
    keep(cast.dispatcher, "Together", "open=true", shared="1")
    view = SavedView.objects.get()
    for user in (person("dispatcher"), cast.worker):
        client = signed_in(user)
        assert client.post(f"/views/{view.pk}/", {"name": "Stolen"}).status_code == 404
        assert client.post(f"/views/{view.pk}/delete/").status_code == 404
    assert list(SavedView.objects.values_list("name", "shared")) == [("Together", True)]


def test_the_list_begins_with_the_default_view_and_all_is_still_one_step_away(cast):
    road = file_hazard(cast.worker, matter="SZ-001")
    fire = file_hazard(cast.worker)
    keep(cast.dispatcher, "Roads", "category=SZ")
    keep(cast.dispatcher, "Fire", "category=XF")
    client = signed_in(cast.dispatcher)
    for name in ("Fire", "Roads"):
        client.post(f"/views/{SavedView.objects.get(name=name).pk}/", {"name": name, "is_default": "1"})
    begun = client.get(LIST, follow=True)

    assert list(SavedView.objects.filter(is_default=True).values_list("name", flat=True)) == ["Roads"]
    assert begun.redirect_chain == [(f"{LIST}?category=SZ", 302)]
    assert numbers(begun) == [road.number]
    all_of_them = re.search(r'<a class="link end" href="([^"]+)"', begun.content.decode())[1]
    assert set(numbers(client.get(LIST + all_of_them))) == {road.number, fire.number}
    assert "<html" not in client.get(LIST, headers={"HX-Request": "true", "HX-Target": "div#list"}).content.decode()


def test_a_wall_screen_keeps_nothing_and_takes_nothing(cast):
    screen = signed_in(person("kiosk", area="3705"))

    for address in (CSV, XLSX):
        assert screen.get(address).status_code == 403
    for address in ("/views/", "/views/columns/"):
        assert screen.post(address, {"page": "hazards", "name": "x"}).status_code == 403
    assert (SavedView.objects.count(), ExportRecord.objects.count()) == (0, 0)


# -- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [CSV, XLSX])
def test_a_file_holds_all_pages_of_the_list_in_the_order_of_the_api(cast, monkeypatch, address):
    monkeypatch.setattr(pages, "ROWS", 1)
    monkeypatch.setattr(pages, "READ_AT_ONCE", 2)
    for n in range(5):
        file_hazard(cast.worker, at=NOON - timedelta(minutes=n % 3), matter="XF-001" if n else "SZ-001")
    file_hazard(cast.neighbour, lon=118.73)
    client = signed_in(cast.dispatcher)
    for asked in ("", "?category=XF&state=reported", f"?area={HOME}001", "?figure=hazards.open", "?mine=true"):
        listed = client.get(f"/api/v1/hazards/{asked}").json()["results"]
        rows = READERS[address](client.get(address + asked))[HEAD + 1 :]
        assert [row[0] for row in rows] == [row["number"] for row in listed], asked
    assert exported(person("dispatcher", area=AWAY), address)[HEAD + 1 :][0][3] == "纸箱堵住楼道"


@pytest.mark.parametrize("address", [CSV, XLSX])
def test_a_file_says_what_it_is_by_which_filter_as_of_when_and_for_whom(cast, address):
    file_hazard(cast.worker)
    at = NOON + timedelta(hours=7)  # an hour past the due time
    asked = {"state": "reported", "open": "true", "search": "楼道", "received_after": "2026-11-01"}
    with time_machine.travel(at, tick=False):
        title, filters, as_of, who, header, row = exported(
            cast.dispatcher, address, **asked, columns=["left", "number", "due"]
        )
        words = desk.due_words(Hazard.objects.get(), at)

    assert title[0] == "Hazards"
    assert filters == ["Filter", "state: Reported; open: yes; number, place, words: 楼道; from: 2026-11-01"]
    assert as_of == ["As of", "2026-11-23 19:00:00"]
    assert who == ["Exported by", f"{cast.dispatcher.name_en} ({cast.dispatcher.username})"]
    assert header == ["Time left", "Number", "Due"]
    assert words.kind == "late"
    assert row == ["Overdue now", Hazard.objects.get().number, "2026-11-23 18:00"]


FORMULAS = ["=1+1", "+86", "-2+3", "@SUM(A1)", "\t=1", "\r=1"]


@pytest.mark.parametrize("words", FORMULAS)
def test_no_word_of_a_reporter_is_computed_by_a_spreadsheet(cast, words):
    file_hazard(cast.worker, description=words)
    Hazard.objects.update(description=words)  # a filing is stripped at its ends; an import may not be
    [text] = exported(cast.dispatcher, CSV, columns="description")[-1]
    [cell] = exported(cast.dispatcher, XLSX, columns="description")[-1]

    assert text == f"'{words}"
    assert cell == words  # a string, as the reader of the workbook has made sure


def test_what_no_workbook_may_hold_does_not_break_it(cast):
    file_hazard(cast.worker)
    Hazard.objects.update(description="a\x0bb\ufffec<&>“楼”😀")

    assert exported(cast.dispatcher, XLSX, columns="description")[-1] == ["a\ufffdb\ufffdc<&>“楼”😀"]


@pytest.mark.parametrize("address", [CSV, XLSX])
def test_a_file_is_bounded_and_says_so(cast, monkeypatch, address):
    monkeypatch.setattr(pages, "MOST_EXPORTED", 2)
    newest = [file_hazard(cast.worker, at=NOON - timedelta(minutes=n)).number for n in range(3)]
    rows = exported(cast.dispatcher, address)

    assert rows[HEAD][1] == "Only the newest 2 hazards of this list are in this file; narrower filters show the others."
    assert [row[0] for row in rows[HEAD + 2 :]] == newest[:2]
    assert len(exported(cast.dispatcher, address, search=newest[0])) == HEAD + 2  # nothing more, no note
    monkeypatch.setattr(pages, "MOST_COUNTED", 2)
    assert "A file holds the newest 2 rows at most" in see(cast.dispatcher).content.decode()


def test_words_without_days_are_looked_for_in_six_weeks_and_the_file_says_since_when(cast):
    file_hazard(cast.worker, description="旧井盖", at=NOON - timedelta(days=300))
    lately = file_hazard(cast.worker, description="新井盖")
    with time_machine.travel(NOON + timedelta(hours=1), tick=False):
        rows = exported(cast.dispatcher, CSV, search="井盖")

    assert [row[0] for row in rows[HEAD + 1 :]] == [lately.number]
    assert "searched since: 2026-10-12" in rows[1][1]


def test_it_is_recorded_who_took_what_before_it_leaves(cast, caplog):
    file_hazard(cast.worker)
    with time_machine.travel(NOON, tick=False), caplog.at_level("INFO", logger="citysafety.sheets"):
        answer = signed_in(cast.dispatcher).get(f"{XLSX}?state=reported&columns=number")
    record = ExportRecord.objects.get()  # not a byte of the answer was read

    assert (record.user, record.at, record.path, record.query) == (
        cast.dispatcher, NOON, XLSX, "state=reported&columns=number",
    )  # fmt: skip
    assert (record.format, record.rows, record.title) == ("xlsx", 1, "Hazards")
    assert [(line.user, line.rows) for line in caplog.records] == [(cast.dispatcher.pk, 1)]
    assert "no-store" in answer["Cache-Control"]
    assert answer["Content-Disposition"].startswith('attachment; filename="Hazards 20261123-120000.xlsx"')
    assert int(answer["Content-Length"]) == len(body_of(answer))


@pytest.mark.parametrize("change", [lambda rows: rows.update(rows=0), lambda rows: rows.delete()])
def test_a_record_of_an_export_stays_as_it_is(cast, change):
    signed_in(cast.dispatcher).get(CSV)
    with pytest.raises(InternalError), transaction.atomic():
        change(ExportRecord.objects.all())
    assert ExportRecord.objects.count() == 1


def test_the_auditor_reads_who_took_lists_and_nobody_else(cast, client):
    signed_in(cast.dispatcher).get(f"{CSV}?state=reported")
    log = reverse("admin:accounts_exportrecord_changelist")
    for role, status in (("auditor", 200), ("administrator", 403), ("security_officer", 403)):
        client.force_login(person(role, area="3705"))
        assert client.get(log).status_code == status
    client.force_login(person("auditor", area="3705"))
    page = client.get(log).content.decode()
    assert ("state=reported" in page, cast.dispatcher.username in page) == (True, True)
    row = ExportRecord.objects.get()
    change = client.get(reverse("admin:accounts_exportrecord_change", args=[row.pk])).content.decode()
    assert 'name="_save"' not in change


@pytest.mark.parametrize("address", [CSV, XLSX])
@pytest.mark.parametrize("rows", [1, 5])
def test_a_file_costs_the_same_queries_whatever_its_length(cast, monkeypatch, django_assert_num_queries, address, rows):
    monkeypatch.setattr(pages, "READ_AT_ONCE", 2)
    for _n in range(rows):
        file_hazard(cast.worker)
    client = signed_in(cast.dispatcher)
    client.get(LIST)

    with django_assert_num_queries(4):  # the person, how many, the rows, the record
        assert len(READERS[address](client.get(address))) == HEAD + 1 + rows


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_file_takes_the_memory_of_a_few_rows_however_many_it_has(cast, monkeypatch, kind):
    monkeypatch.setattr(pages, "READ_AT_ONCE", 50)
    Hazard.objects.bulk_create(past(cast.worker, cast.city, 2400))
    client = signed_in(cast.dispatcher)

    def peak(most):
        monkeypatch.setattr(pages, "MOST_EXPORTED", most)
        tracemalloc.start()
        sum(map(len, client.get(f"/hazards/export.{kind}").streaming_content))
        try:
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(100)  # what is made once is made
    few, many = peak(200), peak(2400)
    assert ExportRecord.objects.order_by("-at").first().rows == 2400
    assert many < 1.5 * few, f"{few} bytes for 200 rows, {many} for 2400"


def test_a_fault_half_way_leaves_no_half_of_a_file_and_no_record(cast, monkeypatch):
    file_hazard(cast.worker)
    Hazard.objects.update(due_stage="nowhere")
    client = signed_in(cast.dispatcher)
    client.raise_request_exception = False

    for address in (CSV, XLSX):
        assert client.get(address).status_code == 500
    assert ExportRecord.objects.count() == 0


def test_words_of_no_format_are_no_address(cast):
    assert signed_in(cast.dispatcher).get("/hazards/export.pdf").status_code == 404
    assert sorted(sheets.WRITERS) == sorted(sheets.TYPES) == sorted(ExportRecord.Format.values)
