"""The first checklists, rules and grades of risk: illustrative, with their source; people change them in the administration."""

from datetime import date

from citysafety.accounts.models import Department
from grid.models import Matter, PremisesKind

from .models import CheckedKind, Checklist, ChecklistVersion, Item, RiskGrade, RiskRule

FIRE = "九小场所消防安全“十条”检查要点（示例，据公开宣传材料整理；条款以现行标准为准）"
FIRE_LAW = "《中华人民共和国消防法》"
CAMPUS = "校园安全检查要点（示例，据《中小学、幼儿园安全技术防范系统要求》GB/T 29315 等整理；条款以现行标准为准）"
OWN_RULE = "本市规则（示例）"
IN_FORCE = date(2026, 1, 1)
NOT_EXIT = "《重大火灾隐患判定方法》GB 35181：安全出口锁闭、封堵（示例）"
NO_LIVING = "《重大火灾隐患判定方法》GB 35181：违规住人（示例）"
PANELS = "《重大火灾隐患判定方法》GB 35181：易燃可燃夹芯彩钢板（示例）"

# code, matter, severity and criterion of a major one, may be not applicable, Chinese, English, clause
TEN_POINTS = (
    ("fire-01", "XF-007", "", False, "灭火器配置在门口等明显处，压力正常、在有效期内", "Extinguishers at the door, in date and under pressure", "GB 50444"),
    ("fire-02", "XF-013", "", False, "应急照明灯完好，断电能亮", "Emergency light in order, lit when the power fails", "GB 51309"),
    ("fire-03", "XF-014", "", False, "安全出口、疏散指示标志完好、不被遮挡", "Exit signs in order and in sight", "GB 51309"),
    ("fire-04", "XF-008", "", True, "独立式感烟火灾探测报警器安装到位、工作正常", "Smoke alarm fitted and working", "GB 20517"),
    ("fire-05", "XF-038", "", False, "员工“一懂三会”：懂火灾危险，会报警、会灭火、会逃生", "Staff know the danger, can call, extinguish and evacuate", f"{FIRE_LAW} 第十六条"),
    ("fire-06", "XF-027", NO_LIVING, False, "经营场所内不住人", "Nobody lives in the premises", f"{FIRE_LAW} 第十九条"),
    ("fire-07", "XF-002", NOT_EXIT, False, "安全出口、疏散通道畅通，不锁闭、不堵塞", "Exits and escape routes neither locked nor blocked", f"{FIRE_LAW} 第二十八条"),
    ("fire-08", "XF-030", "", False, "门窗不设影响逃生的防盗网、广告牌", "No window bars or signboards that hinder escape", f"{FIRE_LAW} 第二十八条"),
    ("fire-09", "XF-029", PANELS, False, "不使用易燃可燃夹芯彩钢板搭建", "No building of combustible sandwich panels", f"{FIRE_LAW} 第二十六条"),
    ("fire-10", "XF-023", "", False, "用火、用电、用气安全：不私拉乱接，气瓶、软管合格", "Fire, electricity and gas used safely", f"{FIRE_LAW} 第二十七条"),
)  # fmt: skip
CAMPUS_ITEMS = (
    ("camp-01", "XY-001", "", False, "校门口防冲撞设施完好", "Vehicle barriers at the gate in order", "GB/T 29315"),
    ("camp-02", "XY-002", "", False, "保安员配备达标，防护装备齐全", "Enough guards with complete gear", "GB/T 29315"),
    ("camp-03", "XY-003", "", False, "一键报警、视频监控正常并联网", "Panic button and cameras working and connected", "GB/T 29315"),
    ("camp-04", "XY-004", "", False, "校舍墙体、天花板无开裂脱落", "Walls and ceilings neither cracked nor falling", ""),
    ("camp-05", "XY-005", "", False, "教室、走廊栏杆牢固、高度达标", "Railings firm and high enough", "GB 50099"),
    ("camp-06", "XY-006", NOT_EXIT, True, "学生宿舍疏散门夜间不上锁", "Dormitory exits not locked at night", f"{FIRE_LAW} 第二十八条"),
    ("camp-07", "XY-007", "", True, "学生宿舍无违规用电", "No unlawful appliances in dormitories", ""),
    ("camp-08", "XY-008", "", True, "实验室危险化学品双人双锁、台账清楚", "Laboratory chemicals under two locks, with a ledger", ""),
    ("camp-09", "XY-009", "", False, "体育器材、游乐设施完好", "Sports and play equipment in order", ""),
    ("camp-10", "XY-010", "", True, "食堂燃气报警、用电、油烟管道合格", "Canteen: gas alarm, wiring and ducts in order", ""),
)  # fmt: skip
# code, names, source, department that closes, dispatched at once, items
CHECKLISTS = (
    (
        "ten-point",
        "九小场所消防十条",
        "Ten-point fire check of nine-small premises",
        FIRE,
        "3705-XF",
        False,
        TEN_POINTS,
    ),
    ("campus", "校园安全检查", "Campus safety check", CAMPUS, "3705-JY", True, CAMPUS_ITEMS),
)
F = RiskRule.Factor
KIND_POINTS = {  # people asleep, crowds, goods that burn
    "hotel": 25, "entertainment": 25, "medical": 20, "teaching": 20, "internet": 15, "school": 20, "catering": 15,
    "workshop": 15, "leisure": 10, "shop": 5,
}  # fmt: skip
# factor, from, points, Chinese, English
RULES = (
    (F.PERCENT, 50, 5, "规模达到限值的一半", "Half of the kind's limit or more"),
    (F.PERCENT, 80, 10, "规模接近限值（八成以上）", "Close to the kind's limit (80 % or more)"),
    (F.FAILED, 1, 5, "一年内有不合格项", "Items failed in the last year"),
    (F.FAILED, 3, 15, "一年内不合格三项及以上", "Three or more items failed in the last year"),
    (F.FAILED, 6, 25, "一年内不合格六项及以上", "Six or more items failed in the last year"),
    (F.OPEN, 1, 10, "检查发现的隐患未销号", "An open hazard found by inspection"),
    (F.OPEN, 3, 20, "检查发现的隐患三处及以上未销号", "Three or more open hazards found by inspection"),
)
GRADES = ((1, 50, 15), (2, 35, 30), (3, 20, 90), (4, 0, 180))  # colour, points, days


