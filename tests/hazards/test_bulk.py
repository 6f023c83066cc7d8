"""One step with many cases: tried first, then done to exactly those that were tried, each for itself and never twice."""

import re
import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from citysafety.celery import app
from hazards.bulk import judging, services
from hazards.bulk.judging import Fields
from hazards.lifecycle import FOR_MANY, LIFECYCLE
from hazards.models import BulkRun, Hazard, LimitRule, PauseCause, Step
from hazards.seeds import seed_limits
from tests.factories import AWAY, NOON, file_hazard, person

from .test_api import client_of
from .test_pages import signed_in

pytestmark = pytest.mark.django_db
API = "/api/v1/hazards/bulk/"


def tried(actor, action, *hazards, **fields):
    return services.try_run(
        run_id=uuid.uuid4(), action=action, seen={one.pk: None for one in hazards}, given=Fields(**fields), actor=actor,
        at=timezone.now(),
    )  # fmt: skip


def confirmed(run, **fields):
    return services.confirm(run_id=run.pk, given=Fields(**fields), actor=run.actor, at=timezone.now())


def state_of(hazard):
    return Hazard.objects.values_list("state", flat=True).get(pk=hazard.pk)


def at_the_desk(user, language="en"):
    client = signed_in(user, language)
    client.raise_request_exception = True
    return client


def run_of(answer):
    return BulkRun.objects.get(pk=re.search(r"/hazards/bulk/([0-9a-f-]{36})/", answer["Location"])[1])


# -- which steps, and whose -----------------------------------------------------------------------


def test_the_steps_for_many_follow_from_the_table():
    assert FOR_MANY == [
        "accept", "refuse", "dispatch", "take", "return", "write_off", "grant_extension", "deny_extension", "ask_pause",
        "pause", "deny_pause", "resume", "pin", "unpin",
    ]  # fmt: skip
    alone = [step for step in LIFECYCLE.steps if step.action not in FOR_MANY]
    assert {"verify", "fail", "rectify", "merge", "raise", "approve_plan", "stop_work"} <= {
        step.action for step in alone
    }


@pytest.mark.parametrize(
    ("role", "first", "number"),
    [
        ("dispatcher", "accept", 9),
        ("department_handler", "take", 4),
        ("supervisor", "pause", 3),
        ("leader", "pin", 2),
        ("grid_worker", None, 0),
        ("auditor", None, 0),
        ("operator", None, 0),
        ("kiosk", None, 0),
    ],
)
def test_each_role_is_offered_its_own_steps(cast, role, first, number):
    offered = [action for action, _label in judging.choices(person(role))]
    assert (offered[:1] or [None])[0] == first
    assert len(offered) == number


# -- trying ---------------------------------------------------------------------------------------


def test_a_trial_says_of_each_case_what_would_become_of_it_and_touches_none(cast):
    open_one, accepted, away = (
        file_hazard(cast.worker),
        file_hazard(cast.worker),
        file_hazard(cast.neighbour, lon=118.73),
    )
    cast.step(accepted, "accept", cast.dispatcher)

    run = tried(cast.dispatcher, "accept", open_one, accepted, away)

    assert [(row["number"], row["result"], row["version"]) for row in run.rows] == [
        (open_one.number, "possible", 1), (accepted.number, "refused", 2), ("", "refused", None),
    ]  # fmt: skip
    assert "Accepted" in run.told[1]["words"] or "已立案" in run.told[1]["words"]
    assert Step.objects.filter(action="accept").count() == 1
    assert away.number not in str(run.rows)


@pytest.mark.parametrize("number", [1, 12])
@pytest.mark.parametrize(("action", "queries"), [("accept", 1), ("dispatch", 2), ("pause", 3)])
def test_a_trial_takes_the_same_queries_however_many_cases(cast, action, queries, number, django_assert_num_queries):
    seed_limits()
    hazards = [file_hazard(cast.worker) for _n in range(number)]
    for hazard in hazards if action != "accept" else []:
        cast.step(hazard, "accept", cast.dispatcher)

    with django_assert_num_queries(queries):
        rows = judging.judge(
            cast.dispatcher, action, {one.pk: None for one in hazards}, Fields(words="x"), NOON + timedelta(minutes=10)
        )
    assert len(rows) == number and {row["result"] for row in rows} == {"possible"}


