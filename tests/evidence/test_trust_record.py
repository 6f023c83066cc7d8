"""What speaks for and against a photo: time, place, reuse; who is told of it, and what it costs."""

import hashlib
import io
import itertools
import threading
import uuid
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection, connections
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from citysafety.coordinates import gcj02_from_wgs84
from citysafety.evidence import exif, services, telling, trust
from citysafety.evidence.cases import Case
from citysafety.evidence.judging import AGAINST, Claims, reasons_of, verdict_of
from citysafety.evidence.looks import apart, look_of
from citysafety.evidence.models import Attachment, Photo, Trust, TrustRule, Verdict
from citysafety.evidence.tasks import compare
from citysafety.management.pictures import SCENES, picture
from hazards.models import Hazard
from hazards.services import take_step
from hazards.services.steps import StepInput
from tests.factories import AWAY, HOME, NOON, file_hazard, make_city, person
from tests.hazards.test_api import client_of

HERE = (118.53, 37.45)
METRE = 1 / 111_195  # degrees of latitude


@pytest.fixture
def city(db, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return make_city()


def shot(seed=0, category="XF", **more):
    """Return the JPEG of a scene; another seed is another scene."""
    return picture(category, seed, mended=False, **more)


def saved_anew(data, *, quality=55, scale=0.6, kind="JPEG"):
    """Return the same picture in another size and compression."""
    opened = Image.open(io.BytesIO(data))
    out = io.BytesIO()
    opened.resize((round(opened.width * scale), round(opened.height * scale))).save(out, kind, quality=quality)
    return out.getvalue()


def with_exif(data, *, taken="2026:11:23 11:50:00", offset="+08:00", place=None):
    """Return a picture with what a camera writes into it."""
    tags = Image.Exif()
    tags.get_ifd(exif.EXIF_IFD)[exif.TAKEN] = taken
    if offset:
        tags.get_ifd(exif.EXIF_IFD)[exif.OFFSET] = offset
    if place:
        lon, lat = place
        angles = {exif.LON: (lon, "EW"), exif.LAT: (lat, "NS")}
        for tag, (angle, halves) in angles.items():
            whole, rest = divmod(abs(angle) * 60, 60)
            seconds = IFDRational(round(rest % 1 * 60 * 10_000), 10_000)
            tags.get_ifd(exif.GPS_IFD)[tag] = (IFDRational(int(whole)), IFDRational(int(rest)), seconds)
            tags.get_ifd(exif.GPS_IFD)[tag - 1] = halves[angle < 0]
    out = io.BytesIO()
    Image.open(io.BytesIO(data)).save(out, "JPEG", quality=90, exif=tags)
    return out.getvalue()


def attach(hazard, data, *, role="scene", at=NOON, by=None, **claim):
    """Attach a photo as its door does; return its record."""
    sha256 = hashlib.sha256(data).hexdigest()
    services.attach(
        kind="hazard", subject_id=str(hazard.pk), role=role, sha256=sha256, data=data, by_id=(by or hazard.reporter).pk, at=at,
        step_id=None, claim=trust.Claim(**claim),
    )  # fmt: skip
    return Trust.objects.get(attachment__photo_id=sha256, attachment__subject_id=str(hazard.pk), attachment__role=role)


def work(at=NOON):
    """Do what the workers do until nothing waits: pictures, looks, comparisons."""
    for sha256 in services.waiting(at=timezone.now() + timedelta(days=400)):
        services.derive(sha256=sha256, at=at)
    for _round in range(5):
        waiting = [*services.unlooked(), *services.uncompared()]
        for sha256 in waiting:
            compare(sha256=sha256)
    assert not waiting, "what is compared does not start each other anew for ever"


def codes(record):
    record.refresh_from_db()
    return {reason["code"] for reason in record.reasons}


# -- reuse ---------------------------------------------------------------------------------------


def test_the_same_photo_in_two_cases_is_flagged_in_both_at_once(city):
    first, second = file_hazard(person("grid_worker")), file_hazard(person("grid_worker", area=AWAY), lon=118.73)
    one = attach(first, shot())
    assert one.verdict != Verdict.LOOK
    other = attach(second, shot())

    for record, elsewhere in ((one, second), (other, first)):
        record.refresh_from_db()
        [reason] = [reason for reason in record.reasons if reason["code"] == "same_bytes"]
        assert reason["cases"] == [["hazard", str(elsewhere.pk)]]
        assert (record.verdict, record.doubts) == (Verdict.LOOK, ["same_bytes"])


@pytest.mark.parametrize(
    "how", [{"quality": 30, "scale": 1}, {"scale": 0.5}, {"kind": "WEBP", "scale": 0.8}, {"kind": "PNG", "scale": 1.5}]
)
def test_a_copy_saved_anew_is_flagged_in_both(city, how):
    first, second = file_hazard(person("grid_worker")), file_hazard(person("grid_worker"))
    one, other = attach(first, shot(3)), attach(second, saved_anew(shot(3), **how))
    assert "same_picture" not in codes(one) | codes(other), "what it looks like is known when its pictures are made"
    work()

    assert codes(one) >= {"same_picture"} <= codes(other)
    assert "same_bytes" not in codes(one)
    work()
    assert Trust.objects.doubted().count() == 2


def test_a_different_photo_is_not_flagged(city):
    records = [attach(file_hazard(person("grid_worker")), shot(seed)) for seed in range(4)]
    work()
    assert not any(codes(record).intersection(AGAINST) for record in records)


def test_a_copy_of_a_photo_that_came_before_looks_were_kept_is_found_once_the_sweep_has_looked(city):
    first, second = file_hazard(person("grid_worker")), file_hazard(person("grid_worker"))
    old = attach(first, shot(5))
    work()
    Photo.objects.update(looked_at=None, across=None, down=None)
    new = attach(second, saved_anew(shot(5)))
    work()
    Trust.objects.update(compared_at=None)
    work()
    assert "same_picture" in codes(old) & codes(new)


def test_one_photo_for_before_and_after_says_so_and_a_merged_case_is_no_other(city):
    whole, twin = file_hazard(person("grid_worker")), file_hazard(person("grid_worker"))
    scene = attach(whole, shot())
    same = attach(twin, shot())
    assert "same_bytes" in codes(same)
    Hazard.objects.filter(pk=twin.pk).update(state="merged", merged_into=whole, due_stage="", due_at=None)
    trust.look_again("hazard", [str(whole.pk), str(twin.pk)])
    work()
    assert not codes(scene).union(codes(same)).intersection(AGAINST), "the same scene of a duplicate is as it should be"

    after = attach(whole, shot(), role="after")
    assert "after_is_before" in codes(after)
    work()
    assert "after_is_before" in codes(after)


def test_a_photo_offered_again_after_a_failed_verification_is_told_and_a_mere_repeat_is_not(city):
    worker, dispatcher = person("grid_worker"), person("dispatcher")
    handler = person("department_handler", department=city.departments["fire-02"])
    hazard = file_hazard(worker)

    def step(action, who, minutes, **given):
        hazard.refresh_from_db()
        words = StepInput(id=uuid.uuid4(), version=hazard.version, **given)
        take_step(hazard_id=hazard.pk, action=action, given=words, actor=who, at=NOON + timedelta(minutes=minutes))

    step("accept", dispatcher, 1)
    step("dispatch", dispatcher, 2, department="fire-02")
    step("take", handler, 3)
    record = attach(hazard, shot(1), role="after", at=NOON + timedelta(minutes=10), by=handler)
    step("rectify", handler, 11, words="已清理")
    attach(hazard, shot(1), role="after", at=NOON + timedelta(minutes=12))  # the answer was lost
    assert "offered_again" not in codes(record)
    step("fail", dispatcher, 20, words="没有清理")
    attach(hazard, shot(1), role="after", at=NOON + timedelta(minutes=30))

    assert "offered_again" in codes(record)
    assert record.verdict == Verdict.LOOK
    assert Attachment.objects.count() == 1
    attach(hazard, shot(2), role="after", at=NOON + timedelta(minutes=31), by=handler)
    step("rectify", handler, 32, words="又清理了")
    step("fail", dispatcher, 40, words="仍未清理")
    trust.look_again("hazard", [str(hazard.pk)])
    work()
    assert "offered_again" in codes(record), "a later failure does not make it forgotten"


def test_pictures_drawn_alike_are_told_apart_and_copies_are_found(capsys):
    """Every pair of the demo's drawings, which repeat their scenes: far more alike than a city's photos are."""
    shots = [shot(seed, category, view=0) for category in SCENES for seed in range(14)]
    pictures = [Image.open(io.BytesIO(data)).convert("RGB") for data in shots]
    looks = [look_of(one) for one in pictures]
    rule = TrustRule()

    def same(n, m, one, other):
        near = ((n.across ^ m.across) & (2**64 - 1)).bit_count() <= 3 and n.bits_from(m) <= rule.alike_bits
        return near, near and apart(one, other) <= rule.alike_grey

    pairs = list(itertools.combinations(range(len(shots)), 2))
    found = [same(looks[i], looks[j], pictures[i], pictures[j]) for i, j in pairs]
    copies = [saved_anew(data, quality=60, scale=0.5) for data in shots]
    again = [Image.open(io.BytesIO(data)).convert("RGB") for data in copies]
    known = [same(looks[n], look_of(one), pictures[n], one)[1] for n, one in enumerate(again)]
    first_look, second_look = (sum(one[n] for one in found) for n in (0, 1))
    print(f"\n{len(pairs)} pairs of different pictures: {first_look} pass the first look, {second_look} the second; "
          f"copies found {sum(known)} of {len(known)}")  # fmt: skip

    assert len(pairs) > 4000
    assert second_look == 0
    assert sum(known) >= 0.95 * len(known)


def test_a_plain_picture_is_not_compared_and_says_so(city):
    grey = io.BytesIO()
    Image.new("RGB", (64, 64), (120, 120, 120)).save(grey, "PNG")
    white = io.BytesIO()
    Image.new("RGB", (64, 64), (250, 250, 250)).save(white, "PNG")
    one = attach(file_hazard(person("grid_worker")), grey.getvalue())
    other = attach(file_hazard(person("grid_worker")), white.getvalue())
    work()
    assert codes(one) == codes(other) == {"bare", "plain"}
    assert one.verdict == Verdict.BARE


def test_likeness_asks_the_four_band_indexes(city):
    photos = [
        Photo(sha256=f"{n:064x}", size=1, mime="image/jpeg", width=9, height=9, received_at=NOON, derived_at=NOON,
              looked_at=NOON, across=(n * 2_654_435_761 * 4_294_967_311) % 2**63 - 2**62, down=n)
        for n in range(20_000)
    ]  # fmt: skip
    Photo.objects.bulk_create(photos, batch_size=5000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE evidence_photo")
        queries = []

        def note(execute, sql, params, many, context):
            queries.append((sql, params))
            return execute(sql, params, many, context)

        with connection.execute_wrapper(note):
            assert trust.alike_photos(photos[7], TrustRule()) == []
        [(sql, params)] = queries
        cursor.execute(f"EXPLAIN {sql}", params)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert {name for name in plan.replace('"', " ").split() if name.startswith("photo_look_")} == {
        f"photo_look_{n}" for n in range(4)
    }
    assert "Seq Scan" not in plan


# -- time and place ------------------------------------------------------------------------------

CASE = Case(id="1", number="YH-1", address="/", area=HOME, found_at=NOON, lon=HERE[0], lat=HERE[1], accuracy_m=10)


def of(**claims):
    reasons = reasons_of(Claims(**{"received_at": NOON + timedelta(minutes=5), **claims}), CASE, TrustRule())
    return {reason["code"] for reason in reasons}, verdict_of(reasons)


def north(metres):
    return HERE[0], HERE[1] + metres * METRE


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"camera_at": NOON - timedelta(minutes=3)}, "time_fits"),
        ({"camera_at": NOON - timedelta(days=3)}, "time_off"),
        ({"camera_at": NOON - timedelta(days=8)}, "older_than_case"),
        ({"camera_at": NOON + timedelta(minutes=14)}, "time_fits"),  # clocks differ a little
        ({"camera_at": NOON + timedelta(minutes=16)}, "clock_ahead"),
        ({"device_at": NOON + timedelta(hours=9)}, "clock_ahead"),
        ({"camera_at": NOON - timedelta(minutes=30), "shows_work": True}, "before_found"),
        ({"device_at": NOON + timedelta(minutes=2), "shows_work": True}, "time_fits"),
    ],
)  # fmt: skip
def test_times_are_measured_against_receipt_and_case(claims, code):
    found, verdict = of(**claims)
    assert code in found
    assert (verdict == Verdict.LOOK) == (code in AGAINST)


