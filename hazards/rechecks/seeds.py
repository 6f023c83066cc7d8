"""The first rules of re-checks: illustrative; people change them in the administration."""

from datetime import date

from .models import RecheckRule

OWN_RULE = "本市规则（示例）"
RULES = (  # severity, only what was left to sampling, percent, at least, how often, days
    ("", False, 1, 2, "week", 7),
    ("major", False, 20, 2, "month", 10),
    ("", True, 10, 3, "week", 5),
)


def seed_rechecks(*, since: date) -> None:
    """Make the rules where they are missing. Queries: 2 a row."""
    for severity, sampled, percent, at_least, every, days in RULES:
        figures = {"percent": percent, "at_least": at_least, "every": every, "days": days}
        RecheckRule.objects.get_or_create(
            severity=severity, sampled=sampled, matter=None, matter_class=None, area_code="",
            defaults={**figures, "since": since, "basis": OWN_RULE},
        )  # fmt: skip