def test_each_case_goes_to_the_office_suggested_for_it_or_to_the_one_that_is_named(cast):
    fire, road = file_hazard(cast.worker), file_hazard(cast.worker, matter="SZ-001")
    for one in (fire, road):
        cast.step(one, "accept", cast.dispatcher)

    assert [row["department"] for row in tried(cast.dispatcher, "dispatch", fire, road).rows] == ["fire-02", "roads-02"]
    named = tried(cast.dispatcher, "dispatch", fire, road, department="roads-02")
    assert [row["department"] for row in named.rows] == ["roads-02", "roads-02"]
    foreign = tried(cast.dispatcher, "dispatch", fire, department="fire-03")
    assert foreign.rows[0]["result"] == "refused" and "fire-03" in foreign.told[0]["words"]


def test_a_trial_knows_what_the_step_itself_would_refuse(cast):
    seed_limits()
    hazard = file_hazard(cast.worker, at=timezone.now())
    cast.step(hazard, "accept", cast.dispatcher)
    theirs = PauseCause.objects.filter(by_supervisor=True).first()
    leader = person("leader")

    paused = tried(cast.dispatcher, "pause", hazard, words="x", cause=theirs.code)
    nonsense = tried(cast.dispatcher, "pause", hazard, words="x", cause="moon")
    assert (paused.rows[0]["result"], nonsense.rows[0]["result"]) == ("refused", "refused")
    assert "moon" in nonsense.told[0]["words"]
    assert tried(leader, "pin", hazard).rows[0]["result"] == "possible"
    LimitRule.objects.update(active=False)
    assert tried(leader, "pin", hazard).rows[0]["result"] == "refused"


def _in_work(cast, number):
    hazards = [file_hazard(cast.worker) for _n in range(number)]
    for hazard in hazards:
        cast.step(hazard, "accept", cast.dispatcher)
        cast.step(hazard, "dispatch", cast.dispatcher, department="fire-02")
        cast.step(hazard, "take", cast.handler)
    return hazards


def test_pauses_that_were_asked_for_are_granted_together_each_for_its_own_cause(cast, django_assert_num_queries):
    seed_limits()
    causes = list(PauseCause.objects.filter(active=True, by_supervisor=False)[:2])
    hazards = _in_work(cast, 3)
    for hazard, cause in zip(hazards, causes, strict=False):
        cast.step(hazard, "ask_pause", cast.handler, words="等材料", cause=cause.code)
    seen = {one.pk: None for one in hazards}
    with django_assert_num_queries(3):  # the cases, causes, what was asked
        judging.judge(cast.dispatcher, "pause", seen, Fields(words="x"), NOON + timedelta(minutes=10))

    run = services.try_run(
        run_id=uuid.uuid4(),
        action="pause",
        seen=seen,
        given=Fields(),
        actor=cast.dispatcher,
        at=NOON + timedelta(minutes=10),
    )
    done, _is_anew = services.confirm(
        run_id=run.pk, given=Fields(words="同意"), actor=cast.dispatcher, at=NOON + timedelta(minutes=11)
    )
    assert [row["result"] for row in done.rows] == ["done"] * 3
    granted = [Hazard.objects.get(pk=one.pk).clock_changes.get(kind="pause").cause for one in hazards[:2]]
    assert granted == causes


def test_extensions_are_denied_together_and_only_where_one_is_asked_for(cast):
    seed_limits()
    hazards = _in_work(cast, 2)
    cast.step(hazards[0], "ask_extension", cast.handler, words="零件未到", amount=1)
    run = tried(cast.dispatcher, "deny_extension", *hazards)
    assert [row["result"] for row in run.rows] == ["possible", "refused"]
    assert "No extension is asked for." in run.told[1]["words"] or "延期" in run.told[1]["words"]
    confirmed(run, words="按期完成")
    assert Hazard.objects.get(pk=hazards[0].pk).extension_asked_at is None


def test_a_step_of_another_role_and_too_many_cases_are_refused(cast):
    hazard = file_hazard(cast.worker)
    with pytest.raises(services.NotForMany, match="pin"):
        tried(cast.dispatcher, "pin", hazard)
    with pytest.raises(services.NotForMany):
        tried(cast.worker, "accept", hazard)
    many = {uuid.uuid4(): None for _n in range(services.MOST + 1)}
    with pytest.raises(services.TooMany, match=str(services.MOST)):
        services.try_run(
            run_id=uuid.uuid4(), action="accept", seen=many, given=Fields(), actor=cast.dispatcher, at=timezone.now()
        )


