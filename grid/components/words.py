"""How the columns of a file of components are called, and what is said of a value that cannot be."""

from django.utils.translation import gettext_lazy as _

from citysafety.names import in_english

MOST_ROWS = 100_000
MOST_BYTES = 24 * 1024 * 1024

# By column: what it is called on pages, and the titles under which files bring it.
COLUMNS = {
    "code": (_("code"), ("code", "部件标识码", "部件编码", "编码", "标识码")),
    "kind": (_("class"), ("class", "部件类别", "小类代码", "类别代码", "类别")),
    "name_zh": (_("name"), ("name", "name_zh", "部件名称", "名称")),
    "name_en": (_("English name"), ("name_en", "英文名称")),
    "department": (_("department in charge"), ("department", "主管部门", "主管部门代码", "主管部门名称")),
    "owner": (_("owner"), ("owner", "权属单位", "权属单位名称")),
    "maintainer": (_("maintainer"), ("maintainer", "养护单位", "养护单位名称")),
    "state": (_("state"), ("state", "部件状态", "状态")),
    "lon": (_("longitude"), ("lon", "lng", "longitude", "x", "经度")),
    "lat": (_("latitude"), ("lat", "latitude", "y", "纬度")),
    "surveyed_on": (_("surveyed on"), ("surveyed_on", "普查日期", "采集日期", "初始日期")),
    "note": (_("note"), ("note", "备注")),
}
REQUIRED = ("code", "department", "lon", "lat")
COLUMN_OF = {title: column for column, (_label, titles) in COLUMNS.items() for title in titles}
LABELS = {column: label for column, (label, _titles) in COLUMNS.items()} | {"location": _("place"), "cell": _("cell")}

STATES = {
    "完好": "intact", "破损": "broken", "丢失": "missing", "废弃": "abandoned", "移除": "moved",
    "intact": "intact", "broken": "broken", "missing": "missing", "abandoned": "abandoned", "moved": "moved",
}  # fmt: skip

# What was expected, by the key that a wrong row keeps; said in the language of whoever reads it.
EXPECTED = {
    "columns": _("as many values as there are columns: %(more)s"),
    "digits": _("16 digits"),
    "division": _("a county of the city in digits 1 to 6"),
    "class": _("a minor class of the catalogue in digits 7 to 10"),
    "same_class": _("the class of the code, %(more)s"),
    "once": _("each code once; it stands in line %(more)s already"),
    "department": _("code or name of one department"),
    "state": _("one of %(more)s"),
    "degrees": _("degrees as a decimal number"),
    "point": _("a point"),
    "city": _("a place in the city"),
    "area": _("a place in your area, %(more)s"),
    "own": _("a component that is registered in your area, %(more)s"),
    "day": _("a day that has been, as YYYY-MM-DD"),
    "short": _("at most %(more)s characters"),
}


def expected(key: str, more: object) -> str:
    """Say what was expected of a value."""
    return str(EXPECTED[key]) % {"more": more}


def title_of(column: str) -> str:
    """Return the title under which a file brings a column, in the active language."""
    english, *chinese = COLUMNS[column][1]
    return english if in_english() else next(title for title in chinese if not title.isascii())
