"""Components (部件): codes that cannot lie, imports with a dry run, lists by area, and where they are after a re-zoning."""

import csv
import io
import json
import time
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.urls import reverse

from citysafety.accounts.models import Department, ExportRecord
from citysafety.coordinates import gcj02_from_wgs84
from grid.components.reading import NotRead
from grid.models import Cell, Component, ComponentClass, ComponentImport
from grid.services import CityRefused, NotImported, apply_import, load_city, try_import

from .conftest import AWAY, HOME, NOON, person, relay, write_table

pytestmark = pytest.mark.django_db
CLASSES = [
    {"code": "01", "name_zh": "公用设施", "name_en": "Public utilities", "illustrative": "0"},
    {"code": "0101", "name_zh": "上水井盖", "name_en": "Water manhole cover", "illustrative": "1"},
    {"code": "0107", "name_zh": "路灯", "name_en": "Street lamp", "illustrative": "1"},
    {"code": "0201", "name_zh": "交通信号灯", "name_en": "Traffic light", "illustrative": "1"},
]
TITLES = "部件标识码,部件名称,主管部门,权属单位,部件状态,经度,纬度,普查日期"
LAMP, COVER, FAR = "3705020107000001", "3705020101000001", "3705030107000001"
ROWS = [
    f"{LAMP},一号路灯,370502-XF,城管局,完好,118.51,37.42,2026-05-01",
    f"{COVER},,消防救援支队,水务公司,破损,118.56,37.42,2026/5/2",
    f"{FAR},,3705-XF,,,118.71,37.41,",
]


@pytest.fixture(autouse=True)
def _city(folder):
    write_table(folder, "component_classes.csv", CLASSES)
    load_city(folder, at=NOON)
    relay()


@pytest.fixture
def admin():
    return person("administrator", "3705")


def sign_in(client, user):
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    client.cookies["django_language"] = "en"
    return client


def table(*rows: str, titles: str = TITLES, encoding: str = "utf-8") -> bytes:
    return "\n".join([titles, *rows]).encode(encoding)


def tried(by, data: bytes, name: str = "parts.csv", **more) -> ComponentImport:
    given = {"id": uuid.uuid4(), "datum": "wgs84", "at": NOON, **more}
    return try_import(name=name, data=data, by=by, **given)


def applied(by, data: bytes, **more) -> ComponentImport:
    load = tried(by, data, **more)
    return apply_import(load_id=load.pk, table_hash=load.table_hash, by=by, at=NOON)


def counts(load: ComponentImport) -> tuple[int, int, int, int]:
    return load.new, load.changed, load.unchanged, load.wrong


def slips(load: ComponentImport) -> list[tuple]:
    return [
        (row.line, *error[:3]) for row in load.rows.filter(outcome="wrong").order_by("line") for error in row.errors
    ]


def make(code: str = LAMP, **more) -> Component:
    given = {
        "kind_id": code[6:10], "name_zh": "路灯", "department": Department.objects.get(code="370502-XF"),
        "location": "SRID=4326;POINT(118.51 37.42)", "area_code": f"{HOME}001", "changed_at": NOON,
        "cell": Cell.objects.get(code=f"{HOME}001"),
    }  # fmt: skip
    return Component.objects.create(code=code, **given | more)


# -- the table itself ------------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "kind"), [("37050201070001", "0107"), ("37050201070000 1", "0107"), (LAMP, "0101")])
def test_a_code_has_16_digits_and_says_its_class(code, kind):
    with pytest.raises(IntegrityError), transaction.atomic():
        make(code, kind_id=kind)


def test_a_code_stands_once():
    make()
    with pytest.raises(IntegrityError), transaction.atomic():
        make()


def test_classes_come_with_the_city_and_a_code_of_three_digits_is_refused(folder):
    assert ComponentClass.objects.get(code="0107").illustrative
    write_table(folder, "component_classes.csv", [{"code": "010", "name_zh": "灯"}])

    with pytest.raises(CityRefused) as refusal:
        load_city(folder, at=NOON)
    assert "“010”" in str(refusal.value.problems.listed[0])