@pytest.mark.parametrize(
    ("metres", "accuracy_m", "code"),
    [(100, None, "place_fits"), (159, None, "place_fits"), (161, None, "place_off"), (240, 100, "place_fits"),
     (509, None, "place_off"), (511, None, "far"), (620, 5_000, "far"), (600, 5_000, "place_off")],
)  # fmt: skip
def test_distances_consider_accuracy_within_reason(metres, accuracy_m, code):
    found, _verdict = of(device_place=north(metres), device_accuracy_m=accuracy_m)
    assert code in found


def test_a_camera_that_speaks_gcj02_is_believed_where_that_is_the_place():
    shifted = gcj02_from_wgs84(*HERE)
    assert "place_fits" in of(camera_place=shifted)[0]
    assert "place_fits" in of(camera_place=HERE)[0]
    assert "far" in of(camera_place=north(2_000))[0]


def test_camera_and_device_that_disagree_ask_for_a_look_and_both_together_are_trusted():
    assert "places_differ" in of(camera_place=north(1_600), device_place=HERE)[0]
    assert of(camera_at=NOON, device_place=HERE)[1] == Verdict.TRUSTED
    assert of(camera_at=NOON)[1] == Verdict.PARTLY
    assert of() == ({"bare"}, Verdict.BARE)
    assert "stripped" in of(device_at=NOON)[0]


