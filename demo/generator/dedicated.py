"""Dedicated cells (专属网格): schools, markets, parks, sites … inside base cells, and sea cells off the harbours."""

import math

import shapely
from shapely.geometry import Point, Polygon, box
from shapely.ops import nearest_points

from .cells import KX, KY
from .names import pinyin

# focus → (how many, width m, (name endings: Chinese, English), weight of towns against villages)
FOCI = {
    "school": (
        372, 190,
        (("实验小学", "Experimental Primary School"), ("中心小学", "Central Primary School"),
         ("第一中学", "No. 1 Middle School"), ("第二中学", "No. 2 Middle School"), ("小学", "Primary School"),
         ("中学", "Middle School"), ("实验学校", "Experimental School"), ("九年一贯制学校", "Nine-year School")), 1.2,
    ),
    "kindergarten": (
        310, 90,
        (("幼儿园", "Kindergarten"), ("中心幼儿园", "Central Kindergarten"), ("实验幼儿园", "Experimental Kindergarten")),
        1.2,
    ),
    "market": (
        196, 130,
        (("农贸市场", "Farmers' Market"), ("集贸市场", "Country Market"), ("建材市场", "Building Materials Market"),
         ("水产市场", "Seafood Market"), ("便民市场", "Neighbourhood Market")), 1.1,
    ),
    "mall": (
        148, 140,
        (("购物广场", "Shopping Plaza"), ("商业街", "Shopping Street"), ("商贸城", "Trade City"),
         ("生活广场", "Living Plaza"), ("超市综合楼", "Supermarket Building")), 1.7,
    ),
    "hospital": (
        158, 150,
        (("卫生院", "Health Centre"), ("社区卫生服务中心", "Community Health Centre"), ("中医院", "Hospital of Chinese Medicine"),
         ("人民医院分院", "People's Hospital Branch"), ("康复医院", "Rehabilitation Hospital")), 1.3,
    ),
    "care": (
        132, 100,
        (("敬老院", "Home for the Aged"), ("养老服务中心", "Elderly Care Centre"), ("老年公寓", "Seniors' Apartments")), 1.0,
    ),
    "industry": (
        176, 420,
        (("工业园", "Industrial Park"), ("化工园区", "Chemical Park"), ("创业园", "Start-up Park"),
         ("石油装备产业园", "Petroleum Equipment Park"), ("橡胶轮胎产业园", "Rubber and Tyre Park"),
         ("物流园", "Logistics Park")), 0.7,
    ),
    "enterprise": (
        238, 260,
        (("石化有限公司厂区", "Petrochemical Works"), ("化工厂区", "Chemical Works"), ("纸业厂区", "Paper Mill"),
         ("新材料厂区", "New Materials Works"), ("食品厂区", "Food Works"), ("机械厂区", "Machinery Works"),
         ("采油管理区", "Oil Production Area"), ("油库", "Oil Depot")), 0.6,
    ),
    "site": (
        164, 160,
        (("安置区工地", "Resettlement Housing Site"), ("商住项目工地", "Mixed-use Building Site"),
         ("学校新建工地", "School Building Site"), ("道路改造工地", "Road Reconstruction Site"),
         ("标准厂房工地", "Factory Building Site")), 1.3,
    ),
    "scenic": (
        86, 300,
        (("公园", "Park"), ("湿地公园", "Wetland Park"), ("森林公园", "Forest Park"), ("文化广场", "Cultural Square"),
         ("采摘园", "Picking Garden"), ("游乐园", "Amusement Park")), 0.9,
    ),
    "station": (
        80, 160,
        (("客运站", "Coach Station"), ("加油站集中区", "Filling Station Cluster"), ("公交枢纽站", "Bus Hub"),
         ("货运站", "Freight Yard"), ("燃气门站", "Gas Gate Station"), ("停车场", "Lorry Park")), 1.1,
    ),
}  # fmt: skip
WORDS = [
    "金泰",
    "宏远",
    "春晖",
    "育才",
    "晨光",
    "锦绣",
    "鸿达",
    "海通",
    "鲁银",
    "恒丰",
    "瑞景",
    "星河",
    "华泰",
    "凯旋",
    "阳光",
    "幸福",
    "和谐",
    "东胜",
    "齐润",
    "胜华",
    "天信",
    "永盛",
    "兴广",
    "清风",
    "万达",
    "利丰",
    "国安",
    "安泰",
    "新源",
    "德仕",
]
HARBOURS = (  # name, English, lon, lat, township that answers for it
    ("黄河口中心渔港", "Huanghekou Central Fishing Port", 118.965, 38.02, "370572402"),
    ("新户渔港", "Xinhu Fishing Port", 118.25, 38.12, "370503103"),
    ("刁口渔港", "Diaokou Fishing Port", 118.6, 38.08, "370522206"),
    ("红光渔港", "Hongguang Fishing Port", 118.93, 37.525, "370505402"),
    ("小岛河渔港", "Xiaodaohe Fishing Port", 118.955, 37.595, "370505105"),
    ("广利渔港", "Guangli Fishing Port", 118.95, 37.375, "370502103"),
    ("支脉河渔港", "Zhimaihe Fishing Port", 118.94, 37.315, "370523401"),
)
SECTORS = (
    ("港池", "Harbour Basin"),
    ("近岸海域", "Inshore Waters"),
    ("北部海域", "Northern Waters"),
    ("南部海域", "Southern Waters"),
)


