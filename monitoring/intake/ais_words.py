"""The words of AIS (ITU-R M.1371-5): what a vessel is and does, in English and Chinese, and whose an MMSI is (M.585-9)."""

from typing import NamedTuple


class Words(NamedTuple):
    en: str
    zh: str


NAVIGATION_STATUS = {  # M.1371-5 table 45; 15 is "not defined" and told as nothing
    0: Words("under way using engine", "机动航行"),
    1: Words("at anchor", "锚泊"),
    2: Words("not under command", "失控"),
    3: Words("restricted manoeuvrability", "操纵能力受限"),
    4: Words("constrained by her draught", "吃水受限"),
    5: Words("moored", "系泊"),
    6: Words("aground", "搁浅"),
    7: Words("engaged in fishing", "从事捕鱼"),
    8: Words("under way sailing", "帆航"),
    9: Words("reserved (high-speed craft)", "保留（高速船）"),
    10: Words("reserved (wing in ground)", "保留（地效翼船）"),
    11: Words("power-driven vessel towing astern", "机动船尾拖作业"),
    12: Words("power-driven vessel pushing ahead or towing alongside", "机动船顶推或旁拖作业"),
    13: Words("reserved", "保留"),
    14: Words("search and rescue transmitter active", "搜救发射器启动"),
}

_KINDS = {  # M.1371-5 table 53, first digit
    2: Words("wing in ground", "地效翼船"),
    4: Words("high-speed craft", "高速船"),
    6: Words("passenger ship", "客船"),
    7: Words("cargo ship", "货船"),
    8: Words("tanker", "液货船"),
    9: Words("other ship", "其他船舶"),
}
_CARGO = {  # second digit: what she carries (dangerous goods, harmful substances, marine pollutants)
    1: Words("hazardous category X", "X类危害货物"),
    2: Words("hazardous category Y", "Y类危害货物"),
    3: Words("hazardous category Z", "Z类危害货物"),
    4: Words("hazardous category OS", "OS类危害货物"),
}
_SPECIAL = {  # M.1371-5 table 53, codes with a meaning of their own
    30: Words("fishing vessel", "渔船"),
    31: Words("towing", "拖船"),
    32: Words("towing, longer than 200 m or wider than 25 m", "拖带（长逾200米或宽逾25米）"),
    33: Words("dredging or underwater operations", "疏浚或水下作业船"),
    34: Words("diving operations", "潜水作业船"),
    35: Words("military operations", "军事行动船"),
    36: Words("sailing vessel", "帆船"),
    37: Words("pleasure craft", "游艇"),
    50: Words("pilot vessel", "引航船"),
    51: Words("search and rescue vessel", "搜救船"),
    52: Words("tug", "拖轮"),
    53: Words("port tender", "港口供应船"),
    54: Words("anti-pollution vessel", "防污染船"),
    55: Words("law enforcement vessel", "执法船"),
    56: Words("local vessel", "地方船舶"),
    57: Words("local vessel", "地方船舶"),
    58: Words("medical transport", "医疗运输船"),
    59: Words("non-combatant ship", "非交战国船舶"),
}


def ship_words(code: int | None) -> Words | None:
    """Return what a code of ship and cargo type says; None for codes that say nothing."""
    if code is None:
        return None
    if code in _SPECIAL:
        return _SPECIAL[code]
    kind, cargo = _KINDS.get(code // 10), _CARGO.get(code % 10)
    if kind and cargo:
        return Words(f"{kind.en}, {cargo.en}", f"{kind.zh}（{cargo.zh}）")
    return kind


_PREFIXES = (  # M.585-9, the longest first
    ("970", "sart"),  # search and rescue transmitter
    ("972", "mob"),  # man overboard
    ("974", "epirb"),
    ("111", "sar_aircraft"),
    ("00", "coast"),
    ("98", "craft"),  # associated with a parent ship
    ("99", "aton"),
    ("0", "group"),
    ("8", "handheld"),
)
_MID_AFTER = {"sar_aircraft": 3, "coast": 2, "craft": 2, "aton": 2, "group": 1, "handheld": 1, "vessel": 0}
DISTRESS = frozenset({"sart", "mob", "epirb"})
CHINA = frozenset({"412", "413", "414"})  # M.585: maritime identification digits of China


def station_kind(mmsi: int) -> str:
    """Return what kind of station an MMSI belongs to; "unknown" for one that no rule allows (net buoys often have such)."""
    digits = f"{mmsi:09d}"
    for prefix, kind in _PREFIXES:
        if digits.startswith(prefix):
            return kind
    return "vessel" if "2" <= digits[0] <= "7" and len(digits) == 9 else "unknown"


def country_digits(mmsi: int) -> str | None:
    """Return the three digits of the country in an MMSI; None where it has none."""
    at = _MID_AFTER.get(station_kind(mmsi))
    return None if at is None else f"{mmsi:09d}"[at : at + 3]


def is_chinese(mmsi: int) -> bool:
    return country_digits(mmsi) in CHINA
