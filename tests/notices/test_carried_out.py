"""From a step to a mail box and a webhook: the real relay, a real Redis and a real Celery worker between them."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from email.header import decode_header, make_header
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection
from django.utils import timezone

from citysafety.notices.models import Channel, Delivery, Notice
from hazards.services import take_step
from hazards.services.steps import StepInput
from tests.factories import file_hazard, make_city, person
from tests.running import RedisServer

from .receivers import http_receiver, mail_receiver

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 120


@pytest.fixture
def redis_here():
    server = RedisServer()
    yield server
    server.end()


def database_url() -> str:
    """Return the address of the test's own database, for other processes."""
    given = connection.settings_dict
    port = f":{given['PORT']}" if given["PORT"] else ""
    login = f"{given['USER']}:{quote(given['PASSWORD'])}@" if given["PASSWORD"] else f"{given['USER']}@"
    return f"postgis://{login}{quote(given['HOST'], safe='')}{port}/{given['NAME']}"


def start(*words: str, log: Path, **env: str) -> subprocess.Popen:
    with log.open("w") as out:
        return subprocess.Popen(
            [sys.executable, *words],
            cwd=ROOT,
            env={**os.environ, **env},
            stdout=out,
            stderr=out,
            start_new_session=True,
        )


@pytest.mark.django_db(transaction=True)
def test_a_refusal_reaches_the_reporters_mail_box_and_webhook_once(redis_here, tmp_path):
    make_city()
    reporter, dispatcher = person("grid_worker", language="en"), person("dispatcher")
    with mail_receiver() as (post, port), http_receiver() as (hook, address):
        Channel.objects.create(user=reporter, kind="webhook", address=address)
        Channel.objects.create(user=reporter, kind="email", address="reporter@city.example")
        env = {
            "DATABASE_URL": database_url(), "REDIS_URL": redis_here.address, "EGRESS_ALLOW": "127.0.0.1",
            "NOTICE_MAIL_SERVER": f"mailto://127.0.0.1:{port}?from=notice@city.example&mode=insecure",
            "SITE_URL": "https://safety.city.example", "PYTHONUNBUFFERED": "1",
        }  # fmt: skip
        logs = [tmp_path / name for name in ("relay.log", "worker.log")]
        worker = ("-m", "celery", "-A", "citysafety", "worker", "-Q", "notice", "-P", "solo", "-l", "warning")
        running = [
            start("manage.py", "relay", log=logs[0], **env),
            start(*worker, log=logs[1], **env),
        ]
        try:
            hazard = file_hazard(reporter, at=timezone.now())
            given = StepInput(id=uuid.uuid4(), version=1, words="不属于安全隐患")
            take_step(hazard_id=hazard.pk, action="refuse", given=given, actor=dispatcher, at=timezone.now())
            until = time.monotonic() + PATIENCE_S
            while time.monotonic() < until and Delivery.objects.exclude(sent_at=None).count() != 2:
                assert all(process.poll() is None for process in running), "".join(log.read_text() for log in logs)
                time.sleep(0.1)
        finally:
            for process in running:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    assert Delivery.objects.exclude(sent_at=None).count() == 2, "".join(log.read_text()[-2000:] for log in logs)
    ((_headers, body),) = hook.taken
    (mail,) = post.mails
    title = "Your report was refused: Blocked escape route"
    assert body["title"] == title
    assert title in str(make_header(decode_header(mail["Subject"])))
    assert f"https://safety.city.example/field/cases/{hazard.pk}/" in json.dumps(body)
    assert Notice.objects.filter(recipient=reporter).count() == 1