# -- the dry run -----------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_dry_run_changes_nothing_and_the_second_step_does_it(admin, encoding):
    load = tried(admin, table(*ROWS, encoding=encoding))

    assert (counts(load), Component.objects.count()) == ((3, 0, 0, 0), 0)
    apply_import(load_id=load.pk, table_hash=load.table_hash, by=admin, at=NOON)
    lamp, cover, far = (Component.objects.get(code=code) for code in (LAMP, COVER, FAR))
    assert (lamp.name_zh, lamp.cell.code, lamp.area_code, lamp.department.code, lamp.state) == (
        "一号路灯", f"{HOME}001", f"{HOME}001", "370502-XF", "intact",
    )  # fmt: skip
    assert (cover.name_zh, cover.name_en, cover.state, cover.cell.code, str(cover.surveyed_on)) == (
        "上水井盖", "Water manhole cover", "broken", f"{HOME}002", "2026-05-02",
    )  # fmt: skip
    assert (far.area_code, far.changed_at, far.surveyed_on) == (f"{AWAY}001", NOON, None)
    load.refresh_from_db()
    assert (load.state, load.applied_by, load.rows.count(), len(load.file_sha256)) == ("applied", admin, 0, 64)


def test_the_same_file_twice_changes_nothing(admin):
    applied(admin, table(*ROWS))
    before = list(Component.objects.order_by("code").values())
    again = tried(admin, table(*ROWS))

    assert counts(again) == (0, 0, 3, 0)
    apply_import(load_id=again.pk, table_hash=again.table_hash, by=admin, at=NOON.replace(hour=9))
    assert list(Component.objects.order_by("code").values()) == before


def test_only_what_differs_is_named_and_columns_that_are_absent_stay(admin):
    applied(admin, table(*ROWS))
    titles = "code,department,state,lon,lat"
    load = tried(
        admin, table(f"{LAMP},370502-XF,broken,118.512,37.42", f"{COVER},3705-XF,破损,118.56,37.42", titles=titles)
    )

    assert counts(load) == (0, 1, 1, 0)
    assert load.rows.get(code=LAMP).fields == ["state", "location"]
    apply_import(load_id=load.pk, table_hash=load.table_hash, by=admin, at=NOON)
    lamp = Component.objects.get(code=LAMP)
    assert (lamp.state, lamp.location.x, lamp.owner, lamp.name_zh, str(lamp.surveyed_on)) == (
        "broken", 118.512, "城管局", "一号路灯", "2026-05-01",
    )  # fmt: skip


WRONG = [
    ("37050201070001,,370502-XF,,,118.51,37.42,", ("code", "37050201070001", "digits")),
    ("3701020107000001,,370502-XF,,,118.51,37.42,", ("code", "370102", "division")),
    ("3705020999000001,,370502-XF,,,118.51,37.42,", ("code", "0999", "class")),
    (f"{LAMP},,no-such,,,118.51,37.42,", ("department", "no-such", "department")),
    (f"{LAMP},,370502-XF,,坏了,118.51,37.42,", ("state", "坏了", "state")),
    (f"{LAMP},,370502-XF,,,east,37.42,", ("lon", "east", "degrees")),
    (f"{LAMP},,370502-XF,,,nan,37.42,", ("location", "nan, 37.42", "city")),
    (f"{LAMP},,370502-XF,,,116.4,39.9,", ("location", "116.4, 39.9", "city")),
    (f"{LAMP},,370502-XF,,,118.51,37.42,2027-01-01", ("surveyed_on", "2027-01-01", "day")),
    (f"{LAMP},{'灯' * 121},370502-XF,,,118.51,37.42,", ("name_zh", "灯" * 60, "short")),
    (f"{LAMP},,370502-XF", ("code", "3", "columns")),
]


@pytest.mark.parametrize(("row", "told"), WRONG)
def test_a_wrong_row_is_told_with_its_line_and_the_others_are_written(admin, row, told):
    load = applied(admin, table(ROWS[1], "", row))

    assert (2 + 2, *told) in slips(load)
    assert (load.new, load.wrong, Component.objects.count()) == (1, 1, 1)
    assert load.rows.count() == 1  # wrong rows are kept


