"""Hazards through the API: filing, repeats, the order of refusals, the life from filing to write-off."""

import hashlib
import importlib
import io
import threading
import uuid
from datetime import timedelta

import pytest
from django.db import InternalError, connection, connections, transaction
from django.test import Client
from django.utils import timezone
from PIL import Image
from rest_framework.test import APIClient

from citysafety.accounts import tokens
from citysafety.evidence.models import Attachment, Photo
from citysafety.outbox.relay import relay_waiting
from citysafety.tallies.services import fold
from grid.models import Matter
from hazards.models import Hazard, Step
from hazards.services.steps import MOST_DOUBT_M
from tests.factories import AWAY, HOME, file_hazard, make_city, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def city():
    return make_city()


def client_of(user):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {tokens.issue(user, 'test')}")
    return client


def filing(**more):
    return {
        "id": str(uuid.uuid4()),
        "matter": "XF-001",
        "severity": "general",
        "description": "楼道电动车充电",
        "location": {"lon": 118.53, "lat": 37.45, "accuracy_m": 8, "datum": "wgs84"},
        "cell": None,
        "occurred_at": timezone.now().isoformat(),
        "handled_on_spot": False,
        **more,
    }


def picture(seed=0, side=32):
    out = io.BytesIO()
    Image.effect_noise((side, side), 40 + seed).save(out, "PNG")
    return out.getvalue()


def put_photo(client, hazard_id, role, data=None):
    data = data or picture()
    name = hashlib.sha256(data).hexdigest()
    return client.put(f"/api/v1/hazards/{hazard_id}/photos/{name}?role={role}", data, content_type="image/png")


def step(client, hazard_id, action, **fields):
    version = client.get(f"/api/v1/hazards/{hazard_id}/").json().get("version")
    body = {"id": str(uuid.uuid4()), "version": version, **fields}
    return client.post(f"/api/v1/hazards/{hazard_id}/{action}/", body, format="json")


def test_a_filing_gets_a_number_its_cell_and_a_due_time(city):
    answer = client_of(person("grid_worker")).post("/api/v1/hazards/", filing(), format="json")

    assert answer.status_code == 201
    body = answer.json()
    assert (body["state"], body["version"], body["cell"]) == ("reported", 1, f"{HOME}001001001")
    assert body["number"].startswith("YH-")
    assert body["due"]["stage"] == "accept"
    assert body["due"]["at"]


def test_a_point_in_the_school_gives_both_its_cells(city):
    place = {"lon": 118.515, "lat": 37.445, "accuracy_m": 5, "datum": "wgs84"}
    body = client_of(person("grid_worker")).post("/api/v1/hazards/", filing(location=place), format="json").json()

    assert (body["cell"], body["dedicated_cell"]) == (f"{HOME}001001001", f"{HOME}001001501")


def test_the_same_id_and_body_gets_the_same_answer_and_another_body_is_refused(city):
    client, body = client_of(person("grid_worker")), filing()
    first = client.post("/api/v1/hazards/", body, format="json")
    again = client.post("/api/v1/hazards/", body, format="json")
    other = client.post("/api/v1/hazards/", {**body, "description": "另一件事"}, format="json")
    foreign = client_of(person("grid_worker")).post("/api/v1/hazards/", body, format="json")

    assert (first.status_code, again.status_code, other.status_code, foreign.status_code) == (201, 200, 422, 422)
    assert again.json() == first.json()
    assert Hazard.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"matter": "NO-SUCH"}, "matter"),
        ({"location": {"lon": 2.3, "lat": 48.8, "accuracy_m": 5, "datum": "wgs84"}}, "location"),
        ({"location": {"lon": "x", "lat": None, "accuracy_m": 5, "datum": "wgs84"}}, "location.lon"),
        ({"location": {"lon": 118.5, "lat": 37.4, "datum": "utm"}}, "location.datum"),
        ({"occurred_at": "2099-01-01T00:00:00Z"}, "occurred_at"),
        ({"severity": "major"}, "criterion"),
        ({"cell": "370502001001999"}, "cell"),
        ({"cell": f"{AWAY}001001002"}, "cell"),
    ],
)
def test_what_cannot_be_filed_is_refused_with_its_field_and_leaves_no_trace(city, change, field):
    answer = client_of(person("grid_worker")).post("/api/v1/hazards/", filing(**change), format="json")

    assert answer.status_code == 400
    assert field in [error["attr"] for error in answer.json()["errors"]]
    assert not Hazard.objects.exists()


