"""The life of an overdue notice (督办单), from its draft to the accepted reply: one row per lawful step."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop, pgettext_lazy

from citysafety.lifecycle import Lifecycle, Step


class NoticeState(models.TextChoices):
    """Where an overdue notice stands."""

    DRAFT = "draft", _("Draft")
    REVIEW = "review", _("For second signature")
    ISSUED = "issued", pgettext_lazy("state", "Issued")
    RECEIVED = "received", pgettext_lazy("notice", "Received")
    ANSWERED = "answered", _("Answered")
    CLOSED = "closed", _("Answer accepted")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    DISCARDED = "discarded", _("Not issued")


S = NoticeState
ENDED = frozenset({S.CLOSED, S.WITHDRAWN, S.DISCARDED})
LIVE = frozenset(S.values) - ENDED
AWAITS_REPLY = frozenset({S.ISSUED, S.RECEIVED})

SUPERVISOR = ("supervisor:area",)
SECOND = ("supervisor:area,not_first_signer",)
UNIT = ("department_handler:department",)

LIFECYCLE = Lifecycle(
    Step(
        S.DRAFT, "submit", S.REVIEW, gettext_noop("first signature: a major hazard needs a second person"), SUPERVISOR,
        label=_("Send for second signature"),
    ),
    Step(S.DRAFT, "issue", S.ISSUED, gettext_noop("signed and issued"), SUPERVISOR, label=_("Sign and issue")),
    Step(
        S.DRAFT, "discard", S.DISCARDED, gettext_noop("not issued, with the reason"), SUPERVISOR, requires=("reason",),
        label=_("Do not issue"),
    ),
    Step(
        S.REVIEW, "issue", S.ISSUED, gettext_noop("second signature: issued"), SECOND, label=_("Sign and issue"),
    ),
    Step(
        S.REVIEW, "send_back", S.DRAFT, gettext_noop("sent back to its drafter, with the reason"), SUPERVISOR,
        requires=("reason",), label=_("Send back"),
    ),
    Step(S.ISSUED, "receive", S.RECEIVED, gettext_noop("received by the unit"), UNIT, label=_("Sign for receipt")),
    Step(
        S.RECEIVED, "answer", S.ANSWERED, gettext_noop("answered in writing, with evidence"), UNIT,
        requires=("words", "photo:answer"), label=_("Answer"),
    ),
    Step(
        S.ANSWERED, "accept_answer", S.CLOSED, gettext_noop("the answer is accepted: closed"), SUPERVISOR,
        label=_("Accept the answer"),
    ),
    Step(
        S.ANSWERED, "reject_answer", S.RECEIVED, gettext_noop("the answer is not accepted, with the reason"), SUPERVISOR,
        requires=("reason",), label=_("Reject the answer"),
    ),
    *(
        Step(
            state, "withdraw", S.WITHDRAWN, gettext_noop("formally withdrawn, with the reason"), SUPERVISOR,
            requires=("reason",), label=_("Withdraw"),
        )
        for state in (S.ISSUED, S.RECEIVED, S.ANSWERED)
    ),
)  # fmt: skip
