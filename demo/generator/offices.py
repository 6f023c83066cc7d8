"""Bureaus, their county branches, township offices and the grid service centres."""

# Short code → (Chinese, English, branches in the counties?)
BUREAUS = {
    "YJ": ("应急管理局", "Emergency Management Bureau", True),
    "XF": ("消防救援支队", "Fire and Rescue Detachment", True),
    "ZJ": ("住房和城乡建设局", "Housing and Urban-Rural Development Bureau", True),
    "CG": ("城市管理局", "Urban Management Bureau", True),
    "JT": ("交通运输局", "Transport Bureau", True),
    "GA": ("公安局", "Public Security Bureau", True),
    "JJ": ("公安局交通警察支队", "Traffic Police Detachment", True),
    "SJ": ("市场监督管理局", "Market Supervision Bureau", True),
    "JY": ("教育局", "Education Bureau", True),
    "SW": ("水务局", "Water Bureau", True),
    "ST": ("生态环境局", "Ecology and Environment Bureau", True),
    "HY": ("海洋发展和渔业局", "Ocean Development and Fisheries Bureau", False),
    "HS": ("海事局", "Maritime Safety Administration", False),
    "DL": ("供电公司", "Power Supply Company", False),
    "WL": ("文化和旅游局", "Culture and Tourism Bureau", False),
    "NY": ("农业农村局", "Agriculture and Rural Affairs Bureau", False),
    "WJ": ("卫生健康委员会", "Health Commission", False),
    "SM": ("商务局", "Commerce Bureau", False),
    "FG": ("发展和改革委员会", "Development and Reform Commission", False),
    "GX": ("工业和信息化局", "Industry and Information Technology Bureau", False),
    "MZ": ("民政局", "Civil Affairs Bureau", False),
    "TY": ("体育局", "Sports Bureau", False),
    "ZY": ("自然资源和规划局", "Natural Resources and Planning Bureau", False),
    "QX": ("气象局", "Meteorological Bureau", False),
    "RH": ("城乡运行综合管理中心", "Urban-Rural Operation Management Centre", False),
}
BRANCH_WORDS = {
    "消防救援支队": ("消防救援大队", "Fire and Rescue Brigade"),
    "公安局交通警察支队": ("公安局交通警察大队", "Traffic Police Brigade"),
}


def departments(counties: dict, townships: dict) -> list[list[str]]:
    """Return rows code, name_zh, name_en, area, parent: 25 bureaus, their branches, one team a real township."""
    rows = [[f"3705-{code}", f"东营市{zh}", f"Dongying {en}", "3705", ""] for code, (zh, en, _) in BUREAUS.items()]
    for county, (zh, en) in counties.items():
        for code, (bureau_zh, bureau_en, branches) in BUREAUS.items():
            if branches:
                name_zh, name_en = BRANCH_WORDS.get(bureau_zh, (bureau_zh, bureau_en))
                rows.append([f"{county}-{code}", zh + name_zh, f"{en} {name_en}", county, f"3705-{code}"])
    for town, (zh, en) in townships.items():
        rows.append(
            [
                f"{town}-ZF",
                f"{zh}综合行政执法办公室",
                f"{en} Law Enforcement Office",
                town,
                f"{town[:6]}-YJ",
            ]
        )
    return rows


def centres(counties: dict, townships: dict, points: dict, posts: int, rng) -> list[list[object]]:
    """Return rows code, name_zh, name_en, level, division, posts, lon, lat, phone for counties and real townships."""
    places = [(code, "county", *name) for code, name in counties.items()]
    places += [(code, "township", *name) for code, name in townships.items()]
    weights = [26 if level == "county" else 13 + rng.randint(-4, 5) for _, level, _, _ in places]
    scaled = [int(w * posts / sum(weights)) for w in weights]
    for place in range(posts - sum(scaled)):
        scaled[place % len(scaled)] += 1
    rows = []
    for (code, level, zh, en), number in zip(places, scaled, strict=True):
        lon, lat = points[code]
        rows.append(
            [
                f"ZX{code}",
                f"{zh}网格化服务管理中心",
                f"{en} Grid Service Centre",
                level,
                code,
                number,
                lon,
                lat,
                f"0546-0000{rng.randint(0, 999):03d}",
            ]
        )
    return rows