def test_gcj02_is_converted_at_the_door(city):
    place = {"lon": 118.65, "lat": 37.45, "accuracy_m": 8, "datum": "gcj02"}
    body = client_of(person("grid_worker")).post("/api/v1/hazards/", filing(location=place), format="json").json()

    assert 0.003 < 118.65 - body["location"]["lon"] < 0.009


def test_without_a_token_nothing_is_filed(city):
    answer = APIClient().post("/api/v1/hazards/", filing(), format="json")

    assert answer.status_code == 401
    assert not Hazard.objects.exists()


def test_the_whole_life_with_four_eyes_and_evidence(city):
    worker, other = client_of(person("grid_worker")), client_of(person("grid_worker"))
    handler = client_of(person("department_handler", department=city.departments["fire-02"]))
    dispatcher = client_of(person("dispatcher", area="3705"))
    hazard = worker.post("/api/v1/hazards/", filing(), format="json").json()["id"]

    assert step(dispatcher, hazard, "write_off").status_code == 409
    assert step(worker, hazard, "accept").status_code == 403
    assert handler.get(f"/api/v1/hazards/{hazard}/").status_code == 404
    assert step(dispatcher, hazard, "accept").json()["state"] == "accepted"
    assert step(dispatcher, hazard, "dispatch").status_code == 400
    assert step(dispatcher, hazard, "dispatch", department="fire-02").json()["due"]["stage"] == "rectify"
    assert step(handler, hazard, "take").json()["state"] == "taken"
    assert step(handler, hazard, "rectify", words="已清理").status_code == 422
    assert put_photo(handler, hazard, "after").status_code == 201
    assert step(handler, hazard, "rectify", words="").status_code == 400
    assert step(handler, hazard, "rectify", words="已清理").json()["state"] == "rectified"
    place = {"lon": 118.53, "lat": 37.45, "datum": "wgs84"}
    assert step(handler, hazard, "verify", location=place).status_code == 403
    assert step(other, hazard, "verify").status_code == 400
    assert step(other, hazard, "verify", location={"lon": 10.0, "lat": 10.0, "datum": "wgs84"}).status_code == 400
    assert step(other, hazard, "verify", location=place).json()["state"] == "verified"
    done = step(dispatcher, hazard, "write_off").json()
    assert (done["state"], done["version"], done["due"]["at"]) == ("written_off", 7, None)

    rows = worker.get(f"/api/v1/hazards/{hazard}/history/").json()["results"]
    assert [row["action"] for row in rows] == ["report", "accept", "dispatch", "take", "rectify", "verify", "write_off"]


def test_a_failed_verification_asks_for_a_new_photo_and_keeps_the_time_used(city):
    hazard = file_hazard(person("grid_worker")).pk
    handler = client_of(person("department_handler", department=city.departments["fire-02"]))
    dispatcher = client_of(person("dispatcher"))
    step(dispatcher, hazard, "accept")
    step(dispatcher, hazard, "dispatch", department="fire-02")
    step(handler, hazard, "take")
    put_photo(handler, hazard, "after")
    step(handler, hazard, "rectify", words="好了")
    put_photo(handler, hazard, "after", picture(seed=5))  # shown before the verification failed: it has not convinced

    assert step(dispatcher, hazard, "fail", reason="仍有杂物").json()["state"] == "taken"
    assert step(handler, hazard, "rectify", words="好了").status_code == 422
    assert put_photo(handler, hazard, "after", picture(seed=9)).status_code == 201
    assert step(handler, hazard, "rectify", words="这次真好了").json()["state"] == "rectified"


def test_a_photo_sent_for_a_step_that_was_lost_serves_the_next_one(city):
    worker, lost, real = client_of(person("grid_worker")), uuid.uuid4(), str(uuid.uuid4())
    hazard = worker.post("/api/v1/hazards/", filing(), format="json").json()["id"]
    for number, role in enumerate(("before", "after")):
        for name in (lost, real):
            data = picture(number)
            sha256 = hashlib.sha256(data).hexdigest()
            address = f"/api/v1/hazards/{hazard}/photos/{sha256}?role={role}&step={name}"
            assert worker.put(address, data, content_type="image/png").status_code in (200, 201)

    assert step(worker, hazard, "handle_on_spot", id=real).status_code == 200


