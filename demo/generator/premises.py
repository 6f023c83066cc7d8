"""Premises of the demo: 6,000 nine-small places, government-owned buildings of 700,000 m², schools. All invented."""

import shapely

from .names import person, phone, pinyin, spoken

# kind → (number, measure, limit, Chinese, English, source of the limit)
PRESS = "山东省九小场所界定标准(齐鲁晚报 2018-04-28)"
NOTICE = "山东省九小场所分类(2024年省通知);限值为本地设定"
KINDS = {
    "shop": (2150, "m2", 300, "小商店", "Small shop", PRESS),
    "catering": (1620, "seats", 100, "小餐饮", "Small restaurant", PRESS),
    "hotel": (330, "beds", 50, "小旅馆", "Small hotel", PRESS),
    "entertainment": (120, "m2", 200, "小歌舞娱乐", "Small entertainment venue", PRESS),
    "internet": (90, "m2", 200, "小网吧", "Small internet café", NOTICE),
    "leisure": (820, "m2", 200, "小美容洗浴", "Small beauty and bath place", PRESS),
    "medical": (310, "beds", 30, "小诊所", "Small clinic", PRESS),
    "teaching": (240, "people", 500, "小学校", "Small school or kindergarten", PRESS),
    "workshop": (320, "people", 50, "小生产加工", "Small workshop", PRESS),
}
TRADES = {
    "shop": ("超市 便利店 烟酒店 五金店 服装店 水果店 母婴店 文具店 手机店 家电维修部 粮油店 花店 建材店 农资店 茶叶店 童装店", "Supermarket,Convenience Store,Tobacco & Wine,Hardware Store,Clothes Shop,Fruit Shop,Baby Shop,Stationery,Phone Shop,Appliance Repair,Grain & Oil,Flower Shop,Building Materials,Farm Supplies,Tea Shop,Children's Clothes"),
    "catering": ("拉面馆 饺子馆 烧烤店 火锅店 家常菜馆 快餐店 羊汤馆 海鲜馆 早餐店 奶茶店 水煎包铺 蛋糕房 小酒馆", "Noodle House,Dumpling House,Barbecue,Hotpot,Home Cooking,Fast Food,Mutton Soup,Seafood House,Breakfast Shop,Milk Tea,Fried Bun Shop,Bakery,Tavern"),
    "hotel": ("宾馆 旅馆 招待所 民宿 快捷酒店", "Hotel,Inn,Guest House,Homestay,Express Hotel"),
    "entertainment": ("KTV 歌厅 舞厅 音乐酒吧", "KTV,Karaoke Hall,Dance Hall,Music Bar"),
    "internet": ("网吧 网咖 电竞馆", "Internet Café,Net Café,E-sports Hall"),
    "leisure": ("美发店 美容院 足疗店 浴池 健身房 茶社 棋牌室 美甲店", "Hair Salon,Beauty Salon,Foot Care,Bath House,Gym,Tea House,Chess Room,Nail Salon"),
    "medical": ("诊所 口腔诊所 中医诊所 卫生室 医养护理站", "Clinic,Dental Clinic,Chinese Medicine Clinic,Health Room,Nursing Station"),
    "teaching": ("幼儿园 托管中心 艺术培训学校 辅导学校 早教中心", "Kindergarten,After-school Care,Art School,Tutoring School,Early Learning Centre"),
    "workshop": ("木器加工厂 服装加工厂 豆制品坊 铝合金加工部 印刷厂 酱菜厂 电焊加工部 汽车修理厂 面粉加工厂", "Joinery,Sewing Workshop,Tofu Workshop,Aluminium Works,Print Shop,Pickle Works,Welding Shop,Car Repair,Flour Mill"),
}  # fmt: skip
LUCKY = [
    "福源",
    "万家",
    "鑫旺",
    "聚贤",
    "顺达",
    "老街坊",
    "好又多",
    "鲁味",
    "百姓",
    "利民",
    "祥和",
    "悦来",
    "金穗",
    "天天",
    "佳美",
    "红太阳",
    "同心",
    "永兴",
    "聚缘",
    "益民",
    "宏达",
    "东来顺",
    "小城",
    "黄河",
    "大碗",
    "知味",
    "春天",
    "优选",
    "丽人",
    "康乐",
    "新世纪",
    "星光",
    "兴隆",
    "双喜",
    "如意",
    "邻里",
    "渤海",
    "蓝海",
    "胜利",
    "油城",
    "绿洲",
    "芳华",
    "晨曦",
    "童心",
    "博学",
    "启航",
    "小天使",
    "金色童年",
    "仁和",
    "济民",
    "康健",
    "惠民",
    "银河",
    "飞宇",
    "龙腾",
    "海韵",
]
ROADS = [
    "济南路",
    "淄博路",
    "西四路",
    "西二路",
    "北一路",
    "北二路",
    "南一路",
    "黄河路",
    "府前大街",
    "东三路",
    "东二路",
    "运河路",
    "香山路",
    "庐山路",
    "胶州路",
    "济宁路",
    "云门山路",
    "沂河路",
    "汾河路",
    "胜兴路",
    "育才路",
    "民丰路",
    "利一路",
    "津二路",
    "乐安大街",
    "潍高路",
    "渤海路",
    "海宁路",
    "河聚路",
    "振兴路",
    "新华街",
    "迎宾路",
]
OWNED = (
    ("政务服务中心", "Government Service Centre", 1.6), ("机关综合办公楼", "Government Office Building", 2.0), ("便民服务中心", "Citizens' Service Centre", 0.7),
    ("文化馆", "Cultural Centre", 0.8), ("图书馆", "Library", 0.9), ("体育馆", "Gymnasium", 1.5), ("档案馆", "Archives", 0.6),
    ("人才公寓", "Talent Apartments", 1.8), ("老年活动中心", "Senior Activity Centre", 0.5), ("创业孵化基地", "Start-up Incubator", 1.4),
    ("标准厂房", "Standard Factory Building", 2.4), ("公共实训中心", "Public Training Centre", 1.1), ("会展中心", "Exhibition Centre", 2.2),
)  # fmt: skip
GOVERNMENT_M2 = 700_000