def seed_inspections() -> int:
    """Make checklists, rules and grades where they are missing; return how many checklists are new. Queries: 2 a row.

    An item whose matter the city does not have is left out, a checklist without items is not made.
    """
    for colour, points, days in GRADES:
        RiskGrade.objects.get_or_create(
            colour=colour, defaults={"at_least": points, "interval_days": days, "basis": OWN_RULE}
        )
    for kind in PremisesKind.objects.filter(pk__in=KIND_POINTS):
        names = {"name_zh": f"{kind.name_zh}（场所类别）", "name_en": f"{kind.name_en or kind.name_zh} (kind)"}
        more = {"points": KIND_POINTS[kind.pk], "basis": OWN_RULE, **names}
        RiskRule.objects.get_or_create(factor=F.KIND, kind=kind, at_least=0, defaults=more)
    for factor, at_least, points, zh, en in RULES:
        more = {"points": points, "name_zh": zh, "name_en": en, "basis": OWN_RULE}
        RiskRule.objects.get_or_create(factor=factor, kind=None, at_least=at_least, defaults=more)
    return sum(_checklist(*row) for row in CHECKLISTS)


def _checklist(code: str, zh: str, en: str, source: str, office: str, at_once: bool, rows: tuple) -> bool:
    if Checklist.objects.filter(code=code).exists():
        return False
    matters = {matter.code: matter for matter in Matter.objects.filter(code__in=[row[1] for row in rows])}
    kept = [row for row in rows if row[1] in matters]
    if not kept:
        return False
    checklist = Checklist.objects.create(
        code=code, name_zh=zh, name_en=en, source=source, auto_dispatch=at_once, synthetic=True,
        closing_department=Department.objects.filter(code=office).first(),
    )  # fmt: skip
    version = ChecklistVersion.objects.create(checklist=checklist, number=1, in_force_from=IN_FORCE, basis=source)
    Item.objects.bulk_create(
        Item(
            version=version, position=n, code=item, matter=matters[matter], criterion=criterion, may_be_na=may_be_na,
            severity="major" if criterion else "general", name_zh=text_zh, name_en=text_en, clause=clause,
        )
        for n, (item, matter, criterion, may_be_na, text_zh, text_en, clause) in enumerate(kept, 1)
    )  # fmt: skip
    kinds = PremisesKind.objects.filter(nine_small=True) if code == "ten-point" else PremisesKind.objects.filter(pk="school")  # fmt: skip
    for kind in kinds:
        CheckedKind.objects.get_or_create(kind=kind, defaults={"checklist": checklist})
    return True