def test_the_record_holds_what_camera_and_device_say(city):
    hazard = file_hazard(person("grid_worker"))
    record = attach(
        hazard, with_exif(shot(), place=north(30)), taken_at=NOON, lon=HERE[0], lat=HERE[1], accuracy_m=12.0
    )
    photo = Photo.objects.get()

    assert (record.claimed_at, record.claimed_place.coords, record.claimed_accuracy_m) == (NOON, HERE, 12)
    assert (photo.taken_at, photo.taken_offset) == (NOON - timedelta(minutes=10), "+08:00")
    assert photo.camera_place.coords == pytest.approx(north(30), abs=1e-6)
    assert record.verdict == Verdict.TRUSTED
    by = {(reason["code"], reason.get("by")): reason for reason in record.reasons}
    assert by["place_fits", "camera"]["distance_m"] == 30
    assert by["time_fits", "camera"]["after_found_s"] == -600
    view = services.folder(photo.pk) / "view.jpg"
    work()
    assert dict(Image.open(view).getexif()) == {}


def test_an_offset_that_the_camera_does_not_say_is_the_citys_and_is_not_put_in_its_mouth(city):
    attach(file_hazard(person("grid_worker")), with_exif(shot(), offset=""))
    photo = Photo.objects.get()
    assert (photo.taken_at, photo.taken_offset) == (NOON - timedelta(minutes=10), "")