@pytest.mark.parametrize("role", ["operator", "supervisor", "leader", "auditor", "security_officer", "administrator"])
def test_who_only_looks_at_cases_adds_no_evidence(city, role):
    hazard = file_hazard(person("grid_worker")).pk

    assert put_photo(client_of(person(role)), hazard, "scene").status_code == 403
    assert not Attachment.objects.exists()


def test_a_case_goes_to_an_office_of_its_place_or_of_the_dispatchers_own_area(city):
    hazard = file_hazard(person("grid_worker"))
    county, whole_city = client_of(person("dispatcher")), client_of(person("dispatcher", area="3705"))
    step(county, hazard.pk, "accept")

    refused = step(county, hazard.pk, "dispatch", department="fire-03")
    assert (refused.status_code, refused.json()["errors"][0]["attr"]) == (400, "department")
    assert step(whole_city, hazard.pk, "dispatch", department="fire-03").json()["department"] == "fire-03"


def test_where_the_matter_says_so_verification_happens_near_the_place(city):
    Matter.objects.filter(code="XF-001").update(verify_within_m=100)
    worker, other = client_of(person("grid_worker")), client_of(person("grid_worker"))
    hazard = worker.post("/api/v1/hazards/", filing(handled_on_spot=True), format="json").json()["id"]
    put_photo(worker, hazard, "before", picture(1))
    put_photo(worker, hazard, "after", picture(2))
    step(worker, hazard, "handle_on_spot")
    lon, lat = filing()["location"]["lon"], filing()["location"]["lat"]

    def verify(metres_north: float, accuracy_m: float):
        place = {"lon": lon, "lat": lat + metres_north / 111_195, "accuracy_m": accuracy_m, "datum": "wgs84"}
        return step(other, hazard, "verify", location=place)

    assert verify(140, 30).status_code == 400
    assert verify(240, 5_000).json()["errors"][0]["attr"] == "location"  # so poor a position proves nothing
    assert verify(140, 50).json()["state"] == "verified"


def test_pages_and_api_allow_a_position_the_same_doubt(settings):
    script = (settings.BASE_DIR / "static" / "js" / "distance.js").read_text(encoding="utf-8")
    assert f"const MOST_DOUBT_M = {MOST_DOUBT_M};" in script


def test_what_was_handled_on_the_spot_is_not_verified_by_its_reporter(city):
    worker, other = client_of(person("grid_worker")), client_of(person("grid_worker"))
    hazard = worker.post("/api/v1/hazards/", filing(handled_on_spot=True), format="json").json()["id"]
    assert step(worker, hazard, "handle_on_spot").status_code == 422
    put_photo(worker, hazard, "before", picture(1))
    put_photo(worker, hazard, "after", picture(2))
    assert step(worker, hazard, "handle_on_spot").json()["state"] == "rectified"
    place = {"lon": 118.53, "lat": 37.45, "datum": "wgs84"}

    assert step(worker, hazard, "verify", location=place).status_code == 403
    assert "verify" not in [s["action"] for s in worker.get(f"/api/v1/hazards/{hazard}/steps/").json()]
    assert step(other, hazard, "fail", reason="没有处理").json()["state"] == "accepted"


def test_a_stale_version_is_refused_with_the_present_hazard(city):
    hazard = file_hazard(person("grid_worker"))
    dispatcher = client_of(person("dispatcher"))
    step(dispatcher, hazard.pk, "accept")

    body = {"id": str(uuid.uuid4()), "version": 1, "department": "fire-02"}
    answer = dispatcher.post(f"/api/v1/hazards/{hazard.pk}/dispatch/", body, format="json")

    assert answer.status_code == 409
    assert answer.json()["present"]["version"] == 2


@pytest.mark.parametrize("version", [True, "x", 1.5, None])
def test_a_version_that_is_none_is_refused_by_name(city, version):
    hazard = file_hazard(person("grid_worker"))
    body = {"id": str(uuid.uuid4()), "version": version}
    answer = client_of(person("dispatcher")).post(f"/api/v1/hazards/{hazard.pk}/accept/", body, format="json")

    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "version")


