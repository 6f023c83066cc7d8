"""The inbox by page and API: own notices only, unread count, reading."""

from datetime import UTC, datetime

import pytest

from citysafety.notices import topics
from citysafety.notices.models import Channel, Notice
from tests.accounts.people import person

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _topics():
    topics.register("test.one", label="One", title="Case %(number)s", path="/account/")
    topics.register("test.evil", label="Evil", title="Evil", path="https://evil.example/")
    yield
    del topics.TOPICS["test.one"], topics.TOPICS["test.evil"]


def notice(user, n=1, topic="test.one", **more):
    return Notice.objects.create(
        recipient=user, topic=topic, params={"number": f"YH-{n}"}, source_key=f"{topic}:{n}", created_at=AT, **more
    )


def test_the_inbox_shows_the_own_notices_newest_first_and_the_unread_count(client):
    user = person("dispatcher")
    notice(user, 1, read_at=AT)
    notice(user, 2)
    notice(person("dispatcher"), 3)
    client.force_login(user)
    page = client.get("/notices/").content.decode()
    assert page.index("YH-2") < page.index("YH-1")
    assert "YH-3" not in page
    assert client.get("/notices/").context["unread_count"] == 1
    unread = client.get("/notices/?unread=1").content.decode()
    assert "YH-2" in unread
    assert "YH-1" not in unread
    assert "<b>1</b>" in client.get("/notices/unread/").content.decode()


def test_empty_inboxes_say_why(client):
    user = person("dispatcher")
    client.force_login(user)
    assert 'class="empty"' in client.get("/notices/").content.decode()
    notice(user, read_at=AT)
    assert 'class="empty"' in client.get("/notices/?unread=1").content.decode()


@pytest.mark.parametrize("rows", [1, 3])
def test_the_inbox_costs_the_same_for_one_row_and_for_three(client, django_assert_num_queries, rows):
    user = person("dispatcher")
    for n in range(rows):
        notice(user, n, level=1)
    client.force_login(user)
    client.get("/notices/")
    with django_assert_num_queries(6):  # user · unread · page count · page · deliveries · unread in the bar
        client.get("/notices/")


def test_opening_marks_read_and_leads_to_the_record_and_never_to_another_site(client):
    user = person("dispatcher")
    client.force_login(user)
    assert client.post(f"/notices/{notice(user).pk}/open/").url == "/account/"
    assert client.post(f"/notices/{notice(user, 2, topic='test.evil').pk}/open/").url == "/notices/"
    assert not Notice.objects.unread().exists()


def test_other_peoples_notices_do_not_exist(client):
    foreign = notice(person("dispatcher"))
    client.force_login(person("dispatcher"))
    assert client.post(f"/notices/{foreign.pk}/open/").status_code == 404
    assert client.get(f"/api/v1/notices/{foreign.pk}/").status_code == 404
    assert client.post(f"/api/v1/notices/{foreign.pk}/read/").status_code == 404
    client.post("/notices/read-all/")
    assert Notice.objects.unread().count() == 1


def test_the_api_lists_counts_filters_and_reads(client):
    user = person("dispatcher")
    first, second = notice(user, 1), notice(user, 2, level=1)
    client.force_login(user)
    page = client.get("/api/v1/notices/").json()
    assert [row["id"] for row in page["results"]] == [second.pk, first.pk]
    assert page["results"][0]["title"] == "Case YH-2"
    assert client.get("/api/v1/notices/count/?level=1").json() == {"count": 1}
    read = client.post(f"/api/v1/notices/{first.pk}/read/").json()
    again = client.post(f"/api/v1/notices/{first.pk}/read/").json()
    assert read["read_at"] == again["read_at"] is not None
    assert client.get("/api/v1/notices/count/?unread=true").json() == {"count": 1}


@pytest.mark.parametrize(
    ("kind", "address", "good"),
    [
        ("webhook", "https://hook.example/take", True),
        ("webhook", "javascript:alert(1)", False),
        ("webhook", "https://user:secret@hook.example/", False),
        ("webhook", "not an address", False),
        ("email", "me@city.example", False),  # no mail server is set, so the kind is not offered
    ],
)
def test_a_channel_needs_an_address_of_its_kind(client, kind, address, good):
    client.force_login(person("dispatcher"))
    client.post("/notices/channels/", {"kind": kind, "address": address})
    assert Channel.objects.exists() == good


def test_a_channel_is_switched_by_its_owner_only(client):
    owner = person("dispatcher")
    channel = Channel.objects.create(user=owner, kind="webhook", address="https://hook.example/")
    client.force_login(person("dispatcher"))
    assert client.post(f"/notices/channels/{channel.pk}/switch/").status_code == 404
    client.force_login(owner)
    client.post(f"/notices/channels/{channel.pk}/switch/")
    channel.refresh_from_db()
    assert not channel.enabled
