"""How good the alarms are: false ones, chattering ones, stale ones by rule; how many a desk has in ten minutes.

Sources: EEMUA 191, 3rd edition (rates of a desk, stale and chattering alarms); ISA-18.2-2016, clause 16.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Exists, F, Func, OuterRef, Q
from django.db.models.functions import Left
from django.utils.timezone import localtime

from citysafety.names import chosen
from grid.models import Division

from .filters import stale_q
from .models import Alarm, AlarmStep

DAYS = (7, 1, 30)
TEN_MINUTES = timedelta(minutes=10)


class Window(Func):
    """The ten minutes that a moment lies in, by their beginning."""

    template = "date_bin('10 minutes', %(expressions)s, TIMESTAMPTZ '2000-01-01 00:00:00+08')"


@dataclass(frozen=True, slots=True)
class Number:
    """A number with the list that it counts."""

    value: int
    address: str


@dataclass(frozen=True, slots=True)
class OfRule:
    """What a rule raised within the days, and how much of it was good for something."""

    name: str
    raised: Number
    judged: Number
    false: Number
    chattered: Number
    stale: Number

    @property
    def false_share(self) -> int | None:
        """Return the percentage of what was judged that was false; None of nothing."""
        return round(100 * self.false.value / self.judged.value) if self.judged.value else None


@dataclass(frozen=True, slots=True)
class OfDesk:
    """How many alarms a desk was told in ten minutes: on average, at most, and how often more than one can follow."""

    name: str
    raised: Number
    average: float
    peak: Number
    peak_at: datetime
    over: int
    over_percent: float


def measured(user: Any, area: str, days: int, most: int, *, at: datetime) -> dict[str, Any]:
    """Return the rows by rule and by desk, of the alarms that a person may see in an area. Queries: 4."""
    since = at - timedelta(days=days)
    seen = Alarm.objects.visible_to(user).filter(area_code__startswith=area)
    asked = {"area": area, "since": localtime(since).isoformat(timespec="minutes")}
    return {"rules": _by_rule(seen, since, asked, at), "desks": _by_desk(seen, since, area, days, most, asked)}


def _address(**asked: Any) -> str:
    return f"/monitoring/alarms/?{urlencode(asked, doseq=True)}"


def _by_rule(seen: Any, since: datetime, asked: dict[str, str], at: datetime) -> list[OfRule]:
    """Return the rules that raised something or have stale alarms, those with the most first. Queries: 2."""
    since = localtime(since).replace(second=0, microsecond=0)  # as the address says it
    flapped = AlarmStep.objects.filter(alarm=OuterRef("pk"), action="flap")
    rows = seen.filter(raised_at__gte=since).annotate(flapped=Exists(flapped))
    counted = rows.values("rule__code", "rule__name_zh", "rule__name_en").annotate(
        raised=Count("pk"),
        judged=Count("pk", filter=~Q(verdict="")),
        false=Count("pk", filter=Q(verdict=Alarm.Verdict.FALSE)),
        chattered=Count("pk", filter=Q(flapped=True)),
    )
    stale = seen.filter(stale_q(at)).values("rule__code", "rule__name_zh", "rule__name_en").annotate(stale=Count("pk"))
    by_code: dict[str, dict[str, Any]] = defaultdict(dict)
    for row in [*counted.order_by(), *stale.order_by()]:
        by_code[row["rule__code"]] |= row
    found = [_of_rule(row, asked) for row in by_code.values()]
    return sorted(found, key=lambda row: (-row.raised.value, row.name))


def _of_rule(row: dict[str, Any], asked: dict[str, str]) -> OfRule:
    of_rule = {**asked, "rule": row["rule__code"]}
    return OfRule(
        name=chosen(row["rule__name_zh"], row["rule__name_en"]),
        raised=Number(row.get("raised", 0), _address(**of_rule)),
        judged=Number(row.get("judged", 0), _address(**of_rule, verdict=["real", "false"])),
        false=Number(row.get("false", 0), _address(**of_rule, verdict="false")),
        chattered=Number(row.get("chattered", 0), _address(**of_rule, chattered="true")),
        stale=Number(row.get("stale", 0), _address(area=asked["area"], rule=row["rule__code"], stale="true")),
    )


def _by_desk(seen: Any, since: datetime, area: str, days: int, most: int, asked: dict[str, str]) -> list[OfDesk]:
    """Return the desks that were told something: the counties of a city, else the area itself. Queries: 2."""
    since = localtime(since).replace(second=0, microsecond=0)
    digits = 6 if len(area) == 4 else max(1, len(area))
    rows = seen.sounded().filter(raised_at__gte=since)
    rows = rows.values(desk=Left("area_code", digits), window=Window(F("raised_at"))).annotate(many=Count("pk"))
    windows: dict[str, list[tuple[int, datetime]]] = defaultdict(list)
    for desk, window, many in rows.order_by().values_list("desk", "window", "many"):
        windows[desk].append((many, window))
    divisions = Division.objects.filter(code__in=windows).only("code", "name_zh", "name_en")
    names = {one.code: one.name for one in divisions}
    return [_of_desk(desk, names.get(desk, desk), windows[desk], days, most, asked) for desk in sorted(windows)]


def _of_desk(
    desk: str, name: str, windows: Iterable[tuple[int, datetime]], days: int, most: int, asked: dict[str, str]
) -> OfDesk:
    windows = list(windows)
    of_days = days * 144  # ten minutes of a day
    total, over = sum(many for many, _at in windows), sum(many > most for many, _at in windows)
    peak, peak_at = max(windows)
    heard = {"area": desk, "sounded": "true"}
    begins = localtime(peak_at)
    bounds = {
        "since": begins.isoformat(timespec="minutes"),
        "until": (begins + TEN_MINUTES).isoformat(timespec="minutes"),
    }
    return OfDesk(
        name, Number(total, _address(**{**asked, **heard})), round(total / of_days, 2),
        Number(peak, _address(**heard, **bounds)), peak_at, over, round(100 * over / of_days, 1),
    )  # fmt: skip