def test_limits_are_rows_that_people_change(city, client):
    TrustRule.objects.update(near_m=10, far_m=50)
    hazard = file_hazard(person("grid_worker"))
    assert "far" in codes(attach(hazard, shot(), lon=HERE[0], lat=HERE[1] + 200 * METRE))
    client.force_login(person("administrator", area="3705"), backend="django.contrib.auth.backends.ModelBackend")
    page = client.get("/admin/evidence/trustrule/1/change/")
    assert page.status_code == 200
    form = {name: page.context["adminform"].form.initial[name] for name in page.context["adminform"].form.fields}
    answer = client.post("/admin/evidence/trustrule/1/change/", {**form, "near_m": 60})
    assert answer.status_code == 200, "near is not beyond far"
    client.post("/admin/evidence/trustrule/1/change/", {**form, "far_m": 800})
    assert TrustRule.present().far_m == 800


# -- what cameras write --------------------------------------------------------------------------


def jpeg_with(segment):
    """Return a small JPEG with bytes of our choice where EXIF stands."""
    out = io.BytesIO()
    Image.new("RGB", (16, 16)).save(out, "JPEG")
    data, body = out.getvalue(), b"Exif\0\0" + segment
    return data[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + data[2:]


WHOLE = with_exif(shot(), place=HERE)
SEGMENT = WHOLE[WHOLE.index(b"Exif\0\0") + 6 :][:400]


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow says what is broken
@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.lists(st.tuples(st.integers(0, len(SEGMENT) - 1), st.integers(0, 255)), min_size=1, max_size=12).map(
            lambda spots: bytes(dict(spots).get(n, byte) for n, byte in enumerate(SEGMENT))
        ),
        st.integers(0, len(SEGMENT)).map(lambda n: SEGMENT[:n]),
    )
)
def test_whatever_stands_in_exif_breaks_nothing(segment):
    opened = services.open_picture(jpeg_with(segment))
    assert services.upright(opened).size == opened.size
    written = exif.read(opened)
    assert written.taken_at is None or 1970 <= written.taken_at.year < 2100
    if written.place:
        lon, lat = written.place
        assert -180 <= lon <= 180 and -90 <= lat <= 90