def test_what_is_missing_is_said_in_words(city):
    hazard = file_hazard(person("grid_worker"))
    dispatcher = client_of(person("dispatcher"))
    too_early = step(dispatcher, hazard.pk, "write_off").json()["errors"][0]["detail"]
    no_photo = step(client_of(hazard.reporter), hazard.pk, "handle_on_spot").json()["errors"][0]["detail"]

    assert too_early == "“已上报”状态下不能“销号”。"
    assert no_photo == "此步骤需要“整改前”照片 1 张，现有 0 张。"


def test_a_repeated_step_gets_its_stored_answer_even_after_the_hazard_moved_on(city):
    hazard = file_hazard(person("grid_worker"))
    dispatcher = client_of(person("dispatcher"))
    body = {"id": str(uuid.uuid4()), "version": 1}
    first = dispatcher.post(f"/api/v1/hazards/{hazard.pk}/accept/", body, format="json")
    step(dispatcher, hazard.pk, "dispatch", department="fire-02")

    again = dispatcher.post(f"/api/v1/hazards/{hazard.pk}/accept/", body, format="json")

    assert (again.status_code, again.json()) == (200, first.json())
    assert Step.objects.filter(hazard=hazard).count() == 3


def test_a_worker_of_another_county_does_not_see_it(city):
    hazard = file_hazard(person("grid_worker"))

    for role in ("grid_worker", "dispatcher"):
        client = client_of(person(role, area=AWAY))
        assert client.get(f"/api/v1/hazards/{hazard.pk}/").status_code == 404
        assert step(client, hazard.pk, "accept").status_code == 404
        assert client.get("/api/v1/hazards/count/").json() == {"count": 0}
    assert client_of(person("leader", area="3705")).get(f"/api/v1/hazards/{hazard.pk}/").status_code == 200


def test_photos_are_sealed_and_shown_without_exif_to_those_who_may_see_the_case(city, client):
    worker = person("grid_worker")
    hazard = file_hazard(worker)
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "a camera that tells too much"
    Image.effect_noise((640, 480), 60).convert("RGB").save(out, "JPEG", exif=exif)
    api = client_of(worker)
    assert put_photo(api, hazard.pk, "scene", out.getvalue()).status_code == 201
    assert put_photo(api, hazard.pk, "scene", out.getvalue()).status_code == 200
    attachment = Attachment.objects.get()

    client.force_login(worker)
    shown = b"".join(client.get(f"/evidence/{attachment.pk}/view.jpg").streaming_content)
    client.force_login(person("grid_worker", area=AWAY))

    assert b"tells too much" in out.getvalue()
    assert b"tells too much" not in shown
    assert dict(Image.open(io.BytesIO(shown)).getexif()) == {}
    assert client.get(f"/evidence/{attachment.pk}/view.jpg").status_code == 404
    assert Hazard.objects.get().version == 1


def test_a_wrong_hash_and_what_is_no_picture_are_refused(city):
    worker = person("grid_worker")
    hazard, api = file_hazard(worker), client_of(worker)
    wrong = api.put(f"/api/v1/hazards/{hazard.pk}/photos/{'0' * 64}?role=scene", picture(), content_type="image/png")

    assert wrong.status_code == 422
    assert put_photo(api, hazard.pk, "scene", b"not a picture").status_code == 415
    assert put_photo(api, hazard.pk, "scene", picture(side=8)).status_code == 415
    assert not Photo.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_repeats_in_flight_from_eight_threads_make_one_hazard_each():
    make_city()
    worker = person("grid_worker")
    token = tokens.issue(worker, "phone")
    bodies = [filing() for _ in range(20)]
    jobs, answers, lock = bodies * 4, [], threading.Lock()

    def work():
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
        while True:
            with lock:
                if not jobs:
                    break
                body = jobs.pop()
            answer = client.post("/api/v1/hazards/", body, format="json")
            answers.append((answer.status_code, answer.json().get("id") == body["id"]))
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]

    assert Hazard.objects.count() == 20
    assert {ok for _code, ok in answers} == {True}
    assert sorted(code for code, _ok in answers) == [200] * 60 + [201] * 20


@pytest.mark.parametrize("rows", [1, 3])
def test_a_list_takes_the_same_number_of_queries_for_one_row_and_for_three(city, rows, django_assert_num_queries):
    worker = person("grid_worker")
    for _ in range(rows):
        file_hazard(worker)
    api = client_of(worker)
    api.get("/api/v1/hazards/count/")  # a token notes its use once a minute

    with django_assert_num_queries(3):  # the token with its user, the page
        assert len(api.get("/api/v1/hazards/").json()["results"]) == rows


