"""Pushes, robots and text messages leave for receivers of ours on real sockets; what they carry and what becomes of them."""

import base64
import hashlib
import json
import threading
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import http_ece
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.utils import timezone

from citysafety.accounts.models import Department
from citysafety.notices import push, topics
from citysafety.notices.carriers import _signed
from citysafety.notices.models import Channel, Delivery, Notice
from citysafety.notices.services import News, deliver, notify_all, unpark
from tests.accounts.people import person

from .receivers import http_receiver

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


def text(raw):
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def raw(given):
    return urlsafe_b64decode(given + "=" * (-len(given) % 4))


def number_of(key):
    return text(key.private_numbers().private_value.to_bytes(32, "big"))


def point_of(key):
    return text(key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


class Device:
    """A browser of ours: keys of its own, and the push service that it subscribed with."""

    def __init__(self):
        self.key, self.secret = ec.generate_private_key(ec.SECP256R1()), b"0123456789abcdef"
        self.status, self.came = 201, []

    @property
    def keys(self):
        return {"p256dh": point_of(self.key), "auth": text(self.secret)}

    def read(self, body):
        return json.loads(http_ece.decrypt(body, private_key=self.key, auth_secret=self.secret, version="aes128gcm"))


@contextmanager
def push_service(device):
    class Door(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            device.came.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(device.status)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            """Say nothing in the test's output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/push/abc"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def own_key(settings, monkeypatch):
    key = ec.generate_private_key(ec.SECP256R1())
    settings.VAPID_PRIVATE_KEY, settings.EGRESS_ALLOW = number_of(key), ["127.0.0.1"]
    monkeypatch.setitem(topics.TOPICS, "test.up", None)
    topics.register("test.up", label="Escalated", title="Escalated: %(matter)s", body="%(number)s · %(place)s")
    return key


def write(*people, key="up:1", **more):
    params = {"matter": "Blocked escape route", "number": "YH-20261123-00001", "place": "张三家门口"}
    notify_all([News(recipients=people, topic="test.up", params=params, level=2, source_key=key, **more)], at=AT)


def carried(channel):
    delivery = Delivery.objects.get(channel=channel)
    deliver(delivery.pk, at=timezone.now())
    delivery.refresh_from_db()
    return delivery


def test_a_push_is_sealed_for_the_device_signed_by_the_city_and_says_topic_and_number_only(own_key):
    user, device = person("supervisor"), Device()
    with push_service(device) as endpoint:
        channel = Channel.objects.create(user=user, kind="push", address=endpoint, keys=device.keys)
        write(user)
        delivery = carried(channel)
    [(headers, body)] = device.came
    said = device.read(body)
    notice = Notice.objects.get()
    assert said == {"title": "Escalated", "number": "YH-20261123-00001", "level": 2, "notice": notice.pk}
    assert "张三" not in body.decode("latin1")
    assert int(headers["ttl"]) == push.TTL_S
    token, own = (part.split("=", 1)[1] for part in headers["authorization"].removeprefix("vapid ").split(","))
    assert own == push.public_key() == point_of(own_key)
    signed, _dot, signature = token.rpartition(".")
    half = raw(signature)
    seal = utils.encode_dss_signature(int.from_bytes(half[:32], "big"), int.from_bytes(half[32:], "big"))
    own_key.public_key().verify(seal, signed.encode(), ec.ECDSA(SHA256()))
    claims = json.loads(raw(signed.partition(".")[2]))
    assert claims["aud"] == endpoint.removesuffix("/push/abc")
    assert delivery.sent_at
    assert delivery.delivered_at


@pytest.mark.parametrize("status", [404, 410])
def test_a_device_that_is_gone_is_rested_and_shown_at_once(status):
    user, device = person("supervisor"), Device()
    device.status = status
    with push_service(device) as endpoint:
        channel = Channel.objects.create(user=user, kind="push", address=endpoint, keys=device.keys)
        write(user)
        delivery = carried(channel)
    channel.refresh_from_db()
    assert not channel.enabled
    assert delivery.parked_at
    assert str(status) in delivery.reason
    assert delivery.attempts == 1


@pytest.mark.parametrize(("status", "came"), [(500, 1), (307, 1)])
def test_a_push_service_that_fails_or_points_elsewhere_is_tried_again_and_never_followed(status, came):
    user, device = person("supervisor"), Device()
    device.status = status
    with push_service(device) as endpoint:
        channel = Channel.objects.create(user=user, kind="push", address=endpoint, keys=device.keys)
        write(user)
        delivery = carried(channel)
    assert len(device.came) == came
    assert (delivery.sent_at, delivery.parked_at, delivery.reason) == (None, None, f"answered {status}")
    assert delivery.next_try_at > AT


@pytest.mark.parametrize("kind", ["push", "wecom", "sms"])
def test_nothing_is_sent_to_a_private_address(settings, kind):
    settings.EGRESS_ALLOW = []
    user, device = person("supervisor"), Device()
    with push_service(device) as endpoint:
        settings.NOTICE_SMS_GATEWAY = endpoint
        address = "13800000000" if kind == "sms" else endpoint
        channel = Channel.objects.create(user=user, kind=kind, address=address, keys=device.keys)
        write(user)
        delivery = carried(channel)
    assert device.came == []
    assert "private address" in delivery.reason


@pytest.mark.parametrize("kind", ["wecom", "dingtalk"])
def test_a_group_robot_hears_a_rung_once_of_its_department_and_area_alone(kind):
    fire, roads = (Department.objects.create(code=code, area_code="370502", name_zh=code) for code in ("fire", "roads"))
    people = [person("supervisor"), person("supervisor")]
    with http_receiver() as (hook, address):

        def robot(n, **more):
            return Channel.objects.create(kind=kind, address=f"{address}?key={n}", **more)

        mine, theirs = robot(1, department=fire), robot(2, department=roads)
        county, elsewhere = robot(3, area_code="370502"), robot(4, area_code="370503")
        write(*people, group=("370502001001001", fire.pk))
        write(*people, group=("370502001001001", fire.pk))
        deliveries = [carried(mine), carried(county)]
    assert not Delivery.objects.filter(channel__in=[theirs, elsewhere]).exists()
    assert [body["msgtype"] for _headers, body in hook.taken] == ["text", "text"]
    for _headers, body in hook.taken:
        assert "YH-20261123-00001" in body["text"]["content"]
    assert all(delivery.delivered_at for delivery in deliveries)


def test_a_robot_that_refuses_with_200_and_a_code_is_tried_again_until_it_is_parked_and_shown(client):
    user = person("supervisor")
    with refusing_robot() as address:
        channel = Channel.objects.create(user=user, kind="wecom", address=address)
        write(user)
        delivery = carried(channel)
        assert delivery.reason == "93000 invalid webhook url"
        while not delivery.parked_at:
            Delivery.objects.update(next_try_at=AT)
            delivery = carried(channel)
    client.force_login(user)
    page = client.get("/notices/channels/").content.decode()
    assert "93000 invalid webhook url" in page
    assert address not in page  # a robot's address is its key
    assert unpark(Delivery.objects.all(), at=AT) == 1


@contextmanager
def refusing_robot():
    class Door(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            said = b'{"errcode": 93000, "errmsg": "invalid webhook url"}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *args):
            """Say nothing in the test's output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/cgi-bin/webhook/send?key=secret"
    finally:
        server.shutdown()
        server.server_close()


def hmac_sha256(key, message):
    """HMAC as RFC 2104 writes it down."""
    key = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + message).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in key) + inner).digest()