# -- doing ----------------------------------------------------------------------------------------


def test_what_was_tried_is_done_once_and_what_changed_since_is_refused_and_told(cast):
    kept, faster = file_hazard(cast.worker), file_hazard(cast.worker)
    run = tried(cast.dispatcher, "accept", kept, faster)
    cast.step(faster, "refuse", person("dispatcher"), words="重复")

    done, is_anew = confirmed(run)
    again, _is_anew = confirmed(run)

    assert not is_anew and done.state == again.state == "done"
    assert [row["result"] for row in done.rows] == ["done", "refused"]
    assert "2" in done.told[1]["words"] and "1" in done.told[1]["words"]
    assert (state_of(kept), state_of(faster)) == ("accepted", "refused")
    assert Step.objects.filter(hazard=kept).count() == 2
    assert again.rows == done.rows


def test_a_remark_that_came_meanwhile_counts_as_a_change(cast):
    hazard = file_hazard(cast.worker)
    run = tried(cast.dispatcher, "accept", hazard)
    cast.step(hazard, "remark", cast.worker, words="还在")

    assert confirmed(run)[0].rows[0]["result"] == "refused"
    assert state_of(hazard) == "reported"


def test_a_reason_is_asked_before_anything_is_done(cast):
    hazard = file_hazard(cast.worker)
    run = tried(cast.dispatcher, "refuse", hazard)
    with pytest.raises(services.FieldsMissing) as refusal:
        confirmed(run, words="  ")
    assert list(refusal.value.errors) == ["reason"]
    assert state_of(hazard) == "reported"

    assert confirmed(run, words="不属于")[0].state == "done"
    assert Step.objects.get(hazard=hazard, action="refuse").words == "不属于"


def test_another_office_is_tried_anew_and_confirmed_again_where_it_refuses_more(cast):
    city = person("dispatcher", area="3705")
    here, there = file_hazard(cast.worker), file_hazard(cast.neighbour, lon=118.73)
    for one in (here, there):
        cast.step(one, "accept", city)
    run = tried(person("dispatcher"), "dispatch", here)
    assert confirmed(run, department="fire-03")[1] is True
    assert state_of(here) == "accepted"
    assert confirmed(run, department="roads-02")[1] is True  # possible again: looked at again
    assert confirmed(run, department="roads-02")[0].state == "done"
    assert Hazard.objects.get(pk=here.pk).department.code == "roads-02"


def test_many_are_done_by_a_worker_in_parts_and_one_that_takes_over_does_nothing_twice(
    cast, monkeypatch, django_capture_on_commit_callbacks
):
    monkeypatch.setattr(services, "AT_ONCE", 1)
    monkeypatch.setattr(services, "PART", 2)
    hazards = [file_hazard(cast.worker) for _n in range(5)]
    run = tried(cast.dispatcher, "accept", *hazards)
    before = [dict(row) for row in run.rows]

    with django_capture_on_commit_callbacks() as called:
        waiting, _is_anew = confirmed(run)
        assert waiting.state == "running" and len(called) == 0
    assert len(called) == 1 and len(waiting.possible) == 5

    assert services.carry_on(run_id=run.pk, at=timezone.now()) is True
    run.refresh_from_db()
    assert (len(run.done), len(run.possible)) == (2, 3)
    BulkRun.objects.filter(pk=run.pk).update(rows=before)  # a worker was lost before it wrote down what it had done
    monkeypatch.setattr(app.conf, "task_always_eager", True)
    with django_capture_on_commit_callbacks(execute=True):
        services.carry_on(run_id=run.pk, at=timezone.now())
    run.refresh_from_db()
    assert run.state == "done" and len(run.done) == 5
    assert Step.objects.filter(action="accept").count() == 5


def test_one_worker_has_a_run_at_a_time_and_a_lost_one_is_followed(cast):
    run = tried(cast.dispatcher, "accept", file_hazard(cast.worker))
    now = timezone.now()
    BulkRun.objects.filter(pk=run.pk).update(state="running", touched_at=now)

    services.carry_on(run_id=run.pk, at=now + services.STALLED_AFTER / 2)
    assert BulkRun.objects.get(pk=run.pk).state == "running"
    services.carry_on(run_id=run.pk, at=now + services.STALLED_AFTER * 2)
    assert BulkRun.objects.get(pk=run.pk).state == "done"


