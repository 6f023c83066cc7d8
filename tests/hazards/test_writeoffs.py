"""Write-off lists: frozen rows stay, the hash tells of what was changed, several people sign, none of them the maker."""

import csv
import io
import uuid
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.utils import InternalError
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from citysafety.lifecycle import StepNotAllowed
from grid.models import Division, Matter, MatterClass
from hazards.models import Hazard, Step
from hazards.services import FieldsMissing, NotAllowed, take_step
from hazards.services.given import StepInput
from hazards.writeoffs import canonical, selectors, services
from hazards.writeoffs.models import SigningRule, WriteOffExclusion, WriteOffItem, WriteOffList, WriteOffSignature
from hazards.writeoffs.seeds import seed_signatures
from tests.factories import AWAY, HOME, NOON, person

from .test_api import client_of
from .test_rechecks import closed

pytestmark = pytest.mark.django_db
CLOSED = "counted=closed:2026-11-23..2026-11-29"


@pytest.fixture
def office(cast):
    """Who makes, and who signs."""
    seed_signatures()
    cast.maker, cast.boss = person("supervisor"), person("supervisor")
    cast.head = person("department_handler", department=cast.city.departments["fire-02"], may_sign=True)
    return cast


def draft(office, *, query=CLOSED, area=HOME, by=None):
    wish = services.Wish(id=uuid.uuid4(), title="十一月第四周", area=area, query=query)
    return services.make_list(wish=wish, by=by or office.maker, at=NOON + timedelta(days=7))


def frozen(office, number=2, **more):
    hazards = [closed(office) for _n in range(number)]
    row = services.freeze(list_id=draft(office, **more).pk, by=office.maker, at=NOON + timedelta(days=7))
    return row, hazards


def signed(row, by, sha256=None):
    return services.sign(list_id=row.pk, sha256=sha256 or row.sha256, by=by, at=NOON + timedelta(days=8))


def test_a_draft_is_a_filter_of_the_list_of_hazards_and_leaves_out_what_was_taken_out(office):
    one, two = closed(office), closed(office)
    closed(office, at=NOON - timedelta(days=9))  # another week
    office.rectified()
    row = draft(office)
    assert set(services.cases_of(row)) == {one, two}
    assert "2026-11-23 – 2026-11-29" in row.said
    named = draft(office, query=f"{CLOSED}&category=XF").said
    assert MatterClass.objects.get(code="XF").name in named
    assert Division.objects.get(code=office.boss.area_code).name in named
    assert not services.cases_of(draft(office, query=f"{CLOSED}&category=SZ")).exists()
    for reason, hazard in (("", one.pk), ("重复", uuid.uuid4())):
        with pytest.raises(FieldsMissing):
            services.take_out(list_id=row.pk, hazard_id=hazard, reason=reason, by=office.maker, at=NOON)
    services.take_out(list_id=row.pk, hazard_id=one.pk, reason="照片待补", by=office.maker, at=NOON)
    assert set(services.cases_of(row)) == {two}
    services.put_back(list_id=row.pk, hazard_id=one.pk, by=office.maker)
    assert set(services.cases_of(row)) == {one, two}
    with pytest.raises(NotAllowed):
        services.take_out(list_id=row.pk, hazard_id=one.pk, reason="x", by=office.boss, at=NOON)
    services.discard(list_id=row.pk, by=office.maker)
    assert not WriteOffList.objects.filter(pk=row.pk).exists()


def test_what_is_not_understood_is_refused_with_what_was_seen(office):
    for query, area, field in (("moon=full", HOME, "query"), ("state=lost", HOME, "query"), ("", AWAY, "area"),
                               ("figure=hazards.open", HOME, "query")):  # fmt: skip
        with pytest.raises(FieldsMissing) as refusal:
            draft(office, query=query, area=area)
        assert list(refusal.value.errors) == [field]
    for nobody in (office.worker, office.handler, person("leader"), person("auditor")):
        with pytest.raises(NotAllowed):
            draft(office, by=nobody)
    assert draft(office, by=office.dispatcher, query="").area_code == HOME


def test_frozen_rows_are_a_copy_of_the_cases_as_they_stood(office):
    row, [hazard] = frozen(office, 1)
    item = WriteOffItem.objects.get()
    closing = Step.objects.get(hazard=hazard, action="write_off")
    assert (item.number, item.matter_code, item.department_code) == (hazard.number, "XF-001", "fire-02")
    assert (item.closing_id, item.closed_at, item.found_at) == (closing.pk, closing.at, hazard.occurred_at)
    assert (item.verifier, item.verified_by) == (office.dispatcher.username, "verify")
    assert len(item.evidence) == 1
    assert (row.size, row.asked, row.departments) == (1, 2, [office.city.departments["fire-02"].pk])
    Matter.objects.filter(code="XF-001").update(name_zh="改了名")
    assert WriteOffItem.objects.get().matter_zh == "疏散通道堵塞"
    assert canonical.still_matches(WriteOffList.objects.get())