def test_a_code_that_comes_twice_is_refused_with_the_line_of_the_first(admin):
    load = tried(admin, table(ROWS[0], ROWS[1], ROWS[0]))

    assert (counts(load), load.rows.get(outcome="wrong").errors) == ((2, 0, 0, 1), [["code", LAMP, "once", "2"]])


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("parts.xls", b"", ".csv"),
        ("parts.csv", b"", "Columns are missing"),
        ("parts.csv", "编码,名称\n1,2".encode(), "编码, 名称"),
        ("parts.csv", b"\xff\xfe\xff", "UTF-8"),
        ("parts.csv", TITLES.encode(), "no component"),
        ("parts.csv", f"{TITLES},经度\n".encode(), "Several columns"),
        ("parts.geojson", b"[1]", "FeatureCollection"),
    ],
)
def test_a_file_that_is_none_says_what_was_seen(admin, name, data, words):
    from django.utils.translation import override  # noqa: PLC0415

    with override("en"), pytest.raises(NotRead, match=words.replace(".", r"\.")), transaction.atomic():
        tried(admin, data, name=name)
    assert not ComponentImport.objects.exists()


def test_geojson_and_other_datums(admin):
    lon, lat = gcj02_from_wgs84(118.51, 37.42)
    feature = {
        "type": "Feature", "geometry": {"type": "Point", "coordinates": [lon, lat]},
        "properties": {"code": int(LAMP), "department": "370502-XF", "lon": 1, "height": None},
    }  # fmt: skip
    line = {**feature, "geometry": {"type": "LineString", "coordinates": [[1, 2], [3, 4]]}}
    data = json.dumps({"type": "FeatureCollection", "features": [feature, line]}).encode()
    load = applied(admin, data, name="parts.geojson", datum="gcj02")

    lamp = Component.objects.get()
    assert (round(lamp.location.x, 6), round(lamp.location.y, 6), lamp.cell.code) == (118.51, 37.42, f"{HOME}001")
    assert slips(load)[0] == (2, "location", "LineString", "point")


# -- the second step -------------------------------------------------------------------------------


def test_what_changed_since_the_dry_run_stops_it_and_is_shown_anew(admin):
    applied(admin, table(*ROWS))
    load = tried(admin, table(ROWS[0].replace("完好", "丢失"), *ROWS[1:]))
    shown = load.table_hash
    Component.objects.filter(code=COVER).update(owner="别人")

    with pytest.raises(NotImported, match="stale"):
        apply_import(load_id=load.pk, table_hash=shown, by=admin, at=NOON)
    load.refresh_from_db()
    assert (counts(load), load.state, Component.objects.get(code=LAMP).state) == ((0, 2, 1, 0), "tried", "intact")
    with pytest.raises(NotImported):  # the page that was open before
        apply_import(load_id=load.pk, table_hash=shown, by=admin, at=NOON)
    load.refresh_from_db()
    apply_import(load_id=load.pk, table_hash=load.table_hash, by=admin, at=NOON)
    assert Component.objects.get(code=LAMP).state == "missing"


def test_what_others_change_beside_it_does_not_stop_it(admin):
    applied(admin, table(*ROWS))
    load = tried(admin, table(ROWS[0].replace("完好", "丢失")))
    Component.objects.filter(code=COVER).update(owner="别人")

    apply_import(load_id=load.pk, table_hash=load.table_hash, by=admin, at=NOON)
    assert Component.objects.get(code=LAMP).state == "missing"


def test_an_import_keeps_to_the_area_of_who_imports(admin):
    own = person("administrator", "370502")
    applied(admin, table(*ROWS))
    moved_in = ROWS[2].replace("118.71,37.41", "118.51,37.42")
    load = tried(own, table(ROWS[0], ROWS[2].replace("000001", "000002"), moved_in))

    assert counts(load) == (0, 0, 1, 2)
    assert [slip[:2] + slip[3:] for slip in slips(load)] == [(3, "location", "area"), (4, "code", "own")]


def test_twenty_thousand_rows_take_seconds_and_a_fixed_number_of_queries(admin, django_assert_max_num_queries):
    rows = [
        f"370502010{7 if n % 2 else 1}{n:06},,370502-XF,城管局,完好,{118.5 + n % 300 / 7000:.6f},{37.4 + n / 2_500_000:.6f},"
        for n in range(20_000)
    ]
    began = time.monotonic()
    with django_assert_max_num_queries(40):
        load = applied(admin, table(*rows))

    assert (counts(load), Component.objects.count()) == ((20_000, 0, 0, 0), 20_000)
    assert time.monotonic() - began < 30  # a fifth of the bound; 2 s on a free core