def address(rng, town_zh: str) -> str:
    return f"{town_zh}{rng.choice(ROADS)}{rng.randint(1, 398)}号"


def spot(rng, shape) -> tuple[float, float]:
    """Return a point inside a cell, five decimals."""
    x0, y0, x1, y1 = shape.bounds
    while True:
        lon, lat = round(rng.uniform(x0, x1), 5), round(rng.uniform(y0, y1), 5)
        if shapely.contains_xy(shape, lon, lat):
            return lon, lat


def nine_small(rng, base: list[dict], plots: list[dict], towns: dict, people: dict) -> list[list[object]]:
    """Return 6,000 places of the nine kinds, none above its kind's limit; a seventh of them inside markets and malls."""
    weights = [1 / max(cell["km2"], 0.25) ** 1.35 for cell in base]
    markets = [plot for plot in plots if plot["focus"] in ("market", "mall", "station")]
    names: dict[str, int] = {}
    rows = []
    for kind, (number, measure, limit, *_) in KINDS.items():
        trades = list(zip(TRADES[kind][0].split(), TRADES[kind][1].split(","), strict=True))
        for _ in range(number):
            inside = kind in ("shop", "catering", "leisure") and rng.random() < 0.2
            cell = rng.choice(markets) if inside else rng.choices(base, weights)[0]
            town = towns[cell["code"][:9]]
            zh, en = place_name(rng, trades, town, names)
            size = max(3, min(limit, round(limit * rng.betavariate(1.6, 2.6))))
            area = (
                size
                if measure == "m2"
                else round(size * {"seats": 2.4, "beds": 19, "people": 7}[measure] * rng.uniform(0.8, 1.3)) + 20
            )
            lon, lat = spot(rng, cell["shape"])
            rows.append([kind, zh, en, lon, lat, size, area, person(rng, people)[0], phone(rng), address(rng, town[0])])
    return rows


def place_name(rng, trades, town, names: dict[str, int]) -> tuple[str, str]:
    """Return the name of a small business; the town tells namesakes apart."""
    while True:
        trade_zh, trade_en = rng.choice(trades)
        word = rng.choice(LUCKY)
        zh, en = f"{word}{trade_zh}", f"{pinyin(word)} {trade_en}"
        if zh in names:
            short_zh, short_en = spoken(*town)
            zh, en = f"{short_zh}{zh}", f"{short_en} {en}"
        if zh in names:
            road = rng.choice(ROADS)
            zh, en = f"{zh}({road}店)", f"{en} ({pinyin(road)})"
        if zh not in names:
            names[zh] = 1
            return zh, en


def government(rng, base: list[dict], towns: dict, counties: dict, people: dict) -> list[list[object]]:
    """Return government-owned buildings whose floor areas add up to 700,000 m²."""
    holders = list(counties.values()) + [towns[code] for code in towns]
    by_name = {}
    for cell in base:
        by_name.setdefault(towns.get(cell["code"][:9], ("",))[0], []).append(cell)
        by_name.setdefault(counties[cell["code"][:6]][0], []).append(cell)
    rows, names = [], set()
    while len(rows) < 128:
        zh, en = holders[len(rows) % len(holders)]
        if zh not in by_name:
            zh, en = counties["370502"]
        what_zh, what_en, weight = rng.choice(OWNED)
        if zh + what_zh in names:
            continue
        names.add(zh + what_zh)
        cell = min(rng.sample(by_name[zh], min(4, len(by_name[zh]))), key=lambda c: c["km2"])
        lon, lat = spot(rng, cell["shape"])
        rows.append(
            [
                "government",
                zh + what_zh,
                f"{en} {what_en}",
                lon,
                lat,
                0,
                round(5000 * weight * rng.uniform(0.5, 1.5)),
                person(rng, people)[0],
                phone(rng),
                address(rng, zh),
            ]
        )
    total = sum(row[6] for row in rows)
    for row in rows:
        row[6] = max(300, int(row[6] * GOVERNMENT_M2 / total))
    rows[0][6] += GOVERNMENT_M2 - sum(row[6] for row in rows)
    for row in rows:
        row[5] = row[6]
    return rows


def schools(rng, plots: list[dict], towns: dict, people: dict) -> list[list[object]]:
    """Return one school for each dedicated cell made around one; its size counts pupils."""
    rows = []
    for plot in plots:
        if plot["focus"] == "school":
            inside = plot["shape"].point_on_surface()
            pupils = rng.randint(240, 2600)
            rows.append(
                [
                    "school",
                    plot["name_zh"],
                    plot["name_en"],
                    round(inside.x, 5),
                    round(inside.y, 5),
                    pupils,
                    pupils * rng.randint(6, 9),
                    person(rng, people)[0],
                    phone(rng),
                    address(rng, towns[plot["code"][:9]][0]),
                ]
            )
    return rows