@pytest.mark.parametrize(
    "taken", ["9999:12:31 23:59:59", "0001:01:01 00:00:00", "    ", "2026-11-23", "2026:13:40 99:99:99"]
)
def test_a_time_that_cannot_be_is_none(taken):
    assert exif.read(Image.open(io.BytesIO(with_exif(shot(), taken=taken)))).taken_at is None


# -- doors ---------------------------------------------------------------------------------------


def put(api, hazard, data, role="scene", **more):
    sha256 = hashlib.sha256(data).hexdigest()
    query = urlencode({"role": role, **more})
    return api.put(f"/api/v1/hazards/{hazard.pk}/photos/{sha256}?{query}", data, content_type="image/jpeg")


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"taken_at": "yesterday"}, "taken_at"),
        ({"taken_at": "0001-01-01T00:00:00Z"}, "taken_at"),
        ({"taken_at": "9999-12-31T23:59:59Z"}, "taken_at"),
        ({"lon": "abc", "lat": 37}, "lon"),
        ({"lon": 181, "lat": 37}, "lon"),
        ({"lon": "nan", "lat": 37}, "lon"),
        ({"lon": 118}, "lat"),
        ({"lat": 37}, "lon"),
        ({"lon": 118, "lat": 37, "accuracy_m": -1}, "accuracy_m"),
        ({"lon": 118, "lat": 37, "accuracy_m": "nan"}, "accuracy_m"),
        ({"lon": 118, "lat": 37, "datum": "mars"}, "datum"),
    ],
)
def test_a_claim_that_is_not_understood_is_refused_by_name_and_nothing_is_kept(city, more, field):
    worker = person("grid_worker")
    answer = put(client_of(worker), file_hazard(worker), shot(), **more)
    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, field)
    assert not Photo.objects.exists()


def test_old_clients_send_nothing_and_get_the_same_answer(city):
    worker = person("grid_worker")
    hazard = file_hazard(worker)
    answer = put(client_of(worker), hazard, shot())
    sha256 = hashlib.sha256(shot()).hexdigest()
    assert (answer.status_code, answer.json()) == (201, {"sha256": sha256, "role": "scene", "hazard": str(hazard.pk)})
    assert put(client_of(worker), hazard, shot(), taken_at="2026-11-23T12:00:00+08:00").status_code == 200
    assert Trust.objects.get().claimed_at is None, "the first thing that was said stands"


def test_a_claim_in_gcj02_is_kept_in_wgs84_and_told_in_the_list_of_photos(city):
    worker = person("grid_worker")
    hazard, (lon, lat) = file_hazard(worker, at=timezone.now()), gcj02_from_wgs84(*HERE)
    now = timezone.now().isoformat()
    assert (
        put(client_of(worker), hazard, shot(), taken_at=now, lon=lon, lat=lat, accuracy_m=9, datum="gcj02").status_code
        == 201
    )
    assert Trust.objects.get().claimed_place.coords == pytest.approx(HERE, abs=1e-6)

    [row] = client_of(worker).get(f"/api/v1/hazards/{hazard.pk}/photos/").json()["results"]
    assert row["trust"]["verdict"] == "trusted"
    reasons = {reason["code"]: reason for reason in row["trust"]["reasons"]}
    assert set(reasons) == {"time_fits", "place_fits", "stripped", "sealed"}
    assert reasons["place_fits"]["distance_m"] == 0
    assert reasons["sealed"]["sha256"] == hashlib.sha256(shot()).hexdigest()
    assert all(reason["words"] for reason in reasons.values())