# -- pages and doors -------------------------------------------------------------------------------


def test_the_way_through_the_pages(client, admin):
    page = sign_in(client, admin)
    sent = {"id": uuid.uuid4(), "datum": "wgs84", "file": SimpleUploadedFile("六月.csv", table(*ROWS, "1,2"))}
    answer = page.post(reverse("grid-component-imports"), sent)
    assert answer.status_code == 302
    report = page.get(answer.url).content.decode()
    load = ComponentImport.objects.get()
    assert "Write 3 components" in report
    assert "六月.csv" in report
    assert "16 digits" in report
    done = page.post(reverse("grid-component-apply", args=[load.pk]), {"table_hash": load.table_hash}, follow=True)
    assert "What this file did" in done.content.decode()
    wrong = b"".join(page.get(reverse("grid-component-wrong", args=[load.pk])).streaming_content).decode("utf-8-sig")
    assert ["5", "1", "code", "1", "16 digits"] in list(csv.reader(io.StringIO(wrong)))
    assert ExportRecord.objects.filter(user=admin).count() == 1
    assert Component.objects.count() == 3


def test_a_bad_file_stands_at_its_field(client, admin):
    sent = {"id": uuid.uuid4(), "datum": "wgs84", "file": SimpleUploadedFile("x.csv", b"a,b")}
    answer = sign_in(client, admin).post(reverse("grid-component-imports"), sent)

    assert answer.status_code == 400
    assert "Columns are missing" in answer.content.decode()


@pytest.mark.parametrize("role", ["dispatcher", "supervisor", "leader", "grid_worker", "operator", "kiosk"])
def test_imports_are_the_administrators(client, role):
    page = sign_in(client, person(role, "3705"))

    assert page.get(reverse("grid-component-imports")).status_code == 403
    assert page.post(reverse("grid-component-imports"), {}).status_code == 403


def test_an_auditor_reads_imports_and_a_foreign_administrator_does_not(client, admin):
    load = tried(admin, table(*ROWS))
    ComponentImport.objects.filter(pk=load.pk).update(area_code="370502")
    page = reverse("grid-component-import", args=[load.pk])

    assert sign_in(client, person("auditor", "3705")).get(page).status_code == 200
    refused = client.post(reverse("grid-component-apply", args=[load.pk]), {"table_hash": load.table_hash})
    assert refused.status_code == 403
    assert sign_in(client, person("administrator", "370503")).get(page).status_code == 404
    assert client.get(reverse("grid-component-wrong", args=[load.pk])).status_code == 404
    assert client.post(reverse("grid-component-apply", args=[load.pk]), {}).status_code == 404
    assert Component.objects.count() == 0


def codes(client, **query) -> list[str]:
    answer = client.get("/api/v1/grid/components/", query)
    assert answer.status_code == 200, answer.json()
    return [one["code"] for one in answer.json()["results"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [COVER, LAMP, FAR]),
        ({"kind": "01"}, [COVER, LAMP, FAR]),
        ({"kind": "0107"}, [LAMP, FAR]),
        ({"kind": "02"}, []),
        ({"state": "broken"}, [COVER]),
        ({"department": "370502-XF"}, [LAMP]),
        ({"search": "37050201"}, [COVER, LAMP]),
        ({"search": "一号"}, [LAMP]),
        ({"search": "manhole"}, [COVER]),
        ({"area": "370503"}, [FAR]),
        ({"cell": f"{HOME}002"}, [COVER]),
        ({"bbox": "118.5,37.4,118.52,37.5"}, [LAMP]),
    ],
)
def test_the_list_of_the_api_and_of_the_page_agree(client, admin, query, found):
    applied(admin, table(*ROWS))
    reader = sign_in(client, person("dispatcher", "3705"))

    assert codes(reader, **query) == found
    assert reader.get("/api/v1/grid/components/count/", query).json() == {"count": len(found)}
    page = reader.get(reverse("grid-components"), query).content.decode()
    assert [code for code in (COVER, LAMP, FAR) if f"/grid/components/{code}/" in page] == found


