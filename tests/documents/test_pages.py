"""The page that proves a document: open to all, and silent about what the document says."""

import pytest
from django.urls import reverse

from citysafety.documents import services
from citysafety.documents.wording import BadWording, check, fill, places
from tests.factories import NOON

from .conftest import WORDS
from .test_services import issued


@pytest.fixture
def document(drafted):
    return issued(drafted())


def test_who_holds_a_document_can_have_it_proven_without_signing_in(client, document):
    answer = client.get(reverse("verify-code", args=[document.code.lower()]))
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "东安办督〔2026〕1 号" in page
    assert document.sealed_id in page
    for secret in (*WORDS.values(), document.signed_by.username, document.title):
        assert secret not in page


def test_a_withdrawn_document_says_so(client, document):
    services.withdraw(document.pk, reason="责任单位有误", at=NOON)
    page = client.get(reverse("verify-code", args=[document.code])).content.decode()
    assert "撤回" in page
    assert "责任单位有误" not in page


@pytest.mark.parametrize("code", ["ABCDEFGHJKLM", "0", "x" * 80])
def test_any_other_code_proves_nothing(client, document, code):
    assert client.get(reverse("verify-code", args=[code])).status_code == 404


def test_a_draft_is_not_proven(client, drafted):
    prepared = services.prepare(drafted().pk, by=None, at=NOON)
    assert client.get(reverse("verify-code", args=[prepared.code])).status_code == 404
    assert client.get(reverse("verify")).status_code == 200


def test_places_of_a_wording_are_plain_names():
    assert places("关于{what}，{due} 前") == ["what", "due"]
    assert fill("{what}", {"what": "{due}", "more": "x"}) == "{due}"
    for bad in ("{", "{0}", "{a.b}", "{a[0]}", "{a!r}", "{a:>9}", "{}"):
        with pytest.raises(BadWording):
            check(bad, ["a"])
