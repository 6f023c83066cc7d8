"""Which rule of re-checks holds for a closed case."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from .models import RecheckRule


@dataclass(frozen=True, slots=True)
class Closed:
    """A closing as rules look at it."""

    closing: UUID
    hazard: UUID
    matter: int
    matter_class: int
    severity: str
    area: str
    sampled: bool


def rules_in_force() -> list[RecheckRule]:
    """Return the rules that are active. Queries: 1."""
    return list(RecheckRule.objects.filter(active=True).select_related("matter", "matter_class").order_by("pk"))


def fits(rule: RecheckRule, case: Closed) -> bool:
    """Test whether a rule speaks of a case."""
    return (
        rule.matter_id in (None, case.matter)
        and rule.matter_class_id in (None, case.matter_class)
        and rule.severity in ("", case.severity)
        and case.area.startswith(rule.area_code)
        and (case.sampled or not rule.sampled)
    )


def rule_of(case: Closed, rules: Iterable[RecheckRule]) -> RecheckRule | None:
    """Return the rule that says most of a case: left to sampling before matter, class, severity and the smallest area."""
    return max((rule for rule in rules if fits(rule, case)), key=_weight, default=None)


def _weight(rule: RecheckRule) -> tuple[bool, bool, bool, bool, int, int]:
    known = (rule.matter_id is not None, rule.matter_class_id is not None, bool(rule.severity))
    return (rule.sampled, *known, len(rule.area_code), -rule.pk)
