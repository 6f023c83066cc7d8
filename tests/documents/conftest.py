"""A kind of document with a wording, and drafts of it."""

from collections.abc import Callable
from typing import Any

import pytest

from citysafety.documents import services
from citysafety.documents.models import Document
from tests.factories import NOON

WORDS = {"what": "疏散通道堵塞", "unit": "东营区消防大队", "due": "11 月 20 日 9 时"}


@pytest.fixture
def drafted(db) -> Callable[..., Document]:
    """Draft a document; words may be given in place of the usual ones."""
    services.ensure_kind(
        "notice",
        at=NOON,
        name_zh="督办单",
        name_en="Overdue notice",
        mark="东安办督",
        issuer_zh="东营市安全生产委员会办公室",
        issuer_en="Office of the Work Safety Committee",
        title="关于{what}整改逾期的督办单",
        body="**一、事由。**{what}，应于 {due} 前完成。\n**二、要求。**请{unit}于 3 个工作日内书面回复。",
    )

    def draft(**more: Any) -> Document:
        words = WORDS | more
        return services.draft(
            kind="notice", subject=("hazard", "1"), area_code="370502", words=words, addressee=words["unit"], at=NOON
        )

    return draft