def plot(rng, lon: float, lat: float, width: float) -> Polygon:
    """Return a turned, slightly uneven plot of land about ``width`` metres wide."""
    turn, long = rng.uniform(-0.5, 0.5), width * rng.uniform(0.8, 1.5)
    corners = []
    for x, y in ((-1, -1), (0.1, -1.05), (1, -1), (1, 1), (-0.6, 1.0), (-1, 0.7)):
        x, y = x * width / 2 * rng.uniform(0.9, 1.1), y * long / 2 * rng.uniform(0.9, 1.1)
        x, y = x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)
        corners.append((round(lon + x / 1000 / KX, 5), round(lat + y / 1000 / KY, 5)))
    return Polygon(corners)


def dedicated_cells(rng, base: list[dict], towns: dict[str, tuple[str, str]]) -> list[dict]:
    """Return plots of all foci, none touching another, each inside one base cell."""
    outlines = [feature["shape"] for feature in base]
    used: dict[int, list[Polygon]] = {}
    names: set[str] = set()
    numbers: dict[str, int] = {}
    found = []
    for focus, (count, width, endings, towniness) in FOCI.items():
        weights = [1 / max(feature["km2"], 0.25) ** towniness for feature in base]
        while count:
            k = rng.choices(range(len(base)), weights)[0]
            x0, y0, x1, y1 = outlines[k].bounds
            shape = plot(rng, rng.uniform(x0, x1), rng.uniform(y0, y1), width * rng.uniform(0.7, 1.2))
            if (
                not shape.is_valid
                or not outlines[k].contains(shape)
                or any(shape.intersects(o) for o in used.get(k, ()))
            ):
                continue
            village = base[k]["code"][:12]
            zh, en = named(rng, base[k], towns[village[:9]], endings, focus, names)
            used.setdefault(k, []).append(shape)
            numbers[village] = numbers.get(village, 500) + 1
            found.append({"code": f"{village}{numbers[village]:03d}", "name_zh": zh, "name_en": en, "kind": "dedicated",
                          "division": village, "focus": focus, "shape": shape})  # fmt: skip
            count -= 1
    return found


def named(rng, cell: dict, town: tuple[str, str], endings: tuple, focus: str, names: set[str]) -> tuple[str, str]:
    """Return a name nobody else has: after the town, the village or an invented word."""
    for _ in range(400):
        ending_zh, ending_en = rng.choice(endings)
        stem_zh, stem_en = rng.choice(((cell["place_zh"], cell["place_en"]), (town[0], town[1]), (None, None)))
        if stem_zh is None or focus in ("mall", "enterprise"):
            word = rng.choice(WORDS)
            stem_zh, stem_en = town[0] + word, f"{town[1]} {pinyin(word)}"
        name = stem_zh + ending_zh
        if name not in names:
            names.add(name)
            return name, f"{stem_en} {ending_en}"
    raise SystemExit(f"no free name for a {focus} in {cell['place_zh']}")


def sea_cells(sea: Polygon, land: Polygon) -> list[dict]:
    """Return four cells for each harbour: basin, inshore, north and south, none overlapping another."""
    water = sea.difference(land.buffer(0.0005)).intersection(box(118.1, 36.95, 119.75, 38.5))
    water = max(shapely.get_parts(water), key=lambda part: part.area)
    heads = [nearest_points(water, Point(lon, lat))[0] for _, _, lon, lat, _ in HARBOURS]
    shares = shapely.get_parts(
        shapely.voronoi_polygons(shapely.MultiPoint(heads), extend_to=water.envelope, ordered=True)
    )
    cells = []
    for (zh, en, _, _, town), head, share in zip(HARBOURS, heads, shares, strict=True):
        mine = water.intersection(share)
        near, mid, far = (disc(head, km) for km in (2.5, 9, 30))
        north = box(117, head.y, 121, 40)
        parts = (
            near,
            mid.difference(near),
            far.difference(mid).intersection(north),
            far.difference(mid).difference(north),
        )
        for number, (part, (sector_zh, sector_en)) in enumerate(zip(parts, SECTORS, strict=True), 1):
            whole = shapely.set_precision(mine.intersection(part), 1e-5)
            whole = [piece for piece in shapely.get_parts(whole) if piece.geom_type == "Polygon" and piece.area > 1e-6]
            if not whole:
                whole = [shapely.set_precision(disc(head, 1.0 + number / 10), 1e-5)]
            cells.append({"code": f"{town}000{900 + number}", "name_zh": f"{zh}{sector_zh}", "name_en": f"{en} {sector_en}",
                          "kind": "sea", "division": town, "focus": "harbour",
                          "shape": whole[0] if len(whole) == 1 else shapely.MultiPolygon(whole)})  # fmt: skip
    return cells


def disc(point: Point, km: float) -> Polygon:
    turn = [2 * math.pi * step / 48 for step in range(48)]
    return Polygon([(point.x + km / KX * math.cos(a), point.y + km / KY * math.sin(a)) for a in turn])