def test_after_freezing_nothing_can_be_changed_deleted_or_added(office):
    row, _hazards = frozen(office)
    item, other = WriteOffItem.objects.first(), closed(office)
    for change in (
        lambda: WriteOffItem.objects.update(matter_zh="x"),
        lambda: WriteOffItem.objects.filter(pk=item.pk).delete(),
        lambda: WriteOffList.objects.filter(pk=row.pk).update(title="x"),
        lambda: WriteOffList.objects.filter(pk=row.pk).update(frozen_at=None, sha256=""),
        lambda: WriteOffExclusion.objects.create(list=row, hazard=item.hazard, reason="x", by=office.maker, at=NOON),
        lambda: WriteOffItem.objects.bulk_create([_again(item, other)]),
    ):
        with pytest.raises(InternalError, match="pgtrigger"), transaction.atomic():
            change()
    for again in (services.freeze, services.discard):
        with pytest.raises(StepNotAllowed):
            again(list_id=row.pk, by=office.maker, **({"at": NOON} if again is services.freeze else {}))
    rough = draft(office)
    with pytest.raises(InternalError, match="pgtrigger"), transaction.atomic():  # a draft is not signed
        WriteOffSignature.objects.create(list=rough, place=0, user=office.boss, at=NOON, sha256=row.sha256)


def _again(item, hazard):
    item.pk, item.position, item.hazard = None, 99, hazard
    return item


@pytest.mark.parametrize("tampering", [
    "UPDATE hazards_writeoffitem SET closed_at = closed_at - interval '1 second' WHERE position = 2",
    "UPDATE hazards_writeoffitem SET evidence = '{}' WHERE position = 1",
    "DELETE FROM hazards_writeoffitem WHERE position = 2",
    "UPDATE hazards_writeofflist SET said = 'x'",
    "UPDATE hazards_writeoffsignature SET sha256 = repeat('0', 64)",
    "UPDATE hazards_writeoffexclusion SET reason = 'x'",
])  # fmt: skip
def test_what_is_changed_past_the_triggers_no_longer_gives_the_hash(office, tampering, capsys):
    out = closed(office)
    for _n in range(2):
        closed(office)
    row = draft(office)
    services.take_out(list_id=row.pk, hazard_id=out.pk, reason="照片待补", by=office.maker, at=NOON)
    row = services.freeze(list_id=row.pk, by=office.maker, at=NOON + timedelta(days=7))
    signed(row, office.head)
    call_command("verify_four_eyes")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # a superuser, past the triggers
        cursor.execute(tampering)
        assert cursor.rowcount == 1
    row = WriteOffList.objects.get()
    assert not canonical.still_matches(row)
    with pytest.raises(SystemExit):
        call_command("verify_four_eyes", row.number)
    assert row.number in capsys.readouterr().out
    if "signature" not in tampering:
        with pytest.raises(StepNotAllowed):
            signed(row, office.boss)


def test_it_is_in_force_once_all_have_signed_and_the_maker_does_not_sign(office):
    row, _hazards = frozen(office)
    far_head = person("department_handler", department=office.city.departments["roads-02"], may_sign=True)
    for nobody in (office.maker, office.handler, far_head, office.dispatcher, person("supervisor", area=AWAY)):
        with pytest.raises(NotAllowed):
            signed(row, nobody)
    with pytest.raises(FieldsMissing):
        signed(row, office.head, sha256="0" * 64)
    signed(row, office.head)
    assert not WriteOffList.objects.in_force().exists()
    with pytest.raises(NotAllowed):
        signed(row, office.head)
    one = signed(row, office.boss)
    assert (one.place, one.sha256, one.role) == (1, row.sha256, "supervisor")
    assert WriteOffList.objects.in_force().get() == row
    with pytest.raises(NotAllowed):
        signed(row, person("supervisor"))
    with pytest.raises(InternalError, match="pgtrigger"), transaction.atomic():
        WriteOffSignature.objects.all().delete()


