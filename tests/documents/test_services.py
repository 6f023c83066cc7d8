"""Documents from draft to withdrawal: numbers unique and without silent gaps, the signed bytes the seen ones."""

import threading
from datetime import UTC, datetime, timedelta

import pypdfium2
import pytest
from django.db import InternalError, connections, transaction

from citysafety.documents import selectors, services
from citysafety.documents.models import Document, Number, Sealed
from citysafety.documents.pdf import MissingGlyphs, pictures
from citysafety.documents.wording import BadWording
from tests.factories import NOON, person

LATER = NOON + timedelta(minutes=10)


def text_of(pdf: bytes) -> str:
    with pypdfium2.PdfDocument(pdf) as document:
        return "".join(page.get_textpage().get_text_range() for page in document)


def issued(document: Document, *, at: datetime = NOON) -> Document:
    signer = person("supervisor")
    prepared = services.prepare(document.pk, by=signer, at=at)
    return services.sign(document.pk, sha256=prepared.sealed_id, by=signer, at=at)


def test_a_draft_has_no_number_and_says_that_it_is_one(drafted):
    document = drafted()
    text = text_of(services.preview(document, at=NOON))
    assert document.full_number == ""
    assert "签发时取号" in text
    assert "草" in text
    assert "疏散通道堵塞，应于 11 月 20 日 9 时 前完成" in text.replace("\r\n", "")


def test_what_is_signed_is_what_was_seen_byte_for_byte(drafted):
    document, signer = drafted(), person("supervisor")
    services.prepare(document.pk, by=signer, at=NOON)
    seen = services.preview(Document.objects.select_related("sealed").get(pk=document.pk), at=LATER)
    sha256 = Document.objects.get(pk=document.pk).sealed_id
    with pytest.raises(services.OtherBytes):
        services.sign(document.pk, sha256="0" * 64, by=signer, at=LATER)
    done = services.sign(document.pk, sha256=sha256, by=signer, at=LATER)

    assert (done.state, done.full_number) == ("issued", "东安办督〔2026〕1 号")
    assert services.preview(done, at=LATER + timedelta(days=9)) == seen == bytes(Sealed.objects.get().data)
    assert "东安办督〔2026〕1 号" in text_of(seen)
    assert Number.objects.get().state == Number.State.USED


def test_what_was_not_signed_leaves_a_void_number_with_its_reason(drafted):
    document = drafted()
    services.prepare(document.pk, by=person("supervisor"), at=NOON)
    back = services.put_back(document.pk, reason="措辞须改", at=LATER)
    again = issued(document)

    assert (back.state, back.full_number, back.code) == ("draft", "", "")
    assert again.number == 2
    rows = selectors.register("notice", 2026)
    assert [(row.number, row.state, row.reason) for row in rows] == [(2, "used", ""), (1, "void", "措辞须改")]
    assert selectors.gaps("notice", 2026) == []


def test_what_lies_unsigned_for_half_an_hour_goes_back_by_itself(drafted):
    document, other = drafted(), drafted()
    services.prepare(document.pk, by=person("supervisor"), at=NOON)
    issued(other)
    assert services.put_back_unsigned(at=NOON + services.SIGN_WITHIN) == 0
    assert services.put_back_unsigned(at=NOON + services.SIGN_WITHIN + timedelta(seconds=1)) == 1
    assert services.put_back_unsigned(at=NOON + timedelta(days=1)) == 0
    assert Document.objects.get(pk=document.pk).state == "draft"


def test_a_character_that_the_fonts_lack_is_named_and_takes_no_number(drafted):
    document, signer = drafted(unit="\U00031350某单位"), person("supervisor")
    with pytest.raises(MissingGlyphs, match="U\\+31350"):
        services.prepare(document.pk, by=signer, at=NOON)
    assert not Number.objects.exists()
    assert Document.objects.get(pk=document.pk).state == "draft"
    assert issued(drafted()).number == 1


def test_a_withdrawn_document_keeps_its_number_and_its_bytes(drafted):
    document = issued(drafted())
    gone = services.withdraw(document.pk, reason="责任单位有误", at=LATER)
    assert (gone.state, gone.number, gone.sealed_id) == ("withdrawn", 1, document.sealed_id)
    assert issued(drafted()).number == 2
    with pytest.raises(services.WrongState):
        services.withdraw(document.pk, reason="再次", at=LATER)


def test_numbers_begin_anew_each_year_of_the_city(drafted):
    last = issued(drafted(), at=datetime(2026, 12, 31, 15, 59, tzinfo=UTC))
    first = issued(drafted(), at=datetime(2026, 12, 31, 16, 0, tzinfo=UTC))
    assert (last.full_number, first.full_number) == ("东安办督〔2026〕1 号", "东安办督〔2027〕1 号")


def test_what_is_sealed_or_given_is_not_taken_back_in_the_database(drafted):
    issued(drafted())
    for rows, change in ((Sealed.objects.all(), {"size": 1}), (Number.objects.all(), None)):
        with pytest.raises(InternalError), transaction.atomic():
            rows.update(**change) if change else rows.delete()


@pytest.mark.parametrize("step", [services.prepare, services.sign, services.put_back, services.withdraw])
def test_each_step_is_open_from_one_state_only(drafted, step):
    discarded = services.discard(drafted().pk, at=NOON)
    more = {
        services.prepare: {"by": None},
        services.sign: {"sha256": "", "by": None},
        services.put_back: {"reason": "x"},
        services.withdraw: {"reason": "x"},
    }[step]
    with pytest.raises(services.WrongState):
        step(discarded.pk, at=LATER, **more)


def test_a_wording_without_its_words_is_refused(drafted):
    drafted()
    with pytest.raises(BadWording, match="due"):
        services.draft(
            kind="notice",
            subject=("hazard", "1"),
            area_code="370502",
            words={"what": "x", "unit": "y"},
            addressee="y",
            at=NOON,
        )
    with pytest.raises(services.NoWording):
        services.draft(kind="bulletin", subject=("x", "1"), area_code="370502", words={}, addressee="y", at=NOON)


def test_a_page_shows_the_bytes_as_a_picture_with_ink_on_it(drafted):
    document = issued(drafted())
    [page] = pictures(bytes(document.sealed.data), width_px=600)
    assert page.startswith(b"\x89PNG")
    assert len(page) > 10_000


@pytest.mark.django_db(transaction=True)
def test_d1_twenty_who_sign_at_once_get_twenty_numbers_without_a_gap(drafted, say):
    documents = [drafted() for _ in range(20)]
    signer = person("supervisor")
    failed: list[Exception] = []

    def work(document: Document, number: int) -> None:
        try:
            prepared = services.prepare(document.pk, by=signer, at=NOON)
            if number % 5 == 4:
                services.put_back(document.pk, reason="不签", at=NOON)
            else:
                services.sign(document.pk, sha256=prepared.sealed_id, by=signer, at=NOON)
        except Exception as error:
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=pair) for pair in zip(documents, range(20), strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    rows = list(selectors.register("notice", 2026))
    used = sorted(document.number for document in Document.objects.filter(state="issued"))
    say(f"D1: {len(rows)} numbers for 20 signers at once, {len(used)} used, gaps {len(selectors.gaps('notice', 2026))}")
    assert failed == []
    assert sorted(row.number for row in rows) == list(range(1, 21))
    assert used == sorted(row.number for row in rows if row.state == "used")
    assert [row.reason for row in rows if row.state == "void"] == ["不签"] * 4
