"""The first criteria of major hazards, rules of listing and wordings of their papers; people change them in the administration.

The criteria are worded short after public national standards. Those whose words and clause were compared with the published
text name the clause; every other one is marked illustrative, because it was not compared, because its clause is not
known, or because a newer edition has come.
"""

from datetime import datetime

from citysafety.documents.services import ensure_kind
from grid.models import City

from ..models import Criterion, Level, ListingRule
from .papers import CLEARING, NOTICE

FIRE = ("消防", "《重大火灾隐患判定方法》（GB 35181-2017）{}；自 2025-11-01 起由 GB 35181-2025 代替", ["XF", "XY"])
TRADE = ("工贸", "《工贸企业重大事故隐患判定标准》（应急管理部令第 10 号）{}", ["XY", "WH"])
CHEMICALS = (
    "化工和危险化学品",
    "《化工和危险化学品生产经营单位重大生产安全事故隐患判定标准（试行）》（安监总管三〔2017〕121 号）{}",
    ["WH"],
)
BUILDING = (
    "建筑施工",
    "《房屋市政工程生产安全重大事故隐患判定标准（2022 版）》（建质规〔2022〕2 号）{}；已有 2024 版（建质规〔2024〕5 号）",
    ["JZ", "SZ"],
)
GAS = ("城镇燃气", "《城镇燃气经营安全重大隐患判定标准》（建城规〔2023〕4 号）{}", ["SZ", "XY", "WH"])
UNCHECKED = "（条款未核对）"
CRITERIA = (  # of what, code, clause or none that is known, whether words and clause were compared with the published text, names
    (FIRE, "GB35181-6.2", "第 6.2 条", False, "生产、储存、经营易燃易爆危险品的场所与人员密集场所、居住场所设在同一建筑内，或防火间距不足规定值的 75%", "Flammables or explosives in one building with crowds or dwellings, or nearer than 75 % of the distance asked"),
    (FIRE, "GB35181-6.5", "第 6.5 条", False, "公共娱乐场所、商店、地下人员密集场所安全出口数量不足或总净宽度不足规定值的 80%", "Too few exits, or less than 80 % of their width, in entertainment, shops, crowded basements"),
    (FIRE, "GB35181-A", "", False, "旅馆、公共娱乐场所、商店、地下人员密集场所未按规定设置自动喷水灭火或火灾自动报警系统", "No sprinklers or fire alarm where hotels, entertainment, shops, crowded basements need them"),
    (FIRE, "GB35181-B", "", False, "人员密集场所违规使用、储存或销售易燃易爆危险品", "Flammables or explosives used, stored or sold against the rules among crowds"),
    (FIRE, "GB35181-C", "", False, "儿童用房、老年人活动场所所在楼层不符合规定", "Rooms of children or old people on a storey where they may not be"),
    (FIRE, "GB35181-D", "", False, "人员密集场所的居住场所用芯材低于 A 级的彩钢夹芯板搭建", "Dwellings among crowds built of sandwich panels that burn"),
    (TRADE, "YJ10-3-1", "第三条第（一）项", True, "未对承包单位、承租单位的安全生产工作统一协调、管理，或未定期进行安全检查", "Safety of contractors and tenants not managed together, or not inspected regularly"),
    (TRADE, "YJ10-3-2", "第三条第（二）项", True, "特种作业人员未按规定经专门安全作业培训并取得相应资格即上岗作业", "Special work by people without the training and licence for it"),
    (TRADE, "YJ10-12-1", "第十二条第（一）项", True, "使用液氨制冷的企业，包装、分割、产品整理场所的空调系统采用氨直接蒸发制冷", "Packing, cutting or sorting rooms air-conditioned by ammonia that evaporates directly"),
    (TRADE, "YJ10-13-1", "第十三条第（一）项", True, "有中毒风险的有限空间未辨识、未建立安全管理台账，并且未设置明显的安全警示标志", "Confined space with poisonous gas neither identified and registered nor marked by warning signs"),
    (TRADE, "YJ10-A", "", False, "粉尘爆炸危险场所设在非框架结构的多层建（构）筑物内，或内设员工宿舍、会议室等人员聚集场所", "Where dust may explode: several storeys without a frame, or rooms in which people gather"),
    (CHEMICALS, "AJ121-1", "第一项", True, "危险化学品生产、经营单位主要负责人和安全生产管理人员未依法经考核合格", "Heads or safety managers of makers or sellers of dangerous chemicals who have not passed their examination"),
    (CHEMICALS, "AJ121-2", "第二项", True, "特种作业人员未持证上岗", "Special work without a licence"),
    (CHEMICALS, "AJ121-3", "第三项", True, "涉及“两重点一重大”的生产装置、储存设施外部安全防护距离不符合国家标准要求", "Plants or stores of the gravest kinds nearer to others than the national standard allows"),
    (CHEMICALS, "AJ121-6", "第六项", True, "全压力式液化烃储罐未按国家标准设置注水措施", "Pressure tanks of liquefied hydrocarbons without the water injection of the national standard"),
    (CHEMICALS, "AJ121-7", "第七项", True, "液化烃、液氨、液氯等液化气体的充装未使用万向管道充装系统", "Liquefied hydrocarbons, ammonia or chlorine filled without swivel-joint loading arms"),
    (CHEMICALS, "AJ121-12", "第十二项", True, "涉及可燃和有毒有害气体泄漏的场所未按国家标准设置检测报警装置，爆炸危险场所未按国家标准安装使用防爆电气设备", "No gas alarm where gas may leak, no explosion-proof electrics where it may explode"),
    (BUILDING, "JZ2022-8-1", "第八条第（一）项", False, "塔式起重机、施工升降机、物料提升机等未经验收合格即投入使用，或未按规定办理使用登记", "Cranes or hoists in use before acceptance, or not registered"),
    (BUILDING, "JZ2022-8-5", "第八条第（五）项", False, "建筑起重机械的安全装置不齐全、失效或者被违规拆除、破坏", "Safety devices of cranes incomplete, dead, removed or broken"),
    (BUILDING, "JZ2022-A", "", False, "危险性较大的分部分项工程未编制、审核专项施工方案", "Dangerous works without a checked plan of their own"),
    (BUILDING, "JZ2022-B", "", False, "基坑支护结构或周边环境出现险情征兆未及时处置", "Signs of failing pit support that nobody acts on"),
    (GAS, "CG2023-4-1", "第四条第（一）项", True, "未取得燃气经营许可证从事燃气经营活动", "Gas sold without a licence"),
    (GAS, "CG2023-A", "", False, "中压及以上地下燃气管线保护范围内，建有占压管线的建筑物、构筑物或者其他设施", "Buildings on protected underground gas pipes of medium pressure or more"),
    (GAS, "CG2023-B", "", False, "向不具备安全使用条件的用户供气", "Gas supplied where it cannot be used safely"),
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
    for (sector, basis, classes), code, clause, compared, zh, en in CRITERIA:
        values = {"sector": sector, "basis": basis.format(clause or UNCHECKED), "classes": classes}
        values |= {"illustrative": not compared, "name_zh": zh, "name_en": en}
        Criterion.objects.get_or_create(code=code, defaults=values)
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