@contextmanager
def signing_robot(secret):
    """A robot that takes only calls that are signed as DingTalk asks, within an hour."""
    came = []

    class Door(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            asked = parse_qs(urlsplit(self.path).query, strict_parsing=True)
            came.append(asked)
            [moment], [sign] = asked.get("timestamp", ["0"]), asked.get("sign", [""])
            fits = base64.b64decode(sign) == hmac_sha256(secret.encode(), f"{moment}\n{secret}".encode())
            said = {"errcode": 0, "errmsg": "ok"} if fits else {"errcode": 310000, "errmsg": "sign not match"}
            if fits and abs(time.time() * 1000 - int(moment)) > 3600_000:
                said = {"errcode": 310000, "errmsg": "timestamp is too old"}
            body = json.dumps(said).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            """Say nothing in the test's output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/robot/send?access_token=abcdef", came
    finally:
        server.shutdown()
        server.server_close()


def test_the_signature_is_that_of_openssl():
    # printf '1700000000000\nthis is secret' | openssl dgst -sha256 -hmac 'this is secret' -binary | base64
    expected = base64.b64decode("sSFWELbV2YwjdDQhWZwTcWlX5BWUx5J6TPpsZmuPii0=")
    assert hmac_sha256(b"this is secret", b"1700000000000\nthis is secret") == expected
    channel = Channel(
        kind="dingtalk", address="https://robot.example/send?access_token=a", keys={"secret": "this is secret"}
    )
    with time_machine.travel(datetime.fromtimestamp(1_700_000_000, UTC), tick=False):
        assert _signed(channel) == (
            "https://robot.example/send?access_token=a&timestamp=1700000000000"
            "&sign=sSFWELbV2YwjdDQhWZwTcWlX5BWUx5J6TPpsZmuPii0%3D"
        )
    channel.kind = "wecom"
    assert _signed(channel) == channel.address


@pytest.mark.parametrize("secret", ["SEC0123456789abcdef", "SEC+/=&密"])
def test_a_signed_robot_takes_what_is_signed_with_its_secret_and_says_what_is_not(secret):
    user = person("supervisor")
    with signing_robot(secret) as (address, came):
        signed = Channel.objects.create(user=user, kind="dingtalk", address=address, keys={"secret": secret})
        bare = Channel.objects.create(user=user, kind="dingtalk", address=f"{address}&n=2")
        other = Channel.objects.create(
            user=user, kind="dingtalk", address=f"{address}&n=3", keys={"secret": "SECother"}
        )
        write(user)
        assert carried(signed).delivered_at
        assert (carried(bare).reason, carried(other).reason) == ("310000 sign not match",) * 2
    assert came[0]["access_token"] == ["abcdef"]


def test_a_secret_is_asked_for_dingtalk_alone_and_never_shown_again(client):
    user = person("supervisor")
    client.force_login(user)
    client.cookies["django_language"] = "en"
    robot = {"kind": "dingtalk", "address": "https://robot.example/send?access_token=abcdef", "secret": "SECabc123"}
    refused = client.post("/notices/channels/", {**robot, "kind": "wecom"}).content.decode()
    assert "Only DingTalk robots are signed" in refused and not Channel.objects.exists()
    page = client.post("/notices/channels/", robot, follow=True).content.decode()
    assert Channel.objects.get().keys == {"secret": "SECabc123"}
    assert "SECabc123" not in page


def test_the_administrator_gives_a_group_robot_its_secret_and_an_empty_field_leaves_it(client):
    client.force_login(person("administrator", area="3705"))
    robot = {
        "area_code": "370502", "kind": "dingtalk", "address": "https://robot.example/send?access_token=abcdef",
        "secret": "SECabc123", "enabled": "on",
    }  # fmt: skip
    assert client.post("/admin/notices/channel/add/", robot).status_code == 302
    channel = Channel.objects.get()
    page = f"/admin/notices/channel/{channel.pk}/change/"
    assert "SECabc123" not in client.get(page).content.decode()
    assert client.post(page, {"secret": "", "enabled": ""}).status_code == 302
    channel.refresh_from_db()
    assert (channel.keys, channel.enabled) == ({"secret": "SECabc123"}, False)
    client.post(page, {"secret": "SECnew", "enabled": "on"})
    channel.refresh_from_db()
    assert channel.keys == {"secret": "SECnew"}


def test_a_text_message_goes_through_the_citys_gateway(settings):
    user = person("supervisor")
    with http_receiver() as (hook, address):
        settings.NOTICE_SMS_GATEWAY = address
        channel = Channel.objects.create(user=user, kind="sms", address="13800000000")
        write(user)
        delivery = carried(channel)
    [(headers, body)] = hook.taken
    assert body == {"id": str(delivery.pk), "to": "13800000000", "text": "Escalated: Blocked escape route"}
    assert headers["x-citysafety-delivery"] == str(delivery.pk)


def test_a_rung_goes_only_by_the_channels_it_names():
    user = person("supervisor")
    for kind in ("webhook", "sms", "push"):
        Channel.objects.create(user=user, kind=kind, address=f"https://{kind}.example/", keys={"x": 1})
    write(user, channels=["sms", "email"])
    assert [one.channel.kind for one in Delivery.objects.all()] == ["sms"]
    write(user, key="up:2", channels=[])
    assert Delivery.objects.count() == 1
    assert Notice.objects.count() == 2


# -- the button and the states -----------------------------------------------------------------------


def asked(device, endpoint="https://push.example/v1/abc", **more):
    return {"endpoint": endpoint, **device.keys, **more}


def test_a_device_is_remembered_for_one_person_and_forgotten_on_demand(client):
    first, second, device = person("supervisor"), person("supervisor"), Device()
    client.force_login(first)
    assert 'data-key="' in client.get("/notices/").content.decode()
    for _n in range(2):
        assert client.post("/notices/devices/", asked(device)).status_code == 204
    [channel] = first.notice_channels.all()
    assert channel.keys == device.keys
    client.force_login(second)
    assert client.post(f"/notices/channels/{channel.pk}/remove/").status_code == 404
    client.post("/notices/devices/", asked(device))  # the phone has changed hands
    channel.refresh_from_db()
    assert (channel.enabled, channel.keys) == (False, {})
    mine = second.notice_channels.get()
    assert mine.enabled
    client.post(f"/notices/channels/{mine.pk}/remove/")
    mine.refresh_from_db()
    assert (mine.enabled, mine.keys, mine.address) == (False, {}, f"removed {mine.pk}")
    assert "push.example" not in client.get("/notices/channels/").content.decode()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"endpoint": "http://push.example/"}, "“http://push.example/” is no address of a push service"),
        ({"endpoint": ""}, "expected https://"),
        ({"auth": "abc"}, "The key auth has 2 bytes; expected 16."),
        ({"p256dh": "%"}, "The key p256dh has 0 bytes; expected 65."),
    ],
)
def test_what_is_no_subscription_is_refused_in_words(client, wrong, words):
    client.force_login(person("supervisor"))
    client.cookies["django_language"] = "en"
    answer = client.post("/notices/devices/", {**asked(Device()), **wrong})
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not Channel.objects.exists()


def test_without_a_key_there_is_no_button_and_no_door(client, settings):
    settings.VAPID_PRIVATE_KEY = ""
    client.force_login(person("supervisor"))
    assert "data-push-said" in client.get("/notices/").content.decode()
    assert "data-key=" not in client.get("/notices/").content.decode()
    assert client.post("/notices/devices/", asked(Device())).status_code == 404


def test_the_script_of_the_device_lies_at_the_root(client):
    answer = client.get("/push-worker.js")
    assert answer["Content-Type"].startswith("text/javascript")
    assert b"showNotification" in answer.content


def test_sent_delivered_opened_and_signed_for_each_have_their_time_and_are_shown(client):
    user = person("supervisor", language="en")
    with http_receiver() as (_hook, address):
        channel = Channel.objects.create(user=user, kind="webhook", address=address)
        write(user)
        carried(channel)
    client.force_login(user)
    notice = Notice.objects.get()
    assert client.post(f"/api/v1/notices/{notice.pk}/read/").json()["signed_at"] is None
    first = client.post(f"/api/v1/notices/{notice.pk}/sign/").json()["signed_at"]
    assert client.post(f"/notices/{notice.pk}/sign/").url == "/notices/"
    assert client.post(f"/api/v1/notices/{notice.pk}/sign/").json()["signed_at"] == first is not None
    delivery = Delivery.objects.get()
    assert delivery.sent_at <= delivery.delivered_at <= delivery.opened_at <= delivery.receipt_at
    client.cookies["django_language"] = "en"
    page = client.get("/notices/").content.decode()
    for word in ("Webhook: sent", "delivered", "opened", "signed for", "Signed for"):
        assert word in page
