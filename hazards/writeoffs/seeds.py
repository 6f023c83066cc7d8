"""The signatures that write-off lists need at first; people change them in the administration."""

from .models import SigningRule

OWN_RULE = "本市规则（示例）：责任部门负责人、督办人员共同签字"


def seed_signatures() -> None:
    """Ask for the lead of the department and a supervisor where nothing is asked yet. Queries: 1 or 2."""
    if not SigningRule.objects.exists():
        SigningRule.objects.bulk_create(
            [
                SigningRule(position=1, role="department_handler", must_be_head=True, basis=OWN_RULE),
                SigningRule(position=2, role="supervisor", basis=OWN_RULE),
            ]
        )