def test_which_signatures_are_asked_is_data_and_stays_as_it_was_frozen(office):
    row, _hazards = frozen(office)
    SigningRule.objects.all().delete()
    with pytest.raises(StepNotAllowed):
        services.freeze(list_id=draft(office).pk, by=office.maker, at=NOON)
    SigningRule.objects.create(position=1, role="leader")
    SigningRule.objects.create(position=2, role="leader")
    other = services.freeze(list_id=draft(office).pk, by=office.maker, at=NOON + timedelta(days=7))
    assert [one["role"] for one in other.demanded] == ["leader", "leader"]
    assert signed(row, office.boss).place == 1
    first, second = person("leader"), person("leader")
    assert [signed(other, who).place for who in (first, second)] == [0, 1]


def test_an_empty_list_is_not_frozen(office):
    with pytest.raises(StepNotAllowed):
        services.freeze(list_id=draft(office).pk, by=office.maker, at=NOON)
    assert not WriteOffItem.objects.exists()


def test_what_is_reopened_later_is_marked_and_the_list_stays(office, client):
    row, [one, _two] = frozen(office)
    assert selectors.reopened(row) == 0
    given = StepInput(id=uuid.uuid4(), version=Hazard.objects.get(pk=one.pk).version, words="复发")
    take_step(hazard_id=one.pk, action="reopen", given=given, actor=office.dispatcher, at=NOON + timedelta(days=8))
    assert [item.number for item in selectors.items(row) if item.is_reopened] == [one.number]
    assert selectors.reopened(row) == 1
    assert canonical.still_matches(WriteOffList.objects.get())
    client.force_login(office.boss)
    client.cookies["django_language"] = "en"
    page = client.get(f"/hazards/writeoffs/{row.pk}/?check=true").content.decode()
    assert page.count("reopened since") >= 1
    assert "the rows give this hash" in page


def test_ten_thousand_cases_are_copied_by_one_statement(office, say):
    sample = closed(office)
    with connection.cursor() as cursor:
        names = [field.column for field in Hazard._meta.concrete_fields if field.column not in ("id", "number")]
        cursor.execute(
            f"INSERT INTO hazards_hazard (id, number, {', '.join(names)}) SELECT gen_random_uuid(),"
            f" 'YH-20261123-9' || lpad(n::text, 5, '0'), {', '.join(names)}"
            " FROM hazards_hazard, generate_series(1, 9999) n WHERE id = %s", [sample.pk]
        )  # fmt: skip
        cursor.execute(
            "INSERT INTO hazards_step (id, hazard_id, action, source, target, version, actor_id, at, words, basis)"
            " SELECT gen_random_uuid(), h.id, s.action, s.source, s.target, s.version, s.actor_id, s.at, '', ''"
            " FROM hazards_hazard h, hazards_step s WHERE s.hazard_id = %s AND h.id <> %s"
            " AND s.action IN ('verify', 'write_off')", [sample.pk, sample.pk]
        )  # fmt: skip
        cursor.execute("ANALYZE hazards_hazard, hazards_step, evidence_attachment")
    row = draft(office)
    with CaptureQueriesContext(connection) as asked:
        row = services.freeze(list_id=row.pk, by=office.maker, at=NOON + timedelta(days=7))
    assert row.size == 10_000
    assert len(asked) <= 14  # with savepoints
    spent = sum(float(one["time"]) for one in asked.captured_queries)
    say(f"frozen: 10,000 cases with {len(asked)} statements, {spent:.1f} s in the database")
    assert canonical.still_matches(row)
    api = client_of(office.boss)
    first = api.get(f"/api/v1/writeoffs/{row.pk}/items/?page_size=1000").json()
    assert len(first["results"]) == 1000
    assert api.get(first["next"]).json()["results"][0]["position"] == 1001
    assert api.get(f"/api/v1/writeoffs/{row.pk}/items/count/").json() == {"count": 10_000}


def test_the_file_is_what_was_frozen_with_its_hash_and_no_formula(office, client):
    Matter.objects.filter(code="XF-001").update(name_zh="=HYPERLINK(1)", name_en="")
    row, [one] = frozen(office, 1)
    signed(row, office.head)
    client.force_login(office.boss)
    text = b"".join(client.get(f"/hazards/writeoffs/{row.pk}/export.csv").streaming_content).decode("utf-8-sig")
    lines = list(csv.reader(io.StringIO(text)))
    assert row.sha256 in text
    assert row.said in text
    assert office.head.name in text
    assert lines[-1][1] == one.number
    assert lines[-1][3] == "'=HYPERLINK(1)"
    assert client.get(f"/hazards/writeoffs/{row.pk}/export.xlsx").status_code == 200
    paper = client.get(f"/hazards/writeoffs/{row.pk}/print/").content.decode()
    assert row.sha256 in paper
    assert paper.count("____________________") >= 3
    assert client.get(f"/hazards/writeoffs/{draft(office).pk}/export.csv").status_code == 404