def test_who_lost_the_rights_meanwhile_does_nothing_any_more(cast):
    hazard, actor = file_hazard(cast.worker), person("dispatcher")
    run = tried(actor, "accept", hazard)
    actor.area_code = AWAY
    actor.save()
    run = BulkRun.objects.select_related("actor").get(pk=run.pk)

    assert confirmed(run)[0].rows[0]["result"] == "refused"
    assert state_of(hazard) == "reported"


def test_a_sweep_lets_go_on_what_stands_still_and_drops_what_is_old(
    cast, monkeypatch, django_capture_on_commit_callbacks
):
    monkeypatch.setattr(app.conf, "task_always_eager", True)
    now = timezone.now()
    lost, busy, fresh, old, ended = (tried(cast.dispatcher, "accept", file_hazard(cast.worker)) for _n in range(5))
    rows = BulkRun.objects.filter
    rows(pk=lost.pk).update(state="running", touched_at=now - 2 * services.STALLED_AFTER)
    rows(pk=busy.pk).update(state="running", touched_at=now)
    rows(pk=old.pk).update(tried_at=now - services.KEPT_TRIED - timedelta(minutes=1))
    rows(pk=ended.pk).update(state="done", tried_at=now - services.KEPT_DONE - timedelta(minutes=1))

    with django_capture_on_commit_callbacks(execute=True):
        services.sweep(at=now)

    left = dict(BulkRun.objects.values_list("pk", "state"))
    assert left == {lost.pk: "done", busy.pk: "running", fresh.pk: "tried"}


def test_the_same_request_twice_at_once_is_one_run(cast):
    hazard, run_id, now = file_hazard(cast.worker), uuid.uuid4(), timezone.now()
    asked = {"verb": "accept"}
    first, second = (
        services.try_run(
            run_id=run_id,
            action="accept",
            seen={hazard.pk: 1},
            given=Fields(),
            actor=cast.dispatcher,
            at=now,
            asked=asked,
        )
        for _n in range(2)
    )
    assert first.pk == second.pk
    with pytest.raises(services.AnotherRun):
        services.try_run(
            run_id=run_id, action="accept", seen={hazard.pk: 1}, given=Fields(), actor=cast.dispatcher, at=now, asked={}
        )


# -- at the desk ----------------------------------------------------------------------------------


def test_from_the_list_to_the_result_without_javascript(cast):
    hazards = [file_hazard(cast.worker) for _n in range(3)]
    cast.step(hazards[2], "accept", cast.dispatcher)
    desk = at_the_desk(cast.dispatcher)
    page = desk.get("/hazards/?search=纸箱").content.decode()
    assert page.count('form="bulk" name="hazard"') == 3
    assert "all 3 that fit the filter" in page

    answer = desk.post("/hazards/bulk/?search=纸箱", {"action": "accept", "hazard": [str(one.pk) for one in hazards]})
    run = run_of(answer)
    page = desk.get(answer["Location"]).content.decode()
    assert re.search(r"<b>2</b> will be done", page) and re.search(r"<b>1</b> will not", page)
    assert "It is “Accepted”; expected Reported." in page
    assert state_of(hazards[0]) == "reported"

    answer = desk.post(answer["Location"], {"words": ""}, follow=True)
    page = answer.content.decode()
    assert re.search(r"<b>2</b> done", page) and re.search(r"<b>1</b> refused", page)
    assert re.search(rf'name="hazard" value="{hazards[2].pk}" checked', page)  # what was refused stays ticked
    assert 'href="/hazards/?search=' in page
    assert {state_of(one) for one in hazards} == {"accepted"}
    steps = Step.objects.count()
    desk.post(f"/hazards/bulk/{run.pk}/", {"words": ""})
    assert Step.objects.count() == steps


