"""Overdue notices from the rule to the accepted answer: four eyes, one live notice a hazard, silence that climbs."""

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connections

from citysafety.documents.models import Document
from citysafety.lifecycle import StepNotAllowed
from citysafety.notices.models import Notice
from citysafety.tallies import selectors as tallies
from citysafety.tallies.reconciling import differences
from hazards.services.steps import EvidenceMissing, FieldsMissing, NotAllowed, StaleVersion
from projects import services
from projects.models import NoticeStep, OverdueNotice, SupervisionRule

from .conftest import HOME, relay


def told(topic):
    return sorted(Notice.objects.filter(topic=topic).values_list("recipient__role", flat=True))


def test_a_rule_drafts_a_notice_once_whatever_the_number_of_sweeps(office):
    hazard, at = office.overdue()
    assert [services.draft_due(at=at) for _ in range(3)] == [1, 0, 0]
    notice = OverdueNotice.objects.select_related("document").get()
    assert (notice.hazard, notice.department.code, notice.drafted_by) == (hazard, "fire-02", None)
    body = notice.document.body
    for words in (hazard.number, "疏散通道堵塞", "整改时限 2 个工作日", "个工作日", "请于"):
        assert words in body
    assert notice.document.full_number == ""


def test_what_is_not_over_long_enough_or_has_no_department_is_not_drafted(office):
    hazard, at = office.overdue()
    assert services.draft_due(at=hazard.due_at + timedelta(hours=1)) == 0
    hazard.department = None
    hazard.save()
    assert services.draft_due(at=at) == 0


def test_what_a_person_put_aside_is_not_drafted_again_by_rule(office):
    notice, at = office.drafted()
    office.step(notice, "discard", office.supervisor, at, words="单位已申请延期")
    assert services.draft_due(at=at) == 0
    again = services.draft_notice(hazard=notice.hazard, rule=None, by=office.supervisor, at=at)
    assert again.drafted_by == office.supervisor
    with pytest.raises(services.NotOverdue):
        services.draft_notice(hazard=notice.hazard, rule=None, by=office.supervisor, at=at)


def test_the_whole_life_of_a_notice(office):
    notice, at = office.drafted()
    issued = office.issued(notice, office.supervisor, at)
    assert (issued.state, issued.document.number) == ("issued", 1)
    assert issued.reply_due_at > at + timedelta(days=2)
    with pytest.raises(NotAllowed):
        office.step(notice, "receive", office.supervisor, at)
    office.step(notice, "receive", office.handler, at)
    with pytest.raises(EvidenceMissing):
        office.step(notice, "answer", office.handler, at, words="已整改")
    office.evidence(notice)
    with pytest.raises(FieldsMissing):
        office.step(notice, "answer", office.handler, at)
    answered = office.step(notice, "answer", office.handler, at, words="已整改")
    assert (answered.state, answered.reply_due_at) == ("answered", None)
    with pytest.raises(NotAllowed):
        office.step(notice, "accept_answer", office.handler, at)
    rejected = office.step(notice, "reject_answer", office.supervisor, at, words="照片看不清")
    assert (rejected.state, rejected.reply_due_at > at) == ("received", True)
    with pytest.raises(EvidenceMissing):  # the first photo has served
        office.step(notice, "answer", office.handler, at, words="已整改")
    office.evidence(notice)
    office.step(notice, "answer", office.handler, at, words="已补拍")
    assert office.step(notice, "accept_answer", office.supervisor, at).state == "closed"
    assert list(NoticeStep.objects.order_by("version").values_list("action", flat=True)) == [
        "draft", "issue", "receive", "answer", "reject_answer", "answer", "accept_answer",
    ]  # fmt: skip


def test_a_major_hazard_needs_a_second_signature_of_another_person(office):
    notice, at = office.drafted(severity="major")
    with pytest.raises(StepNotAllowed):
        office.issued(notice, office.supervisor, at)
    Document.objects.update(state="draft", number=None, year=None, code="", sealed=None)
    office.step(notice, "submit", office.supervisor, at)
    with pytest.raises(NotAllowed) as refusal:
        office.step(notice, "issue", office.supervisor, at, sha256="x")
    assert refusal.value.rule == "denied.two_signatures"
    assert office.issued(notice, office.second, at).state == "issued"


def test_a_general_hazard_asks_for_no_second_signature(office):
    notice, at = office.drafted()
    with pytest.raises(StepNotAllowed):
        office.step(notice, "submit", office.supervisor, at)


def test_who_signs_names_the_bytes_and_the_version_that_were_seen(office):
    notice, at = office.drafted()
    with pytest.raises(FieldsMissing):
        office.step(notice, "issue", office.supervisor, at)
    stale = services.NoticeInput(id=uuid.uuid4(), version=7, sha256="x")
    with pytest.raises(StaleVersion):
        services.take_step(notice_id=notice.pk, action="issue", given=stale, actor=office.supervisor, at=at)
    assert Document.objects.get().state == "draft"


def test_a_withdrawn_notice_keeps_its_number_and_leaves_room_for_another(office):
    notice, at = office.drafted()
    office.issued(notice, office.supervisor, at)
    office.step(notice, "withdraw", office.supervisor, at, words="责任单位有误")
    assert Document.objects.get(pk=notice.document_id).number == 1
    other = services.draft_notice(hazard=notice.hazard, rule=None, by=office.supervisor, at=at)
    assert office.issued(other, office.supervisor, at).document.number == 2


def test_silence_is_marked_once_reminded_and_climbs_to_leaders(office):
    notice, at = office.drafted()
    due = office.issued(notice, office.supervisor, at).reply_due_at
    late, very_late = due + timedelta(minutes=5), due + timedelta(days=9)
    assert [services.mark_unanswered(at=moment) for moment in (due, late, late, very_late, very_late)] == [
        0,
        1,
        0,
        1,
        0,
    ]
    relay()
    assert told("supervision.issued") == ["department_handler"]
    assert told("supervision.reminder") == ["department_handler", "supervisor", "supervisor"]
    assert told("supervision.silence") == ["leader", "supervisor", "supervisor"]
    office.answered(notice, very_late)
    notice.refresh_from_db()
    assert (notice.unanswered, services.mark_unanswered(at=very_late + timedelta(days=30))) == (False, 0)


def test_figures_of_supervision_equal_their_lists_and_a_fresh_count(office):
    notice, at = office.drafted()
    due = office.issued(notice, office.supervisor, at).reply_due_at
    services.mark_unanswered(at=due + timedelta(hours=1))
    relay()
    board = tallies.board(HOME)
    assert board.figures["supervision.unanswered"] == 1
    assert [row for row in differences() if row.startswith("supervision")] == []
    office.answered(notice, due + timedelta(hours=2))
    relay()
    assert tallies.board(HOME).figures["supervision.unanswered"] == 0
    assert [row for row in differences() if row.startswith("supervision")] == []


def test_a_rule_is_data(office):
    _hazard, at = office.overdue()
    SupervisionRule.objects.update(active=False)
    assert services.draft_due(at=at) == 0


@pytest.mark.django_db(transaction=True)
def test_ten_sweeps_at_once_draft_one_notice(office):
    _hazard, at = office.overdue()
    drafted: list[int] = []

    def sweep() -> None:
        try:
            drafted.append(services.draft_due(at=at))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=sweep) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sum(drafted), len(drafted), OverdueNotice.objects.count(), Document.objects.count()) == (1, 10, 1, 1)
