"""The people of the demo's offices: handlers of each department and dispatchers of each county, invented.

They cannot sign in; the demo accounts can. They make the city whole: every case has someone whose turn it is.
"""

import random
import secrets

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX

from citysafety.accounts.models import Department, Level, Role, User
from grid.models import Division

FAMILY = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
GIVEN = [
    "建国",
    "晓峰",
    "丽华",
    "志远",
    "春梅",
    "文涛",
    "海燕",
    "永强",
    "雪琴",
    "明亮",
    "玉兰",
    "国庆",
    "佳宁",
    "振东",
    "秀英",
    "子轩",
]


def make_staff(*, seed: int) -> int:
    """Give every department two handlers and every county two dispatchers where they have none; return how many."""
    rnd = random.Random(seed)
    fresh = []

    def hire(username: str, role: Role, area: str, **more: object) -> None:
        fresh.append(
            User(
                username=username, password=UNUSABLE_PASSWORD_PREFIX + secrets.token_hex(20), role=role, area_code=area,
                name_zh=rnd.choice(FAMILY) + rnd.choice(GIVEN), **more,
            )
        )  # fmt: skip

    staffed = set(User.objects.filter(role=Role.DEPARTMENT_HANDLER).values_list("department_id", flat=True))
    for department in Department.objects.exclude(pk__in=staffed).order_by("code"):
        level = Level.CITY if len(department.area_code) == 4 else Level.COUNTY
        for n in (1, 2):
            hire(
                f"{department.code.lower()}-{n}", Role.DEPARTMENT_HANDLER, department.area_code, department=department,
                level=level, may_sign=n == 1,
            )  # fmt: skip
    manned = set(User.objects.filter(role=Role.DISPATCHER, level=Level.COUNTY).values_list("area_code", flat=True))
    for county in Division.objects.filter(level="county").exclude(code__in=manned).order_by("code"):
        for n in (1, 2):
            hire(f"{county.code}-dispatch-{n}", Role.DISPATCHER, county.code, level=Level.COUNTY)
    User.objects.bulk_create(fresh)
    return len(fresh)