def test_all_that_fit_the_filter_are_tried_and_no_others(cast, monkeypatch):
    fire = [file_hazard(cast.worker) for _n in range(3)]
    road = file_hazard(cast.worker, matter="SZ-001")
    desk = at_the_desk(cast.dispatcher)

    run = run_of(desk.post("/hazards/bulk/?category=XF", {"action": "accept", "all": "1", "hazard": str(road.pk)}))
    assert {row["number"] for row in run.rows} == {one.number for one in fire}
    assert not run.is_more

    monkeypatch.setattr(services, "MOST", 2)
    run = run_of(desk.post("/hazards/bulk/?category=XF", {"action": "accept", "all": "1"}))
    assert len(run.rows) == 2 and run.is_more
    assert "these are the newest" in desk.get(f"/hazards/bulk/{run.pk}/").content.decode()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"action": "accept"}, "Nothing is ticked"),
        ({"action": "accept", "hazard": "moon"}, "was not understood"),
        ({"action": "pin", "hazard": str(uuid.uuid4())}, "“pin” was given; expected one of accept"),
        ({"action": "", "hazard": str(uuid.uuid4())}, "expected one of accept"),
    ],
)
def test_what_is_wrong_with_the_choice_is_said_at_the_list(cast, body, words):
    answer = at_the_desk(cast.dispatcher).post("/hazards/bulk/?open=true", body, follow=True)
    assert answer.redirect_chain[0][0] == "/hazards/?open=true"
    assert words in answer.content.decode()
    assert not BulkRun.objects.exists()


def test_a_missing_reason_is_said_at_its_field_and_the_words_are_kept(cast):
    hazard = file_hazard(cast.worker)
    run = tried(cast.dispatcher, "refuse", hazard)
    desk = at_the_desk(cast.dispatcher)
    answer = desk.post(f"/hazards/bulk/{run.pk}/", {"words": " "})
    assert answer.status_code == 400
    assert 'href="#run-reason"' in answer.content.decode()
    assert state_of(hazard) == "reported"


def test_a_run_is_there_for_nobody_else(cast):
    run = tried(cast.dispatcher, "accept", file_hazard(cast.worker))
    other = person("dispatcher")
    assert at_the_desk(other).get(f"/hazards/bulk/{run.pk}/").status_code == 404
    assert at_the_desk(other).post(f"/hazards/bulk/{run.pk}/", {}).status_code == 404
    assert client_of(other).get(f"{API}{run.pk}/").status_code == 404
    assert Client().get(f"/hazards/bulk/{run.pk}/").status_code == 302


def test_a_run_speaks_the_language_of_who_looks_at_it_not_of_who_made_it(cast):
    hazard = file_hazard(cast.worker)
    run = tried(cast.dispatcher, "dispatch", hazard)  # not accepted yet
    page = at_the_desk(cast.dispatcher, "en").get(f"/hazards/bulk/{run.pk}/").content.decode()
    assert "It is “Reported”; expected Accepted." in page and "Blocked escape route" in page
    page = at_the_desk(cast.dispatcher, "zh-hans").get(f"/hazards/bulk/{run.pk}/").content.decode()
    assert "疏散通道堵塞" in page and "Blocked escape route" not in page


def test_a_role_without_such_steps_sees_no_ticks_and_is_refused(cast):
    hazard = file_hazard(cast.worker)
    desk = at_the_desk(cast.worker)
    assert 'name="hazard"' not in desk.get("/hazards/").content.decode()
    assert desk.post("/hazards/bulk/", {"action": "accept", "hazard": str(hazard.pk)}).status_code == 403


def test_a_page_of_a_run_takes_the_same_queries_however_many_cases(cast, django_assert_num_queries):
    desk = at_the_desk(cast.dispatcher)
    for number in (1, 7):
        hazards = [file_hazard(cast.worker) for _n in range(number)]
        for one in hazards:
            cast.step(one, "accept", cast.dispatcher)
        run = tried(cast.dispatcher, "dispatch", *hazards)
        desk.get(f"/hazards/bulk/{run.pk}/")
        with django_assert_num_queries(5):  # session, person, the run, places, offices
            desk.get(f"/hazards/bulk/{run.pk}/")


def test_while_a_worker_is_at_it_the_page_says_how_far_it_is(cast, monkeypatch, django_capture_on_commit_callbacks):
    monkeypatch.setattr(services, "AT_ONCE", 1)
    monkeypatch.setattr(services, "PART", 2)
    run = tried(cast.dispatcher, "accept", *(file_hazard(cast.worker) for _n in range(3)))
    desk = at_the_desk(cast.dispatcher)
    with django_capture_on_commit_callbacks():
        desk.post(f"/hazards/bulk/{run.pk}/", {"words": ""})
        services.carry_on(run_id=run.pk, at=timezone.now())
    page = desk.get(f"/hazards/bulk/{run.pk}/").content.decode()
    assert 'max="3" value="2"' in page and 'hx-trigger="every 1s"' in page
    part = desk.get(f"/hazards/bulk/{run.pk}/", headers={"HX-Request": "true", "HX-Target": "div#run"}).content.decode()
    assert "<html" not in part and 'max="3" value="2"' in part


