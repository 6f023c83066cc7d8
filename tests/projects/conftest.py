"""A small city with an overdue hazard that a department has, and the people of supervision."""

import io
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from PIL import Image

from citysafety.accounts.models import User
from citysafety.documents import services as documents
from citysafety.outbox.relay import relay_waiting
from citysafety.subscriptions import LISTENERS, PROJECTIONS
from hazards.models import Hazard
from hazards.services import mark_overdue
from hazards.services.steps import StepInput
from hazards.services.steps import take_step as take_hazard_step
from projects import services
from projects.models import OverdueNotice
from projects.seeds import seed_supervision
from tests.factories import HOME, NOON, SmallCity, attach_to, file_hazard, make_city, person


@dataclass
class Office:
    """The people of a case, and words to move it on."""

    city: SmallCity
    worker: User
    dispatcher: User
    handler: User
    supervisor: User
    second: User
    leader: User
    at: datetime = NOON
    pictures: int = field(default=0)

    def dispatched(self, *, severity: str = "general", **more: Any) -> Hazard:
        """File a hazard and bring it to its department."""
        extra = {"severity": severity, "criterion": "other: 判定标准第五条第一款"} if severity == "major" else {}
        hazard = file_hazard(self.worker, **extra, **more)
        for action, version, given in (("accept", 1, {}), ("dispatch", 2, {"department": "fire-02"})):
            step = StepInput(id=uuid.uuid4(), version=version, **given)
            hazard = take_hazard_step(hazard_id=hazard.pk, action=action, given=step, actor=self.dispatcher, at=NOON)
        return hazard

    def overdue(self, **more: Any) -> tuple[Hazard, datetime]:
        """Bring a hazard to its department and past its time; return it and a moment two weeks later."""
        hazard = self.dispatched(**more)
        at = hazard.due_at + timedelta(days=14)
        mark_overdue(at=at)
        hazard.refresh_from_db()
        return hazard, at

    def drafted(self, **more: Any) -> tuple[OverdueNotice, datetime]:
        _hazard, at = self.overdue(**more)
        assert services.draft_due(at=at) == 1
        return OverdueNotice.objects.get(), at

    def step(self, notice: OverdueNotice, action: str, who: User, at: datetime, **given: Any) -> OverdueNotice:
        notice.refresh_from_db()
        step = services.NoticeInput(id=uuid.uuid4(), version=notice.version, **given)
        return services.take_step(notice_id=notice.pk, action=action, given=step, actor=who, at=at)

    def issued(self, notice: OverdueNotice, who: User, at: datetime) -> OverdueNotice:
        """Look at the final bytes and sign them."""
        document = documents.prepare(notice.document_id, by=who, at=at)
        return self.step(notice, "issue", who, at, sha256=document.sealed_id)

    def evidence(self, notice: OverdueNotice) -> None:
        self.pictures += 1
        out = io.BytesIO()
        Image.new("RGB", (32, 32), (self.pictures, 90, 90)).save(out, "PNG")
        attach_to(notice, "answer", out.getvalue(), self.handler, kind="supervision")

    def answered(self, notice: OverdueNotice, at: datetime) -> OverdueNotice:
        self.step(notice, "receive", self.handler, at)
        self.evidence(notice)
        return self.step(notice, "answer", self.handler, at, words="已完成整改")


@pytest.fixture
def office(db, settings, tmp_path) -> Office:
    settings.MEDIA_ROOT = tmp_path
    city = make_city()
    seed_supervision(at=NOON)
    return Office(
        city=city,
        worker=person("grid_worker"),
        dispatcher=person("dispatcher"),
        handler=person("department_handler", department=city.departments["fire-02"]),
        supervisor=person("supervisor"),
        second=person("supervisor", area="3705"),
        leader=person("leader"),
    )


def relay() -> None:
    while relay_waiting(listen=LISTENERS, project=PROJECTIONS):
        pass


__all__ = ["HOME", "Office", "office", "relay"]
