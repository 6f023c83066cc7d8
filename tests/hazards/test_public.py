"""The public side: report without an account, follow by a code, answer that it is solved or not; and nothing of people in it."""

import re
import threading
import uuid
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.test import Client
from django.utils import timezone

from citysafety.accounts.models import User
from citysafety.evidence.models import Attachment
from citysafety.notices.models import Notice
from citysafety.outbox.relay import relay_waiting
from citysafety.subscriptions import LISTENERS
from grid.models import Matter
from hazards.desk import queues
from hazards.models import Hazard, Step
from hazards.public import codes, selectors, services
from hazards.public.forms import MOST_PHOTOS
from hazards.public.models import ACCOUNT, Contact, PublicReport, PublicRule
from hazards.services import FieldsMissing
from tests.factories import AWAY, file_hazard, person

from .reporting import (
    NAME,
    PHONE,
    WHERE,
    WORDS,
    closed,
    filed,
    hazard_now,
    not_solved,
    picture,
    report,
    step,
    text_of,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_asked_yet")]


# -- report ----------------------------------------------------------------------------------------


def test_a_report_of_the_public_is_a_hazard_by_the_door_of_open311(cast):
    address = filed(address="八一路 12 号 3 楼", name=NAME, phone=PHONE, photos=[picture(), picture()])
    hazard = Hazard.objects.get()

    assert (hazard.matter.code, hazard.state, hazard.due_stage) == ("XF-001", "reported", "accept")
    assert hazard.description.startswith(f"{WORDS}\n") and hazard.description.endswith("八一路 12 号 3 楼")
    assert (round(hazard.location.x, 5), round(hazard.location.y, 5)) == (118.53, 37.45)
    assert (hazard.reporter.username, hazard.reporter.area_code) == (ACCOUNT, "")
    assert not hazard.reporter.has_usable_password() and not Hazard.objects.visible_to(hazard.reporter).exclude(
        pk=hazard.pk
    )
    assert Attachment.objects.filter(kind="hazard", subject_id=str(hazard.pk), role="scene").count() == 2
    assert (Contact.objects.get().name, Contact.objects.get().phone) == (NAME, PHONE)
    page = text_of(Client().get(f"{address}?new=1"))
    assert hazard.number in page and codes.spelled(codes.typed(address.split("/")[-2])) in page
    assert re.search(r"<b>20\d\d-\d\d-\d\d \d\d:\d\d</b>", page), "no time is promised"


def test_a_double_click_files_once_and_leads_to_the_same_page(cast):
    secret, client = str(uuid.uuid4()), Client()
    first, second = (report(client, secret=secret, name=NAME) for _n in range(2))
    assert (first.status_code, second.status_code) == (302, 302)
    assert first["Location"] == second["Location"]
    assert (Hazard.objects.count(), PublicReport.objects.count(), Contact.objects.count()) == (1, 1, 1)
    other = report(client, secret=secret, description="别的事情")
    assert other.status_code == 400 and "别的事情" in text_of(other)
    assert first["Location"].split("/")[-2] not in text_of(other)
    assert Hazard.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_the_same_moment_file_once(cast):
    secret, found = str(uuid.uuid4()), []

    def send():
        found.append(report(secret=secret)["Location"])
        connections.close_all()

    threads = [threading.Thread(target=send) for _n in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(set(found)) == 1 and len(found) == 3
    assert Hazard.objects.count() == 1


def test_the_id_of_a_hazard_tells_nobody_its_code(cast):
    secret = uuid.uuid4()
    filed(secret=str(secret))
    kept = PublicReport.objects.get()
    assert str(kept.pk) != str(secret) and kept.digest == codes.digest(codes.code_of(secret))
    assert codes.code_of(kept.pk) != codes.code_of(secret)
    assert len(codes.code_of(secret)) == 16


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"description": ""}, "id_description"),
        ({"phone": "打给我"}, "id_phone"),
        ({"website": "http://spam.example"}, "id_website"),
        ({"photos": [SimpleUploadedFile("x.png", b"no picture at all")]}, "x.png"),
        ({"photos": [SimpleUploadedFile(f"{n}.png", b"x") for n in range(MOST_PHOTOS + 1)]}, "4"),
        ({"secret": "1"}, "summary"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(cast, wrong, said):
    answer = report(**{"name": NAME, "address": "八一路", **wrong})
    page = text_of(answer)
    assert answer.status_code == 400
    assert 'class="summary"' in page and said in page
    assert NAME in page and "八一路" in page and (wrong.get("description") == "" or WORDS in page)
    assert not Hazard.objects.exists() and not Attachment.objects.exists()
    assert ("重新选择照片" in page or "choose the photos again" in page) == ("photos" in wrong)


@pytest.mark.parametrize(
    "where", ["?matter=NONE&lat=37.45&lon=118.53", "?matter=XF-001&lat=31.2&lon=121.5", "?matter=XF-001&lat=NaN&lon=118.53", "?lat=37.45"],
)  # fmt: skip
def test_the_second_page_needs_a_matter_and_a_place_in_the_city(cast, where):
    page = text_of(Client().get(f"/public/report/{where}"))
    assert 'class="summary"' in page and "data-place-form" in page
    assert report(where=f"/public/report/{where}").status_code == 400
    assert not Hazard.objects.exists()


def test_a_matter_that_is_offered_no_more_is_not_open_to_the_public(cast):
    assert "XF-001" in text_of(Client().get("/public/report/"))
    Matter.objects.filter(code="XF-001").update(active=False)
    assert "XF-001" not in text_of(Client().get("/public/report/"))
    assert report().status_code == 400


def test_numbers_of_a_chinese_map_are_brought_to_the_datum_that_is_kept(cast):
    filed(where=f"{WHERE}&datum=gcj02")
    place = Hazard.objects.get().location
    assert 0.002 < 118.53 - place.x < 0.01, "GCJ-02 lies some hundred metres east of WGS 84 here"


def test_a_major_matter_asks_what_makes_it_one(cast):
    Matter.objects.filter(code="XF-001").update(severity="major")
    assert "id_criterion" in text_of(Client().get(WHERE))
    assert report().status_code == 400
    filed(criterion="锁闭疏散门")
    assert Hazard.objects.get().criterion == "其他：锁闭疏散门"


def test_known_cases_near_by_are_offered_and_a_voice_is_added_once_a_day(cast):
    filed()
    hazard = Hazard.objects.get()
    worker_case = file_hazard(cast.worker, at=timezone.now())
    file_hazard(cast.worker, at=timezone.now(), matter="SZ-001")
    page = text_of(Client().get(WHERE))
    assert hazard.number in page and worker_case.number in page and WORDS not in page
    assert page.count('action="/public/report/same/"') == 1, "only the public's own case takes a voice"
    assert hazard.number not in text_of(Client().get("/public/report/?matter=XF-001&lat=37.45&lon=118.59"))
    for _n in range(2):
        answer = Client().post("/public/report/same/", {"id": str(uuid.uuid4()), "number": hazard.number})
        assert answer.status_code == 200
    assert list(hazard.steps.order_by("version").values_list("action", flat=True)) == ["report", "remark"]
    other = Client().post("/public/report/same/", {"id": str(uuid.uuid4()), "number": worker_case.number})
    assert other.status_code == 400 and worker_case.steps.count() == 1
    assert Hazard.objects.count() == 3


def test_where_a_case_lies_exactly_cannot_be_felt_for(cast):
    """Two cases that are published at one place look the same from everywhere, however far apart they are within it."""
    for lon in (118.52951, 118.53049):
        file_hazard(cast.worker, at=timezone.now(), lon=lon)
    metres = re.findall(r"</b> · [^<\d]*(\d+)[^<]*</p>", text_of(Client().get(WHERE)))
    assert len(metres) == 2 and len(set(metres)) == 1


# -- follow ----------------------------------------------------------------------------------------


def test_number_and_code_lead_to_the_case_and_only_both(cast):
    address, other = filed(), filed(where=WHERE.replace("XF-001", "SZ-001"))
    hazard = PublicReport.objects.get(digest=codes.digest(address.split("/")[-2])).hazard
    code, client = address.split("/")[-2], Client()

    def follow(number, code):
        return client.post("/public/follow/", {"number": number, "code": code})

    assert follow(hazard.number, code)["Location"] == address
    assert follow(f" {hazard.number.lower()} ", code.lower().replace("-", " "))["Location"] == address
    wrong = follow(hazard.number, other.split("/")[-2])
    assert wrong.status_code == 400 and hazard.number in text_of(wrong)
    assert Client().get("/public/cases/AAAA-AAAA-AAAA-AAAA/").status_code == 404


def test_the_page_shows_the_way_of_a_case_and_nothing_of_people(cast, supervisor):
    address = filed(name=NAME, phone=PHONE, address="八一路 12 号", where=WHERE.replace("118.53", "118.530467"))
    hazard = Hazard.objects.get()
    cast.handler.phone = "0546-8300000"
    cast.handler.save()
    closed(cast, hazard)
    answer = Client().get(address)
    page = text_of(answer)
    people = [
        word
        for user in User.objects.exclude(username=ACCOUNT)
        for word in (user.username, user.name_zh, user.name_en, user.phone)
        if word
    ]
    hidden = [*people, NAME, PHONE, WORDS, "八一路", "已清理", str(hazard.pk), "118.5304", "/evidence/", "/photos/"]
    assert [word for word in hidden if word in page] == []
    assert "37.450, 118.530" in page
    assert page.count('class="is-passed"') == 5
    assert answer["Cache-Control"].count("no-store") and answer["X-Robots-Tag"] == "noindex"
    assert answer["Referrer-Policy"] == "same-origin"
    listed = text_of(Client().get("/public/cases/"))
    assert (
        hazard.number in listed
        and [word for word in [*people, NAME, PHONE, WORDS, "已清理", str(hazard.pk)] if word in listed] == []
    )


def test_a_case_that_comes_back_loses_its_milestones(cast):
    address = filed()
    hazard = Hazard.objects.get()
    step(hazard, "accept", cast.dispatcher)
    step(hazard, "dispatch", cast.dispatcher, department="fire-02")
    assert text_of(Client().get(address)).count('class="is-passed"') == 2
    step(hazard, "return", cast.handler, words="不属于本部门")
    assert text_of(Client().get(address)).count('class="is-passed"') == 1


def test_a_merged_report_shows_the_case_that_it_goes_on_as(cast):
    address = filed()
    hazard, original = Hazard.objects.get(), file_hazard(cast.worker, at=timezone.now())
    step(hazard, "merge", cast.dispatcher, into=original.number)
    closed(cast, original)
    page = text_of(Client().get(address))
    assert original.number in page and page.count('class="is-passed"') == 5
    assert not_solved(address).status_code == 302
    original.refresh_from_db()
    assert original.state == "accepted"


def test_overdue_is_said(cast):
    address = filed()
    Hazard.objects.update(overdue=True)
    assert 'is-late"' in text_of(Client().get(address)) and 'is-late"' in text_of(Client().get("/public/cases/"))


# -- solved or not ---------------------------------------------------------------------------------


def test_not_solved_reopens_once_and_then_a_supervisor_decides(cast, supervisor):
    address = filed()
    hazard = closed(cast, Hazard.objects.get())
    claimed = str(uuid.uuid4())
    for _click in range(2):
        assert not_solved(address, id=claimed, photos=[]).status_code == 302
    hazard.refresh_from_db()
    assert (hazard.state, hazard.department, hazard.steps.filter(action="reopen").count()) == ("accepted", None, 1)
    row = hazard.steps.get(action="reopen")
    assert (str(row.pk), row.words, row.actor.username) == (claimed, "又堆起来了", ACCOUNT)

    closed_again(cast, hazard)
    assert not_solved(address, photos=[picture()]).status_code == 302
    hazard.refresh_from_db()
    assert hazard.state == "written_off" and hazard.contested_at is not None
    asked = hazard.steps.get(action="ask_reopening")
    assert Attachment.objects.get(step_id=asked.pk).used_by == asked.pk
    assert not_solved(address).status_code == 400, "asked already"
    assert "/solved/" not in text_of(Client().get(address))
    step(hazard, "grant_reopening", supervisor)
    assert (hazard_now(hazard).state, hazard_now(hazard).contested_at) == ("accepted", None)

    closed_again(cast, hazard)
    assert not_solved(address).status_code == 302
    step(hazard, "deny_reopening", supervisor, words="第三方检测合格")
    page = text_of(Client().get(address))
    assert hazard_now(hazard).state == "written_off" and hazard_now(hazard).contested_at is None
    assert "第三方检测合格" in page and "not-solved/" not in page
    assert not_solved(address).status_code == 400, "decided"


def closed_again(cast, hazard):
    for action, by, more in (
        ("dispatch", cast.dispatcher, {"department": "fire-02"}), ("take", cast.handler, {}),
        ("rectify", cast.handler, {"words": "再次清理"}), ("verify", cast.worker, {}), ("write_off", cast.dispatcher, {}),
    ):  # fmt: skip
        step(hazard, action, by, **more)


def test_who_rectified_or_is_of_elsewhere_decides_no_contest(cast, supervisor):
    PublicRule.objects.create(reopenings=0)
    address = filed()
    hazard = closed(cast, Hazard.objects.get())
    assert not_solved(address).status_code == 302
    for user in (cast.dispatcher, cast.handler, person("supervisor", area=AWAY)):
        with pytest.raises(Exception, match="denied"):
            step(hazard, "grant_reopening", user)
    Hazard.objects.update(rectified_by=supervisor)
    with pytest.raises(Exception, match=r"denied\.four_eyes"):
        step(hazard, "deny_reopening", supervisor, words="合格")


def test_a_contest_of_a_refusal_goes_the_same_way(cast, supervisor):
    address = filed()
    hazard = Hazard.objects.get()
    step(hazard, "refuse", cast.dispatcher, words="现场未见异常")
    assert "现场未见异常" in text_of(Client().get(address))
    assert not_solved(address).status_code == 302 and hazard_now(hazard).state == "reported"
    step(hazard, "refuse", cast.dispatcher, words="再次核查未见异常")
    assert not_solved(address).status_code == 302 and hazard_now(hazard).state == "refused"
    step(hazard, "grant_reopening", supervisor)
    assert hazard_now(hazard).state == "reported"


def test_the_time_to_contest_is_a_row_and_ends(cast):
    PublicRule.objects.create(contest_days=3)
    address = filed()
    hazard = closed(cast, Hazard.objects.get())
    Hazard.objects.update(written_off_at=timezone.now())
    late = uuid.uuid4()
    assert "not-solved/" in text_of(Client().get(address))
    moved = timezone.now() + timedelta(days=3, minutes=1)
    kept = PublicReport.objects.select_related("hazard").get()
    with pytest.raises(services.Refused):
        services.contest(report=kept, claimed=late, words="又堆起来了", pictures=[], at=moved)
    assert not selectors.followed(kept, at=moved).may_contest
    assert hazard_now(hazard).state == "written_off" and not Step.objects.filter(pk=late).exists()


def test_an_open_case_cannot_be_contested_and_words_are_kept(cast):
    address = filed()
    answer = not_solved(address, words="还没有人来")
    assert answer.status_code == 400 and "还没有人来" in text_of(answer)
    assert Hazard.objects.get().state == "reported"
    bad = not_solved(address, photos=[SimpleUploadedFile("x.png", b"nothing")])
    assert bad.status_code == 400


def test_thanks_are_kept_once_and_shown_to_the_city(cast, client):
    address = filed(name=NAME, phone=PHONE)
    hazard = Hazard.objects.get()
    assert Client().post(f"{address}solved/", {"satisfaction": "5"}).status_code == 400
    closed(cast, hazard)
    for grade in ("6", "", "x"):
        assert Client().post(f"{address}solved/", {"satisfaction": grade}).status_code == 400
    for grade in ("4", "1"):
        assert Client().post(f"{address}solved/", {"satisfaction": grade}).status_code == 302
    assert PublicReport.objects.get().satisfaction == 4
    client.force_login(cast.dispatcher)
    said = client.get(f"/api/v1/hazards/{hazard.pk}/public/").json()
    assert (said["reported_by_public"], said["satisfaction"], said["contact"]) == (
        True,
        4,
        {"name": NAME, "phone": PHONE},
    )
    page = text_of(client.get(f"/hazards/{hazard.pk}/"))
    assert PHONE in page and NAME in page


def test_how_to_call_back_is_for_who_handles_the_case(cast, supervisor, client):
    filed(name=NAME, phone=PHONE)
    hazard = Hazard.objects.get()
    for user, shown in (
        (cast.dispatcher, True), (supervisor, True), (cast.worker, False), (person("operator"), False),
        (person("leader"), False), (person("auditor"), False),
    ):  # fmt: skip
        client.force_login(user)
        page = text_of(client.get(f"/hazards/{hazard.pk}/"))
        told = client.get(f"/api/v1/hazards/{hazard.pk}/public/").json()
        assert (PHONE in page, NAME in page, told["contact"] is not None) == (shown, shown, shown), user.role
        assert PHONE not in text_of(client.get(f"/api/v1/hazards/{hazard.pk}/"))
        assert PHONE not in text_of(client.get(f"/api/v1/hazards/{hazard.pk}/history/"))
    client.force_login(cast.handler)
    assert client.get(f"/api/v1/hazards/{hazard.pk}/public/").status_code == 404


def test_supervisors_hear_of_a_contest_and_find_it_in_their_queue(cast, supervisor, client):
    PublicRule.objects.create(reopenings=0)
    address = filed()
    hazard = closed(cast, Hazard.objects.get())
    not_solved(address)
    relay_waiting(listen=LISTENERS)
    told = Notice.objects.filter(topic="hazard.reopening_asked").values_list("recipient", flat=True)
    assert list(told) == [supervisor.pk]
    assert not Notice.objects.filter(recipient__username=ACCOUNT).exists()
    client.force_login(supervisor)
    [tab] = [tab for tab in queues(supervisor) if tab.query.get("contested")]
    assert tab.count == 1
    page = text_of(client.get("/hazards/?contested=true&area=370502"))
    assert hazard.number in page
    assert 'data-step="grant_reopening"' in text_of(client.get(f"/hazards/{hazard.pk}/"))


# -- the list, limits, costs -----------------------------------------------------------------------


def test_the_list_shows_offered_matters_rounded_and_by_pages(cast, django_assert_num_queries):
    assert 'class="public-cases"' not in text_of(Client().get("/public/cases/"))
    cases = [
        file_hazard(cast.worker, at=timezone.now() - timedelta(minutes=n), lon=118.534567)
        for n in range(selectors.PAGE_ROWS + 3)
    ]
    hidden = file_hazard(cast.worker, at=timezone.now(), matter="SZ-001")
    Matter.objects.filter(code="SZ-001").update(active=False)
    Client().get("/public/cases/")
    seen, address = [], "/public/cases/"
    while address:
        with django_assert_num_queries(7):
            page = text_of(Client().get(address))
        assert "118.535" in page and "118.5345" not in page
        seen += re.findall(r"number=(YH-\d{8}-\d{5})", page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        address = "/public/cases/" + following[1].replace("&amp;", "&") if following else ""
    assert seen == [one.number for one in cases] and hidden.number not in seen
    closed(cast, cases[0])
    assert cases[0].number not in text_of(Client().get("/public/cases/?status=open"))
    assert cases[0].number in text_of(Client().get("/public/cases/?status=closed"))
    assert Client().get("/public/cases/?before=nonsense").status_code == 404


def test_pages_cost_a_bounded_number_of_queries(cast, django_assert_num_queries):
    address = filed()
    closed(cast, Hazard.objects.get())
    client = Client()
    client.get(WHERE)  # the calendar and the grid are looked at now and then
    client.get(address)
    with django_assert_num_queries(2):
        client.get("/public/report/")
    with django_assert_num_queries(3):
        client.get(WHERE)
    with django_assert_num_queries(5):
        client.get(address)


def test_too_many_reports_of_an_address_are_refused_and_kept_in_the_form(cast):
    for n in range(30):
        assert report(description=f"{WORDS} {n}").status_code == 302
    answer = report(description="第三十一件", name=NAME)
    assert answer.status_code == 429 and int(answer["Retry-After"]) > 0
    assert "第三十一件" in text_of(answer) and NAME in text_of(answer)
    assert Hazard.objects.count() == 30
    elsewhere = Client().post(WHERE, {"secret": str(uuid.uuid4()), "description": WORDS}, REMOTE_ADDR="10.9.8.7")
    assert elsewhere.status_code == 302


def test_guesses_and_answers_are_bounded(cast):
    address = filed()
    answers = [Client().post(f"{address}solved/", {"satisfaction": "5"}).status_code for _n in range(13)]
    assert answers == [400] * 12 + [429]
    guesses = [
        Client().post("/public/follow/", {"number": "YH-1", "code": "AAAA"}, REMOTE_ADDR="10.1.1.1").status_code
        for _n in range(21)
    ]
    assert guesses == [400] * 20 + [429]


def test_a_form_larger_than_a_report_is_refused_before_it_is_read(cast):
    answer = Client().generic(
        "POST", WHERE, b"", content_type="multipart/form-data; boundary=x", CONTENT_LENGTH="99000000"
    )
    assert answer.status_code == 413


def test_a_forged_form_files_nothing(cast):
    strict = Client(enforce_csrf_checks=True)
    assert report(strict).status_code == 403
    assert not Hazard.objects.exists()


def test_nobody_signs_in_as_the_public(cast, client):
    filed()
    for password in ("!", "", "public"):
        answer = client.post("/login/", {"username": ACCOUNT, "password": password})
        assert answer.status_code != 302 and "_auth_user_id" not in client.session
    assert not User.objects.get(username=ACCOUNT).has_usable_password()


# -- numbers in words that the public reads --------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        "找张先生 13800001111",
        "请致电 138 0000 1111",
        "座机 0546-833 1234",
        "身份证 37050219900101123X",
        "电话８３３１２３４",
    ],
)
def test_words_for_the_public_hold_no_telephone_or_identity_number(cast, words):
    filed()
    hazard = Hazard.objects.get()
    with pytest.raises(FieldsMissing) as refusal:
        step(hazard, "refuse", cast.dispatcher, words=words)
    assert list(refusal.value.errors) == ["reason"]
    hazard.refresh_from_db()
    assert hazard.state == "reported"
    own = file_hazard(cast.neighbour)
    step(own, "refuse", cast.dispatcher, words=words)  # nobody of the public reads these
    assert hazard_now(own).state == "refused"


def test_words_for_the_public_may_name_a_case_a_day_and_a_law(cast):
    filed()
    hazard, other = Hazard.objects.get(), file_hazard(cast.neighbour)
    words = f"与 {other.number} 重复，2026-11-23 14:00 已核查，依据第 99 号令第二十八条"
    step(hazard, "refuse", cast.dispatcher, words=words)
    assert hazard_now(hazard).state == "refused"


def test_a_supervisor_s_answer_to_a_contest_holds_no_number_either(cast, supervisor):
    address = filed()
    hazard = Hazard.objects.get()
    for _time in range(PublicRule.objects.get_or_create(pk=1)[0].reopenings):
        step(hazard, "refuse", cast.dispatcher, words="现场未见异常")
        not_solved(address)
    step(hazard, "refuse", cast.dispatcher, words="再次核查未见异常")
    not_solved(address)
    assert hazard_now(hazard).contested_at
    with pytest.raises(FieldsMissing):
        step(hazard, "deny_reopening", supervisor, words="找张先生 13800001111")
    step(hazard, "deny_reopening", supervisor, words="第三方检测合格")