# -- through the API ------------------------------------------------------------------------------


def test_the_api_tries_then_does_under_the_same_id(cast):
    hazards = [file_hazard(cast.worker) for _n in range(2)]
    api = client_of(cast.dispatcher)
    body = {
        "id": str(uuid.uuid4()), "verb": "accept",
        "hazards": [{"id": str(hazards[0].pk), "version": 1}, {"id": str(hazards[1].pk), "version": 7}],
    }  # fmt: skip

    trial = api.post(API, {**body, "dry_run": True}, format="json")
    assert trial.status_code == 200 and (trial.json()["possible"], trial.json()["refused"]) == (1, 1)
    assert "7" in trial.json()["results"][1]["words"]
    assert state_of(hazards[0]) == "reported"

    done = api.post(API, {**body, "dry_run": False}, format="json")
    assert done.status_code == 200 and done.json()["state"] == "done"
    assert [one["result"] for one in done.json()["results"]] == ["done", "refused"]
    assert api.post(API, {**body, "dry_run": False}, format="json").json() == done.json()
    assert api.get(f"{API}{body['id']}/").json() == done.json()
    assert Step.objects.filter(action="accept").count() == 1

    other = api.post(API, {**body, "verb": "refuse", "dry_run": True}, format="json")
    assert other.status_code == 422
    stranger = client_of(person("dispatcher")).post(API, {**body, "dry_run": True}, format="json")
    assert stranger.status_code == 422


def test_the_api_takes_a_filter_and_fields(cast):
    fire, road = file_hazard(cast.worker), file_hazard(cast.worker, matter="SZ-001")
    api = client_of(cast.dispatcher)
    body = {
        "id": str(uuid.uuid4()), "dry_run": False, "verb": "refuse", "filter": {"state": ["reported"], "category": "XF"},
        "fields": {"reason": "重复上报"},
    }  # fmt: skip
    answer = api.post(API, body, format="json")
    assert answer.status_code == 200, answer.json()
    assert (state_of(fire), state_of(road)) == ("refused", "reported")
    assert Step.objects.get(hazard=fire, action="refuse").words == "重复上报"


@pytest.mark.parametrize(
    ("change", "status", "attr"),
    [
        ({"verb": "verify"}, 400, "verb"),
        ({"verb": "pin"}, 403, None),
        ({"hazards": []}, 400, "hazards"),
        ({"hazards": None}, 400, "hazards"),
        ({"filter": {"open": "true"}}, 400, "hazards"),
        ({"hazards": "moon"}, 400, "hazards"),
        ({"dry_run": "perhaps"}, 400, "dry_run"),
        ({"id": "moon"}, 400, "id"),
        ({"verb": "refuse", "dry_run": False}, 400, "fields.reason"),
    ],
)
def test_the_api_says_what_is_wrong(cast, change, status, attr):
    hazard = file_hazard(cast.worker)
    body = {"id": str(uuid.uuid4()), "dry_run": True, "verb": "accept", "hazards": [{"id": str(hazard.pk)}], **change}
    answer = client_of(cast.dispatcher).post(API, body, format="json")
    assert answer.status_code == status, answer.json()
    assert attr is None or answer.json()["errors"][0]["attr"].startswith(attr)
    assert state_of(hazard) == "reported"


@pytest.mark.parametrize(
    "asked", [{"stat": "reported"}, {"state": "moon"}, {"area": AWAY}, {"area": "x"}, {"figure": "hazards.open"}]
)
def test_a_filter_that_is_not_understood_or_foreign_is_refused(cast, asked):
    file_hazard(cast.worker)
    body = {"id": str(uuid.uuid4()), "dry_run": True, "verb": "accept", "filter": asked}
    answer = client_of(cast.dispatcher).post(API, body, format="json")
    assert answer.status_code == 400 and answer.json()["errors"][0]["attr"].startswith("filter"), answer.json()


def test_the_step_is_written_with_the_moment_it_was_done(cast):
    hazard = file_hazard(cast.worker, at=NOON)
    run = tried(cast.dispatcher, "accept", hazard)
    begun = timezone.now()
    confirmed(run)
    assert Step.objects.get(hazard=hazard, action="accept").at >= begun