def test_history_rows_cannot_be_changed_or_deleted(city):
    hazard = file_hazard(person("grid_worker"))

    for verb in ("UPDATE hazards_step SET words = 'nothing happened'", "DELETE FROM hazards_step"):
        with (
            pytest.raises(InternalError, match="append_only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(verb)
    assert Step.objects.filter(hazard=hazard).count() == 1


def test_reopening_is_refused_after_the_limit(city):
    worker = person("grid_worker")
    hazard = file_hazard(worker)
    long_ago = timezone.now() - timedelta(days=31)
    Hazard.objects.filter(pk=hazard.pk).update(
        state="written_off", written_off_at=long_ago, due_at=None, due_stage="", overdue=False
    )
    assert step(client_of(worker), hazard.pk, "reopen", reason="又堵了").status_code == 409

    Hazard.objects.filter(pk=hazard.pk).update(written_off_at=timezone.now())
    assert step(client_of(worker), hazard.pk, "reopen", reason="又堵了").json()["state"] == "accepted"


def test_screens_of_a_school_hear_of_what_is_filed_in_it(city):
    place = {"lon": 118.515, "lat": 37.445, "accuracy_m": 5, "datum": "wgs84"}
    hazard = (
        client_of(person("grid_worker")).post("/api/v1/hazards/", filing(location=place), format="json").json()["id"]
    )
    relay_waiting(listen={}, project=[fold])
    operator = client_of(person("operator", area="3705"))

    for area, hears in ((f"{HOME}001001001", [hazard]), (f"{HOME}001001501", [hazard]), (f"{HOME}001001002", [])):
        items = operator.get(f"/api/v1/live/since/0/?area={area}").json()["items"]
        assert [item["id"] for item in items] == hears


# -- what counts as evidence of a step -------------------------------------------------------------


def to_taken(dispatcher, handler, hazard):
    step(dispatcher, hazard, "accept")
    step(dispatcher, hazard, "dispatch", department="fire-02")
    assert step(handler, hazard, "take").status_code == 200


def test_a_photo_of_the_reporter_is_no_evidence_of_the_handlers_work(city):
    worker = client_of(person("grid_worker"))
    handler = client_of(person("department_handler", department=city.departments["fire-02"]))
    hazard = worker.post("/api/v1/hazards/", filing(), format="json").json()["id"]
    assert put_photo(worker, hazard, "after").status_code == 201  # it could have been handled on the spot
    to_taken(client_of(person("dispatcher")), handler, hazard)

    assert step(handler, hazard, "rectify", words="好了").status_code == 422
    put_photo(worker, hazard, "after", picture(3))  # in time, but of another side
    refused = step(handler, hazard, "rectify", words="好了")
    assert refused.status_code == 422
    assert "本部门自" in refused.json()["errors"][0]["detail"]
    assert put_photo(handler, hazard, "after", picture(7)).status_code == 201
    assert step(handler, hazard, "rectify", words="好了").status_code == 200


def test_a_photo_of_a_colleague_in_the_department_is_evidence(city):
    office = city.departments["fire-02"]
    handler, colleague = (client_of(person("department_handler", department=office)) for _ in range(2))
    hazard = file_hazard(person("grid_worker")).pk
    to_taken(client_of(person("dispatcher")), handler, hazard)

    put_photo(colleague, hazard, "after")
    assert step(handler, hazard, "rectify", words="好了").status_code == 200


def test_photos_left_over_count_for_nothing_once_the_case_came_back(city):
    handler = client_of(person("department_handler", department=city.departments["fire-02"]))
    dispatcher, hazard = client_of(person("dispatcher")), file_hazard(person("grid_worker")).pk
    to_taken(dispatcher, handler, hazard)
    shown = picture()
    put_photo(handler, hazard, "after", shown)
    step(handler, hazard, "rectify", words="好了")
    late = put_photo(handler, hazard, "after", picture(5))
    assert late.status_code == 409
    assert late.json()["errors"][0]["detail"]
    place = {"lon": 118.53, "lat": 37.45, "datum": "wgs84"}
    assert step(dispatcher, hazard, "verify", location=place).status_code == 200
    assert step(dispatcher, hazard, "write_off").status_code == 200
    assert put_photo(handler, hazard, "after", picture(5)).status_code == 409
    assert put_photo(handler, hazard, "after", shown).status_code == 200  # a lost answer is asked for again
    step(dispatcher, hazard, "reopen", reason="又堵了")
    to_taken_again = [step(dispatcher, hazard, "dispatch", department="fire-02"), step(handler, hazard, "take")]

    assert [answer.status_code for answer in to_taken_again] == [200, 200]
    assert step(handler, hazard, "rectify", words="好了").status_code == 422
    assert put_photo(handler, hazard, "after", picture(8)).status_code == 201
    assert step(handler, hazard, "rectify", words="好了").status_code == 200


def test_a_photo_sent_before_the_case_was_sent_back_is_left_over(city):
    handler = client_of(person("department_handler", department=city.departments["fire-02"]))
    dispatcher, hazard = client_of(person("dispatcher")), file_hazard(person("grid_worker"))
    to_taken(dispatcher, handler, hazard.pk)
    put_photo(handler, hazard.pk, "after")
    other = file_hazard(person("grid_worker"))
    assert step(dispatcher, hazard.pk, "merge", into=other.number).status_code == 200
    assert step(dispatcher, hazard.pk, "unmerge", reason="两处").json()["state"] == "taken"

    assert step(handler, hazard.pk, "rectify", words="好了").status_code == 422


def test_photos_of_a_claim_on_the_spot_come_late_from_a_phone_without_a_net(city):
    worker, dispatcher = client_of(person("grid_worker")), client_of(person("dispatcher"))
    claimed = worker.post("/api/v1/hazards/", filing(handled_on_spot=True), format="json").json()["id"]
    plain = worker.post("/api/v1/hazards/", filing(), format="json").json()["id"]
    for hazard in (claimed, plain):
        step(dispatcher, hazard, "accept")

    assert [put_photo(worker, claimed, role, picture(n)).status_code for n, role in enumerate(["before", "after"])] == [201, 201]  # fmt: skip
    assert put_photo(worker, plain, "after").status_code == 409
    assert put_photo(worker, plain, "scene").status_code == 201


def test_failed_verifications_are_counted_shown_and_found(city):
    handler = client_of(person("department_handler", department=city.departments["fire-02"]))
    dispatcher, hazard = client_of(person("dispatcher")), file_hazard(person("grid_worker"))
    other = file_hazard(person("grid_worker"))
    to_taken(dispatcher, handler, hazard.pk)
    for n in (1, 2):
        put_photo(handler, hazard.pk, "after", picture(n))
        step(handler, hazard.pk, "rectify", words="好了")
        assert step(dispatcher, hazard.pk, "fail", reason="仍有杂物").json()["failures"] == n

    def found(asked):
        return [row["id"] for row in dispatcher.get(f"/api/v1/hazards/?reworked={asked}").json()["results"]]

    assert found("2%2B") == found("2+") == found("1") == [str(hazard.pk)]
    assert found("3%2B") == []
    assert dispatcher.get("/api/v1/hazards/count/?reworked=2%2B").json() == {"count": 1}
    assert dispatcher.get("/api/v1/hazards/?reworked=often").status_code == 400
    page = Client()
    page.cookies["django_language"] = "en"
    page.force_login(person("dispatcher"))
    assert "2 failed verifications" in page.get(f"/hazards/{hazard.pk}/").content.decode()
    assert "failed verifications" not in page.get(f"/hazards/{other.pk}/").content.decode()
    shown = page.get("/hazards/?columns=number&columns=failures&reworked=2%2B").content.decode()
    assert hazard.number in shown
    assert other.number not in shown


def test_failures_of_the_past_are_counted_by_the_migration(city):
    migration = importlib.import_module("hazards.migrations.0025_failures_counted")
    handler = client_of(person("department_handler", department=city.departments["fire-02"]))
    dispatcher, hazard = client_of(person("dispatcher")), file_hazard(person("grid_worker"))
    to_taken(dispatcher, handler, hazard.pk)
    put_photo(handler, hazard.pk, "after")
    step(handler, hazard.pk, "rectify", words="好了")
    step(dispatcher, hazard.pk, "fail", reason="仍有杂物")
    Hazard.objects.update(failures=0)
    with connection.cursor() as cursor:
        cursor.execute(migration.FAILURES)
    hazard.refresh_from_db()
    assert hazard.failures == 1
