"""The demo accounts: passwords and tokens made at set-up, written to one file that only its owner may read."""

import json
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from .models import AccessToken, Department, Level, Role, User
from .tokens import digest, issue

FILE = "demo-accounts.json"
LABEL = "demo"
EDUCATION = "-JY"  # how the codes of offices of education end
SYLLABLES = [first + vowel for first in "bdfghjklmnprstvz" for vowel in "aeiou"]

# Invented names, said to be illustrative.
NAMES = {
    Role.GRID_WORKER: [("李秀兰", "Li Xiulan"), ("王建军", "Wang Jianjun"), ("刘海涛", "Liu Haitao")],
    Role.DEPARTMENT_HANDLER: [
        ("陈志强", "Chen Zhiqiang"),
        ("孙丽", "Sun Li"),
        ("周文斌", "Zhou Wenbin"),
        ("高雅琴", "Gao Yaqin"),
        ("冯涛", "Feng Tao"),
    ],
    Role.DISPATCHER: [("赵敏", "Zhao Min"), ("郭凯", "Guo Kai"), ("马晓燕", "Ma Xiaoyan"), ("韩冰", "Han Bing")],
    Role.OPERATOR: [("杨帆", "Yang Fan"), ("胡静", "Hu Jing")],
    Role.SUPERVISOR: [("陈国栋", "Chen Guodong"), ("徐慧", "Xu Hui")],
    Role.LEADER: [("张立新", "Zhang Lixin"), ("吴平", "Wu Ping")],
    Role.AUDITOR: [("宋岩", "Song Yan"), ("曹颖", "Cao Ying")],
    Role.SECURITY_OFFICER: [("程刚", "Cheng Gang")],
    Role.ADMINISTRATOR: [("梁雪", "Liang Xue")],
    Role.KIOSK: [("指挥大厅大屏", "Command hall screen")],
}
USERNAMES = {
    Role.GRID_WORKER: "worker", Role.DEPARTMENT_HANDLER: "handler", Role.DISPATCHER: "dispatcher",
    Role.OPERATOR: "operator", Role.SUPERVISOR: "supervisor", Role.LEADER: "leader", Role.AUDITOR: "auditor",
    Role.SECURITY_OFFICER: "security", Role.ADMINISTRATOR: "admin", Role.KIOSK: "wall",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Post:
    """One demo account to fill."""

    role: Role
    area: str
    level: str
    department: Department | None = None
    may_sign: bool = False


def make_demo_accounts(
    var_dir: Path,
    *,
    city: str = "",
    counties: tuple[str, str] = ("370502", "370503"),
    township: str = "370502001",
    workers: Mapping[str, Iterable[User]] | None = None,
    at: datetime | None = None,
) -> Path:
    """Make the demo accounts and write ``demo-accounts.json``; with file and accounts in place change nothing.

    ``workers`` offers, by county, existing users of the loaded city whose postings a demo worker takes over;
    without it the first grid workers of the county are taken, or new users where the city has none.
    Without the file all passwords and tokens are made anew, and the old tokens end.
    """
    path = Path(var_dir) / FILE
    if stands(path):
        return path
    at = at or timezone.now()
    with transaction.atomic():
        rows: dict[str, list[dict[str, Any]]] = {}
        taken: set[int] = set()
        for post in posts(city or settings.CITY_CODE, counties, township):
            mates = rows.setdefault(post.role.value, [])
            user = person_for(post, len(mates), workers or {}, taken)
            mates.append(equip(user, post, at))
            taken.add(user.pk)
    write(path, rows)
    return path


def stands(path: Path) -> bool:
    """Test whether every account of the file exists and its token may be used."""
    try:
        rows = [row for people in json.loads(path.read_text(encoding="utf-8")).values() for row in people]
    except (OSError, ValueError, AttributeError):
        return False
    known = {
        (token.user.username, token.digest)
        for token in AccessToken.objects.filter(label=LABEL, revoked_at=None).select_related("user")
    }
    return bool(rows) and all((row["username"], digest(row["token"])) in known for row in rows)


def posts(city: str, counties: tuple[str, str], township: str) -> list[Post]:
    """Return the accounts that the interfaces promise, in their order."""
    here, there = counties
    first, second = departments(here, there)
    whole = [
        Post(role, area, level)
        for role in (Role.OPERATOR, Role.SUPERVISOR, Role.LEADER, Role.AUDITOR)
        for area, level in ((city, Level.CITY), (here, Level.COUNTY))
    ]
    return [
        *[Post(Role.GRID_WORKER, area, "") for area in (here, here, there)],
        Post(Role.DEPARTMENT_HANDLER, here, Level.COUNTY, first, may_sign=True),
        Post(Role.DEPARTMENT_HANDLER, here, Level.COUNTY, first),
        Post(Role.DEPARTMENT_HANDLER, there, Level.COUNTY, second, may_sign=True),
        *(
            Post(Role.DEPARTMENT_HANDLER, here, Level.COUNTY, office, may_sign=n == 0)
            for n, office in enumerate(_schools(here))
        ),
        Post(Role.DISPATCHER, city, Level.CITY),
        Post(Role.DISPATCHER, here, Level.COUNTY),
        Post(Role.DISPATCHER, here, Level.COUNTY),
        Post(Role.DISPATCHER, township, Level.TOWNSHIP),
        *whole,
        Post(Role.SECURITY_OFFICER, city, Level.CITY),
        Post(Role.ADMINISTRATOR, city, Level.CITY),
        Post(Role.KIOSK, city, Level.CITY),
    ]


def _schools(area: str) -> list[Department]:
    """Return the office of education of a county, once for each of two accounts; a city without one has none."""
    office = Department.objects.filter(area_code=area, code__endswith=EDUCATION).order_by("code").first()
    return [office, office] if office else []


def departments(here: str, there: str) -> tuple[Department, Department]:
    """Return an office of each county; a city without offices gets two emergency bureaus."""
    found = []
    for area in (here, there):
        office = Department.objects.filter(area_code=area).order_by("code").first()
        if office is None:
            office = Department.objects.create(
                code=f"{area}-YJ", area_code=area, name_zh=f"应急管理局({area})", name_en=f"Emergency Bureau ({area})"
            )
        found.append(office)
    return found[0], found[1]


def person_for(post: Post, n: int, workers: Mapping[str, Iterable[User]], taken: set[int]) -> User:
    """Return the user of a post: the one made before, a worker of the loaded city, or a new one."""
    username = f"{USERNAMES[post.role]}{n + 1}"
    user = User.objects.filter(username=username).first()
    if user is None and post.role == Role.GRID_WORKER:
        offered = workers.get(post.area)
        if offered is None:
            offered = User.objects.filter(role=Role.GRID_WORKER, area_code__startswith=post.area).order_by("username")
            offered = offered[: len(taken) + 1]
        user = next((one for one in offered if one.pk not in taken), None)
    name_zh, name_en = NAMES[post.role][n]
    user = user or User(name_zh=name_zh, name_en=name_en)
    user.username = username
    return user


def equip(user: User, post: Post, at: datetime) -> dict[str, Any]:
    """Give a user the post, a new password and a new token, and return its row for the file."""
    is_screen = post.role == Role.KIOSK
    user.role, user.area_code, user.level = post.role, post.area, post.level
    user.department, user.may_sign, user.is_active = post.department, post.may_sign, True
    password = "" if is_screen else readable_password()
    user.set_password(password or None)
    user.save()
    user.access_tokens.filter(label=LABEL, revoked_at=None).update(revoked_at=at)
    return {
        "username": user.username,
        "password": password,
        "token": issue(user, LABEL, at=at),
        "area": post.area,
        "department": post.department.code if post.department else None,
        "level": str(post.level) or None,
    }


def readable_password() -> str:
    """Return a password that can be read out: four words of two syllables and a number, about 57 bits."""
    words = ["".join(secrets.choice(SYLLABLES) for _ in range(2)) for _ in range(4)]
    return f"{'-'.join(words)}-{secrets.randbelow(90) + 10}"


def write(path: Path, rows: dict[str, list[dict[str, Any]]]) -> None:
    """Write the file whole or not at all, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(rows, file, ensure_ascii=False, indent=1)
    part.replace(path)
