"""The first criteria of major hazards, rules of listing and wordings of their papers; people change them in the administration.

The criteria are worded short after public national standards. None was compared with the published text here, so each is
marked illustrative until somebody has done so.
"""

from datetime import datetime

from citysafety.documents.services import ensure_kind
from grid.models import City

from ..models import Criterion, Level, ListingRule
from .papers import CLEARING, NOTICE

FIRE = ("消防", "《重大火灾隐患判定方法》（GB 35181-2017）第 {} 条", ["XF", "XY"])
TRADE = ("工贸", "《工贸企业重大事故隐患判定标准》（应急管理部令第 10 号）第 {} 条", ["XY", "WH"])
BUILDING = (
    "建筑施工",
    "《房屋市政工程生产安全重大事故隐患判定标准（2022 版）》（建质规〔2022〕2 号）第 {} 条",
    ["JZ", "SZ"],
)
GAS = ("城镇燃气", "《城镇燃气经营安全重大隐患判定标准》（建城规〔2023〕4 号）第 {} 条", ["SZ", "XY", "WH"])
CRITERIA = (  # of what, prefix of the code, clause, names
    (FIRE, "GB35181", "6.2", "易燃易爆危险品场所与人员密集场所、居住场所设在同一建筑内", "Flammables or explosives in one building with crowds or dwellings"),
    (FIRE, "GB35181", "6.5", "公共娱乐场所、商店、地下人员密集场所安全出口数量不足或总净宽度不足规定值的 80%", "Too few exits, or less than 80 % of their width, in entertainment, shops, crowded basements"),
    (FIRE, "GB35181", "6.6", "旅馆、公共娱乐场所、商店、地下人员密集场所未按规定设置自动喷水灭火或火灾自动报警系统", "No sprinklers or fire alarm where hotels, entertainment, shops, crowded basements need them"),
    (FIRE, "GB35181", "6.8", "人员密集场所违规使用、储存或销售易燃易爆危险品", "Flammables or explosives used, stored or sold against the rules among crowds"),
    (FIRE, "GB35181", "6.9", "儿童用房、老年人活动场所所在楼层不符合规定", "Rooms of children or old people on a storey where they may not be"),
    (FIRE, "GB35181", "6.10", "人员密集场所的居住场所用芯材低于 A 级的彩钢夹芯板搭建", "Dwellings among crowds built of sandwich panels that burn"),
    (TRADE, "YJ10", "3", "特种作业人员未持证上岗，或对承包单位未统一协调管理", "Special work without a licence, or contractors not managed together"),
    (TRADE, "YJ10", "11", "粉尘爆炸危险场所设有人员聚集场所，或未采取防爆、清灰措施", "People gather where dust may explode, or it is not cleaned and protected"),
    (TRADE, "YJ10", "12", "使用液氨制冷的包装间等采用氨直接蒸发制冷空调", "Packing rooms cooled by ammonia that evaporates directly"),
    (TRADE, "YJ10", "13", "有中毒风险的有限空间未辨识、未警示，或未先通风、再检测、后作业", "Confined space not identified, not signed, or entered before it was aired and tested"),
    (BUILDING, "JZ2022-2", "4", "危险性较大的分部分项工程未编制、审核专项施工方案", "Dangerous works without a checked plan of their own"),
    (BUILDING, "JZ2022-2", "5", "基坑支护结构或周边环境出现险情征兆未及时处置", "Signs of failing pit support that nobody acts on"),
    (BUILDING, "JZ2022-2", "8", "起重机械未经验收合格即投入使用，或安全装置失效", "Cranes in use before acceptance, or with dead safety devices"),
    (GAS, "CG2023-4", "4", "未取得燃气经营许可证从事燃气经营活动", "Gas sold without a licence"),
    (GAS, "CG2023-4", "6", "燃气管道保护范围内有占压建（构）筑物且未采取措施", "Buildings on protected gas pipes with nothing done about them"),
    (GAS, "CG2023-4", "8", "向不具备安全使用条件的用户供气", "Gas supplied where it cannot be used safely"),
)  # fmt: skip

SAMPLE = "青岛市安全生产“3+X”挂牌督办做法（2012 年，示例）"
DAYS = {"publish_days": 5, "most_days": 365, "ask_days": 20, "decide_days": 10, "clearing_days": 5, "basis": SAMPLE}
RULES = ({"level": Level.COUNTY, "file_days": 3}, {"level": Level.CITY, "file_days": None})

NOTICE_TITLE = "关于对“{what}”重大事故隐患\n实行{level}挂牌督办的通知"
NOTICE_BODY = """**一、隐患情况。**{found}，{where}登记重大事故隐患“{what}”（编号 {number}），判定依据：{criterion}。
**二、督办要求。**{requirement}
**三、整改时限。**应于 {until}前完成整改。整改期间原则上停产停业或停止使用相关部位，落实安全防范措施；确需延期的，应在规定时限内提前书面申请。
**四、责任落实。**责任单位：{unit}；督办责任领导：{leader}。整改责任、措施、资金、时限、预案应逐项落实，经复查合格并销号后申请摘牌。
**五、依据。**《安全生产事故隐患排查治理暂行规定》（国家安全监管总局令第 16 号）；{law}。"""
CLEARING_TITLE = "关于对“{what}”重大事故隐患\n摘牌的通知"
CLEARING_BODY = """**一、办理情况。**{listed}以 {notice} 对{where}重大事故隐患“{what}”（编号 {number}）实行{level}挂牌督办。经整改责任人以外的人员现场复查合格，该隐患已于 {off}销号。
**二、摘牌。**自本通知印发之日起予以摘牌。
**三、要求。**{unit}应巩固整改成效，防止同类隐患再次发生。
**四、依据。**《安全生产事故隐患排查治理暂行规定》（国家安全监管总局令第 16 号）；{law}。"""


def seed_majors(*, at: datetime) -> None:
    """Make criteria, rules, kinds of papers and their wordings where they are missing. Queries: 2 a row."""
    for (sector, basis, classes), prefix, clause, zh, en in CRITERIA:
        values = {"sector": sector, "basis": basis.format(clause), "classes": classes, "name_zh": zh, "name_en": en}
        Criterion.objects.get_or_create(code=f"{prefix}-{clause}", defaults=values)
    for rule in RULES:
        ListingRule.objects.get_or_create(level=rule["level"], defaults={**DAYS, **rule})
    city = City.objects.first()
    name_zh, name_en = (city.name_zh, city.name_en) if city else ("", "")
    office = {
        "issuer_zh": f"{name_zh}安全生产委员会办公室",
        "issuer_en": f"Office of the {name_en} Work Safety Committee".replace("  ", " "),
    }
    ensure_kind(
        NOTICE, at=at, title=NOTICE_TITLE, body=NOTICE_BODY, name_zh="挂牌督办通知书", name_en="Notice of listing",
        mark=f"{name_zh[:1]}安办挂", **office,
    )  # fmt: skip
    ensure_kind(
        CLEARING, at=at, title=CLEARING_TITLE, body=CLEARING_BODY, name_zh="摘牌通知", name_en="Notice of clearing",
        mark=f"{name_zh[:1]}安办摘", **office,
    )  # fmt: skip
