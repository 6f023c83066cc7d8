"""Chinese names of places and people, and their English forms by pinyin."""

import re

from pypinyin import Style, lazy_pinyin, load_phrases_dict

# Readings that pypinyin's dictionary does not know for this place.
load_phrases_dict({"广利": [["guǎng"], ["lì"]], "乐安": [["lè"], ["ān"]], "六户": [["liù"], ["hù"]]})

SPECIAL = {
    "东营市": "Dongying City",
    "东营经济技术开发区": "Dongying Economic and Technological Development Zone",
    "东营港经济开发区": "Dongying Port Economic Development Zone",
    "东营商贸园": "Dongying Trade Park",
    "河口经济开发区": "Hekou Economic Development Zone",
    "河口蓝色经济开发区": "Hekou Blue Economic Development Zone",
    "开发区类似乡级单位": "Kenli Development Zone (township-like unit)",
    "红光类似乡级单位": "Hongguang (township-like unit)",
    "垦东类似乡级单位": "Kendong (township-like unit)",
    "东营市现代畜牧业示范区类似乡级单位": "Dongying Modern Livestock Demonstration Zone",
    "利津县经济开发区": "Lijin Economic Development Zone",
    "东营农业高新技术产业示范区": "Dongying Agricultural High-tech Demonstration Zone",
    "滨海新动能产业园": "Binhai New Growth Industrial Park",
    "经济开发区直属乡镇": "Area directly under the development zone",
    "黄河口镇": "Huanghekou Town",
}
ENDINGS = (
    (
        r"社区居民居委会$|居民社区委员会$|社区居民委员$|社区居民委员会$|社区居委会$|类似居民委员会$|类似居委会$|社区$",
        "Community",
    ),
    (r"居民委员会$|居委会$", "Community"),
    (r"类似村民委员会$|类似村委会$|村村民委员会$|村民委员会$|村村委会$|村委会$|村$", "Village"),
    (r"街道$", "Subdistrict"),
    (r"镇$", "Town"),
    (r"乡$", "Township"),
    (r"区$", "District"),
    (r"县$", "County"),
)


def pinyin(text: str) -> str:
    """Return a name as one capitalised word: 东营 → Dongying, 乐安 → Le'an."""
    word = ""
    for syllable in lazy_pinyin(text, style=Style.NORMAL, errors=lambda rest: " " + rest):
        word += ("'" if word and syllable[:1] in "aeo" else "") + syllable
    word = word.strip()
    return word[:1].upper() + word[1:]


def place_en(name: str) -> str:
    """Return the English name of a division: 文汇街道 → Wenhui Subdistrict."""
    if name in SPECIAL:
        return SPECIAL[name]
    for pattern, word in ENDINGS:
        stem, hit = re.subn(pattern, "", name)
        if hit and stem:
            return f"{pinyin(stem)} {word}"
    return pinyin(name)


SPOKEN = {
    "开发区类似乡级单位": ("垦利开发区", "Kenli Zone"),
    "红光类似乡级单位": ("红光", "Hongguang"),
    "垦东类似乡级单位": ("垦东", "Kendong"),
    "东营市现代畜牧业示范区类似乡级单位": ("畜牧示范区", "Livestock Zone"),
    "经济开发区直属乡镇": ("开发区", "Development Zone"),
    "河口经济开发区": ("河口开发区", "Hekou Zone"),
    "河口蓝色经济开发区": ("河口蓝色开发区", "Hekou Blue Zone"),
    "利津县经济开发区": ("利津开发区", "Lijin Zone"),
    "东营农业高新技术产业示范区": ("农高区", "Agri-tech Zone"),
    "滨海新动能产业园": ("滨海", "Binhai"),
}


def spoken(name_zh: str, name_en: str) -> tuple[str, str]:
    """Return the short form people use: 文汇街道 → 文汇, Wenhui."""
    if name_zh in SPOKEN:
        return SPOKEN[name_zh]
    return re.sub(r"街道$|镇$|乡$", "", name_zh), re.sub(r" (Subdistrict|Town|Township)$", "", name_en)


SURNAMES = "王李张刘陈杨赵孙徐马朱胡郭林何高梁郑罗宋谢唐韩曹许邓萧冯曾程蔡彭潘袁于董余苏叶吕魏蒋田杜丁沈姜范江傅钟卢汪戴崔任陆廖姚方金邱夏谭韦贾邹石熊孟秦阎薛侯雷白龙段郝孔邵史毛常万顾赖武康贺严尹钱施牛洪龚盖燕扈綦荆巴隋逄"
WEIGHTS = [80, 76, 70, 55, 44, 34, 30, 26, 22, 20] + [12] * 30 + [5] * (len(SURNAMES) - 40)
MEN = "伟强磊军洋勇杰涛明超刚平辉健鹏斌波亮飞凯浩华东峰建国志文海龙宁帅俊博宇晨光新永庆德义胜利春林成江山泉振兴旺玉良福民生"
WOMEN = "芳娜敏静丽艳娟霞秀英兰燕玲桂红梅慧颖莉婷雪琳倩萍洁云凤莲珍月香琴巧菊雅璐瑶蕾晶丹蓉欣怡佳妍淑贞华玉爱春晓"


def person(rng, taken: dict[str, int]) -> tuple[str, str]:
    """Return (Chinese, English) of a new invented person; a full name occurs at most three times in the city."""
    while True:
        surname = rng.choices(SURNAMES, WEIGHTS)[0]
        pool = MEN if rng.random() < 0.56 else WOMEN
        given = rng.choice(pool) if rng.random() < 0.22 else rng.choice(pool) + rng.choice(pool)
        name = surname + given
        if taken.get(name, 0) < 3 and not (len(given) == 2 and given[0] == given[1] and rng.random() < 0.8):
            taken[name] = taken.get(name, 0) + 1
            return name, f"{pinyin(surname)} {pinyin(given)}"


def phone(rng) -> str:
    """Return a number that nobody has: the four digits of the exchange are 0000."""
    return f"1{rng.choice('35789')}{rng.randint(0, 9)}0000{rng.randint(0, 9999):04d}"
