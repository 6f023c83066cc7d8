"""What the tests of the public side share: how somebody reports and answers, and what the city does with it."""

import io
import uuid

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from hazards.models import Hazard
from hazards.services import take_step
from hazards.services.steps import StepInput
from tests.factories import attach_to

WHERE = "/public/report/?matter=XF-001&lat=37.45&lon=118.53"
NAME, PHONE = "南宫佳怡", "13677778888"
WORDS = "三楼楼道堆满纸箱"


def picture(kind="PNG", **more):
    out = io.BytesIO()
    Image.effect_noise((48, 48), 60).save(out, kind, **more)
    return SimpleUploadedFile("a.png", out.getvalue(), content_type="image/png")


def report(client=None, where=WHERE, **more):
    given = {"secret": str(uuid.uuid4()), "description": WORDS, **more}
    return (client or Client()).post(where, given)


def filed(**more):
    """File a report; return the address of its page."""
    answer = report(**more)
    assert answer.status_code == 302, answer.content.decode()
    return answer["Location"].partition("?")[0]


def text_of(answer):
    return answer.content.decode()


def step(hazard, action, by, *, at=None, **fields):
    if action == "rectify":
        attach_to(hazard, "after", picture().read(), by)
    hazard.refresh_from_db()
    given = StepInput(id=uuid.uuid4(), version=hazard.version, lon=118.53, lat=37.45, **fields)
    return take_step(hazard_id=hazard.pk, action=action, given=given, actor=by, at=at or timezone.now())


def closed(cast, hazard, *, at=None):
    """Take a case to its write-off."""
    for action, by, more in (
        ("accept", cast.dispatcher, {}), ("dispatch", cast.dispatcher, {"department": "fire-02"}), ("take", cast.handler, {}),
        ("rectify", cast.handler, {"words": "已清理"}), ("verify", cast.worker, {}), ("write_off", cast.dispatcher, {}),
    ):  # fmt: skip
        step(hazard, action, by, at=at, **more)
    return hazard


def not_solved(address, **more):
    given = {"id": str(uuid.uuid4()), "words": "又堆起来了", **more}
    return Client().post(f"{address}not-solved/", given)


def hazard_now(hazard):
    return Hazard.objects.get(pk=hazard.pk)
