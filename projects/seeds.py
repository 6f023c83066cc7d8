"""The first wording of the overdue notice and the first rules of supervision; people change them in the administration."""

from datetime import datetime

from citysafety.documents.services import ensure_kind
from grid.models import City

from .models import SupervisionRule
from .services.drafting import KIND

TITLE = "关于“{what}”{grade}隐患\n{stage}逾期的督办单"
BODY = """**一、事由。**{found}，{where}登记{grade}隐患“{what}”（编号 {number}），{stage}时限 {limit}，应于 {due}前完成。截至 {now}，已超期 {over}。
**二、依据。**{basis}；{law}。
**三、要求。**（一）{unit}应立即组织整改，隐患排除前落实安全防范措施。（二）整改责任、措施、资金、时限、预案逐项落实到人。（三）整改完成后由整改责任人以外的人员现场复查，复查附现场照片。
**四、回复。**请于 {reply}前书面回复整改进展并附现场照片；逾期未复的，报市安全生产委员会领导。"""
LAW = "《安全生产事故隐患排查治理暂行规定》（国家安全监管总局令第 16 号）"
RULES = (
    {"severity": "general", "over_amount": 1, "over_unit": "work_days", "reply_amount": 3, "second_signature": False},
    {"severity": "major", "over_amount": 1, "over_unit": "work_hours", "reply_amount": 2, "second_signature": True},
)


def seed_supervision(*, at: datetime) -> None:
    """Make the kind of document, its wording and the rules where they are missing. Queries: 9."""
    city = City.objects.first()
    name_zh, name_en = (city.name_zh, city.name_en) if city else ("", "")
    ensure_kind(
        KIND,
        at=at,
        title=TITLE,
        body=BODY,
        name_zh="督办单",
        name_en="Overdue notice",
        mark=f"{name_zh[:1]}安办督",
        issuer_zh=f"{name_zh}安全生产委员会办公室",
        issuer_en=f"Office of the {name_en} Work Safety Committee".replace("  ", " "),
    )
    for rule in RULES:
        more = {"reply_unit": "work_days", "climb_amount": 2, "climb_unit": "work_days", "basis": LAW}
        SupervisionRule.objects.get_or_create(severity=rule["severity"], defaults={**rule, **more})