# -- who is told ---------------------------------------------------------------------------------

LIST = "/evidence/look-closer/"


@pytest.fixture
def shared(city):
    """One photo in a case of each county."""
    own, foreign = file_hazard(person("grid_worker")), file_hazard(person("grid_worker", area=AWAY), lon=118.73)
    records = attach(own, shot()), attach(foreign, saved_anew(shot()))
    work()
    return own, foreign, *records


def sign_in(client, role, **more):
    client.force_login(person(role, **more), backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_a_foreign_case_is_named_only_as_another_case(shared, client):
    own, foreign, record, _other = shared
    api = client_of(person("dispatcher"))
    [row] = api.get(f"/api/v1/hazards/{own.pk}/photos/").json()["results"]
    [reason] = [one for one in row["trust"]["reasons"] if one["side"] == "against"]
    assert (reason["cases"], reason["unseen"]) == ([], 1)
    sign_in(client, "dispatcher")
    for address in (LIST, f"/hazards/{own.pk}/", f"/chain/hazard/{own.pk}/", f"/centre/hazard/{own.pk}/"):
        page = client.get(address, headers={"Accept-Language": "en"}).content.decode()
        assert 'data-reason="same_picture"' in page, address
        assert foreign.number not in page and str(foreign.pk) not in page, address
    assert f'data-photo="{record.pk}"' in client.get(LIST).content.decode()


def test_who_sees_both_cases_gets_links_to_both(shared, client):
    own, foreign, *records = shared
    page = sign_in(client, "supervisor", area="3705").get(LIST).content.decode()
    for hazard in (own, foreign):
        assert page.count(f'href="/hazards/{hazard.pk}/"') == 2
    assert page.count("data-photo=") == 2
    only = client.get(LIST, {"area": AWAY}).content.decode()
    assert f'data-photo="{records[1].pk}"' in only and only.count("data-photo=") == 1
    assert client.get(LIST, {"reason": "far"}).content.decode().count("data-photo=") == 0
    assert client.get(LIST, {"reason": "same_picture"}).content.decode().count("data-photo=") == 2
    assert "data-photo=" not in client.get(LIST, {"reason": "ugly"}).content.decode()


@pytest.mark.parametrize(
    ("role", "status"),
    [("auditor", 200), ("supervisor", 200), ("dispatcher", 200), ("grid_worker", 403), ("leader", 403), ("kiosk", 403)],
)
def test_the_list_is_for_those_who_answer_for_evidence(city, client, role, status):
    assert sign_in(client, role).get(LIST).status_code == status


@pytest.mark.parametrize("mark", ["x", "1.x", "1", "99999999999999999999999.1"])
def test_a_page_that_was_not_made_here_is_not_there(city, client, mark):
    assert sign_in(client, "auditor").get(LIST, {"before": mark}).status_code == 404


def test_pages_follow_one_another_without_gap_or_repeat(city, client, monkeypatch):
    monkeypatch.setattr("citysafety.evidence.selectors.ROWS", 2)
    records = [
        attach(file_hazard(person("grid_worker")), shot(), at=NOON + timedelta(minutes=n // 2)) for n in range(5)
    ]
    sign_in(client, "auditor")
    seen, address = [], LIST
    while address:
        answer = client.get(address)
        seen += [row.attachment.pk for row in answer.context["rows"]]
        address = f"{LIST}?before={answer.context['older']}" if answer.context["older"] else ""
    assert seen == sorted((record.pk for record in records), reverse=True)


@pytest.mark.parametrize("number", [2, 5])
def test_reading_costs_the_same_however_many_photos(city, client, django_assert_num_queries, number):
    hazards = [file_hazard(person("grid_worker")) for _n in range(number)]
    for hazard in hazards:
        attach(hazard, shot())
        for seed in range(1, number):
            attach(hazard, shot(seed), role="before")
    sign_in(client, "dispatcher")
    client.get(LIST)
    with django_assert_num_queries(5):  # session, reader; rows, their cases, the cases beside
        assert client.get(LIST).content.decode().count("data-photo=") == min(50, number * number)
    client.get(f"/hazards/{hazards[0].pk}/")  # calendar and grid have just been looked at
    with django_assert_num_queries(16):  # one more than without shared pictures
        client.get(f"/hazards/{hazards[0].pk}/")
    api = client_of(person("dispatcher"))
    api.get(f"/api/v1/hazards/{hazards[0].pk}/photos/")
    with django_assert_num_queries(4):  # token, hazard, photos, the cases beside
        api.get(f"/api/v1/hazards/{hazards[0].pk}/photos/")


def test_attaching_costs_a_fixed_number_of_queries(city, django_assert_num_queries):
    first, second = file_hazard(person("grid_worker")), file_hazard(person("grid_worker"))
    # attachment: savepoint, photo, look, savepoint, row, release, release; record: lock, row, read, others, cases,
    # limits, written
    with django_assert_num_queries(15):
        attach(first, shot())
    with django_assert_num_queries(21):  # and the record of the other case
        attach(second, shot())


def test_what_came_with_history_is_said_to_be_imported_and_not_judged(city):
    hazard = file_hazard(person("grid_worker"))
    [sha256] = services.take_in([shot()], at=NOON)
    row = Attachment.objects.create(
        photo_id=sha256, kind="hazard", subject_id=str(hazard.pk), role="scene", by=hazard.reporter, at=NOON
    )
    assert telling.judged(Attachment.objects.select_related("trust"), hazard.reporter)[row.pk].verdict == "unjudged"
    assert (trust.note_imported(at=NOON), trust.note_imported(at=NOON)) == (1, 0)
    live = attach(file_hazard(person("grid_worker")), shot())
    copied = attach(file_hazard(person("grid_worker")), saved_anew(shot()))
    work()

    told = telling.judged(Attachment.objects.select_related("trust"), hazard.reporter)
    assert told[row.pk].verdict == "imported"
    assert "same_bytes" in codes(live) and "same_picture" in codes(copied), "an old photo used again is told"


# -- at the same moment --------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_cases_that_are_sent_one_photo_at_the_same_moment_are_both_flagged(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    make_city()
    hazards = [file_hazard(person("grid_worker")) for _n in range(6)]
    barrier, failures = threading.Barrier(len(hazards)), []

    def send(hazard):
        try:
            barrier.wait(10)
            attach(hazard, shot())
        except Exception as failure:
            failures.append(failure)
        connections.close_all()

    threads = [threading.Thread(target=send, args=(hazard,)) for hazard in hazards]
    [thread.start() for thread in threads]
    [thread.join(30) for thread in threads]
    assert failures == []
    assert Trust.objects.filter(doubts=["same_bytes"]).count() == len(hazards)


@pytest.mark.django_db(transaction=True)
def test_like_pictures_that_workers_come_to_at_the_same_moment_are_both_flagged(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    make_city()
    datas = [shot(2), saved_anew(shot(2)), saved_anew(shot(2), quality=80, scale=0.8), saved_anew(shot(2), kind="WEBP")]
    for data in datas:
        attach(file_hazard(person("grid_worker")), data)
    hashes = [hashlib.sha256(data).hexdigest() for data in datas] * 2
    barrier, failures = threading.Barrier(len(hashes)), []

    def derive(sha256):
        try:
            barrier.wait(10)
            services.derive(sha256=sha256, at=timezone.now())
        except Exception as failure:
            failures.append(failure)
        connections.close_all()

    threads = [threading.Thread(target=derive, args=(sha256,)) for sha256 in hashes]
    [thread.start() for thread in threads]
    [thread.join(60) for thread in threads]
    assert failures == []
    work()
    assert Trust.objects.filter(doubts=["same_picture"]).count() == len(datas)
    assert set(Photo.objects.values_list("deriving", flat=True)) == {1}
    before = list(Trust.objects.order_by("pk").values_list("reasons", "verdict"))
    for sha256 in hashes:
        trust.compare(sha256=sha256, at=timezone.now())
    assert list(Trust.objects.order_by("pk").values_list("reasons", "verdict")) == before
