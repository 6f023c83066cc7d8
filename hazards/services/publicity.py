"""Words that may reach the public: none of them holds a telephone or an identity number."""

import re

from django.utils.translation import gettext as _

from citysafety.accounts.roles import Role

from ..models import Hazard, public

# The steps whose words whoever has the code of a public report reads.
ANSWERS = ("refuse", "deny_reopening")
OURS = re.compile(r"\b[A-Z]{1,4}-\d{8}-\d{5,}\b")  # numbers of cases, inspections, lists
# Seven digits and more in a row are of a telephone or a person; a mobile is one too when it is written in groups.
A_NUMBER = re.compile(r"\d{7,}|(?<!\d)1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)|(?<!\d)0\d{2,3}[ -]\d{3,4}[ -]?\d{4}(?!\d)")


def tells_a_number(text: str) -> bool:
    """Test whether a text holds a telephone or an identity number; a case's own number is none."""
    return bool(A_NUMBER.search(OURS.sub("", text)))


def answer_fault(action: str, hazard: Hazard, words: str) -> str:
    """Say why the words of a step cannot be shown to the public; empty where they can, or nobody of the public reads them.

    Queries: 1 where the words hold a number and an operator did not take the report.
    """
    if action not in ANSWERS or not tells_a_number(words) or not _has_public_reader(hazard):
        return ""
    return _(
        "Who reported it from the public reads these words: no telephone or identity numbers. Name the office, or how to reach it in general."
    )


def _has_public_reader(hazard: Hazard) -> bool:
    """Test whether it, or what was merged into it, came from the public: by its pages, by Open311, or by a call."""
    if hazard.reporter.role == Role.OPERATOR:
        return True
    reports = public.PublicReport.objects
    return reports.filter(hazard=hazard).exists() or reports.filter(hazard__merged_into=hazard.pk).exists()