def test_the_pages_lead_from_the_form_to_the_signatures(office, client):
    closed(office)
    client.force_login(office.maker)
    given = {"title": "本周", "area": HOME, "first": "2026-11-23", "last": "2026-11-29"}
    assert client.post("/hazards/writeoffs/new/", {**given, "more": "moon=full"}).status_code == 400
    answer = client.post("/hazards/writeoffs/new/", {**given, "category": "XF", "more": "late=false"})
    row = WriteOffList.objects.get()
    assert answer.url == f"/hazards/writeoffs/{row.pk}/"
    assert QueryDict(row.query).dict() == {
        "counted": "closed:2026-11-23..2026-11-29",
        "category": "XF",
        "late": "false",
    }
    client.post(f"{answer.url}take-out/", {"hazard": str(Hazard.objects.get().pk), "reason": "待补"})
    assert WriteOffExclusion.objects.get().reason == "待补"
    client.post(f"{answer.url}put-back/", {"hazard": str(Hazard.objects.get().pk)})
    client.force_login(office.boss)
    assert client.post(f"{answer.url}freeze/").status_code == 403
    client.force_login(office.maker)
    client.post(f"{answer.url}freeze/")
    row.refresh_from_db()
    assert row.size == 1
    for who in (office.head, office.boss):
        client.force_login(who)
        assert "sha256" in client.get(answer.url).content.decode()
        client.post(f"{answer.url}sign/", {"sha256": row.sha256})
    assert row.signatures.count() == 2
    assert client.get("/hazards/writeoffs/?state=in_force").content.decode().count("data-href") == 1
    assert client.post(f"{answer.url}burn/").status_code == 404


@pytest.mark.parametrize("number", [1, 4])
def test_pages_cost_the_same_however_long(office, client, number, django_assert_num_queries):
    row, _hazards = frozen(office, number)
    rough = draft(office)
    for _n in range(number):
        draft(office)
    client.force_login(office.boss)
    client.get("/hazards/writeoffs/")
    for path, queries in (
        ("/hazards/writeoffs/", 4), (f"/hazards/writeoffs/{row.pk}/", 7), (f"/hazards/writeoffs/{row.pk}/?check=true", 10),
        (f"/hazards/writeoffs/{rough.pk}/", 6), (f"/hazards/writeoffs/{row.pk}/print/", 5),
    ):  # fmt: skip
        with django_assert_num_queries(queries):
            assert client.get(path).status_code == 200, path


def test_the_api_makes_freezes_and_signs_and_is_closed_to_others(office):
    hazard = closed(office)
    api = client_of(office.maker)
    body = {"id": str(uuid.uuid4()), "title": "本周", "query": CLOSED}
    first, again = (api.post("/api/v1/writeoffs/", body, format="json") for _n in range(2))
    assert (first.status_code, again.status_code, first.json()["cases"]) == (201, 200, 1)
    path = f"/api/v1/writeoffs/{body['id']}/"
    assert api.get(f"{path}verify/").status_code == 409
    assert api.get(f"{path}items/").json()["results"][0]["number"] == hazard.number
    out = api.post(f"{path}take-out/", {"hazard": str(hazard.pk), "reason": "待补"}, format="json")
    assert out.json()["cases"] == 0
    assert api.post(f"{path}freeze/").status_code == 409
    assert api.post(f"{path}put-back/", {"hazard": str(hazard.pk)}, format="json").json()["cases"] == 1
    sha256 = api.post(f"{path}freeze/").json()["sha256"]
    assert api.post(f"{path}sign/", {"sha256": sha256}, format="json").status_code == 403
    head = client_of(office.head)
    assert head.post(f"{path}sign/", {"sha256": "0" * 64}, format="json").status_code == 400
    assert head.post(f"{path}sign/", {"sha256": sha256}, format="json").json()["signatures"] == 1
    assert api.get(f"{path}verify/").json() == {"sha256": sha256, "recomputed": sha256, "matches": True}
    assert api.get("/api/v1/writeoffs/count/?state=frozen").json() == {"count": 1}
    for who, status in (
        (person("supervisor", area=AWAY), 404), (office.worker, 403), (person("operator"), 403), (person("leader"), 200),
        (person("department_handler", department=office.city.departments["fire-03"], area=AWAY), 404),
    ):  # fmt: skip
        assert client_of(who).get(path).status_code == status, who.role
    other = {**body, "id": str(uuid.uuid4())}
    assert client_of(office.worker).post("/api/v1/writeoffs/", other, format="json").status_code == 403
    assert client_of(person("leader")).post("/api/v1/writeoffs/", other, format="json").status_code == 403