def test_what_is_not_understood_is_said(client, admin):
    reader = sign_in(client, person("dispatcher", "3705"))

    assert reader.get("/api/v1/grid/components/?colour=red").status_code == 400
    assert reader.get("/api/v1/grid/components/?state=fine").status_code == 400
    assert "fine" in reader.get(reverse("grid-components"), {"state": "fine"}).content.decode()


def test_a_neighbour_sees_nothing_of_it(client, admin):
    applied(admin, table(*ROWS))
    page = sign_in(client, person("dispatcher", "370503"))

    assert codes(page) == [FAR]
    assert page.get(f"/api/v1/grid/components/{LAMP}/").status_code == 404
    assert page.get(reverse("grid-component", args=[LAMP])).status_code == 404
    assert page.get("/api/v1/grid/components/", {"area": "370502"}).status_code == 404
    assert page.get("/api/v1/grid/components/near/", {"lon": 118.51, "lat": 37.42}).json() == {"results": []}
    assert sign_in(page, person("kiosk", "3705")).get("/api/v1/grid/components/").status_code == 403


def test_what_stands_around_a_point(client, admin):
    applied(admin, table(*ROWS))
    phone = sign_in(client, person("grid_worker", "3705"))
    near = phone.get("/api/v1/grid/components/near/", {"lon": 118.5102, "lat": 37.42}).json()["results"]

    assert [(one["code"], one["metres"], one["class_name"]) for one in near] == [(LAMP, 18, "Street lamp")]
    assert phone.get("/api/v1/grid/components/near/", {"lon": 118.5105, "lat": 37.42}).json()["results"] == []
    assert phone.get("/api/v1/grid/components/near/", {"lon": "x", "lat": 37.42}).status_code == 400


def test_pages_go_on_by_code_and_cost_the_same(client, admin, django_assert_num_queries):
    rows = [f"3705020107{n:06},,370502-XF,,,118.51,37.42," for n in range(1, 61)]
    applied(admin, table(*rows))
    page = sign_in(client, person("dispatcher", "3705"))
    page.get(reverse("grid-components"))
    with django_assert_num_queries(11):
        first = page.get(reverse("grid-components")).content.decode()
    assert "after=3705020107000050" in first
    second = page.get(reverse("grid-components"), {"after": "3705020107000050"}).content.decode()
    assert second.count("/grid/components/3705020107") >= 10
    assert "3705020107000050" not in second.replace("after=3705020107000050", "")
    with django_assert_num_queries(2):
        codes(page, page_size=60)


def test_an_export_is_read_again_as_it_is(client, admin):
    applied(admin, table(*ROWS))
    page = sign_in(client, admin)
    for language in ("en", "zh-hans"):
        page.cookies["django_language"] = language
        data = b"".join(page.get(reverse("grid-components-sheet", args=["csv"])).streaming_content)
        assert counts(tried(admin, data)) == (0, 0, 3, 0)


def test_components_follow_a_rezoning(admin):
    """The cell that stands around a component afterwards is its cell, as for premises."""
    from grid.rezoning.sketch import Drawing  # noqa: PLC0415
    from grid.services import draft_rezoning  # noqa: PLC0415
    from grid.services.rezoned import enter  # noqa: PLC0415

    applied(admin, table(*ROWS))
    boss = person("dispatcher", "3705")
    drawing = Drawing(operation="split", cells=(f"{HOME}001",), line=((118.525, 37.39), (118.525, 37.46)))
    rezoning = draft_rezoning(
        id=uuid.uuid4(), drawing=drawing, reason="x", basis="y", effective_at=None, actor=boss, at=NOON
    )
    rezoning.state = "approved"
    with transaction.atomic():
        enter(rezoning, NOON)

    lamp = Component.objects.select_related("cell").get(code=LAMP)
    assert lamp.cell.active
    assert lamp.cell.geometry.contains(lamp.location)
    assert lamp.area_code == lamp.cell.code
    assert counts(tried(admin, table(*ROWS))) == (0, 0, 3, 0)
