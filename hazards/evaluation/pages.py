"""Pages of the evaluation: the table of an area, the same as a file, and what gives reason to ask."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_POST

from citysafety import areas
from citysafety.accounts.doors import desk_page, people_only
from citysafety.accounts.roles import Role
from citysafety.api import area_asked, number_in
from citysafety.sheets import sheet
from grid.models import Division

from ..lifecycle import STAGES
from . import access, doubting, services
from .asking import PERIODS, Asked, asked_for
from .models import Detector
from .selectors import DIMENSIONS, MOST_ROWS, Row, Table
from .words import COUNTS, SHOWN, formula_words

PERIOD_WORDS = {
    "day": pgettext_lazy("period", "Day"),
    "week": gettext_lazy("Week"),
    "month": gettext_lazy("Month"),
    "quarter": gettext_lazy("Quarter"),
    "days": gettext_lazy("From – to"),
}
AGAIN_S = 3  # until a page that waits looks again
ROWS = 50  # of doubts


@desk_page
def evaluation(request: HttpRequest) -> HttpResponse:
    """GET /hazards/evaluation/: the indicators of an area over some days, each count a link to its list.

    Queries: 5 with the choice of areas, besides what every page asks; 1 for another area than the own. However many rows.
    """
    look = asked_for(request)
    here, own = look.area, request.user.area_code
    lineage = [code for code in areas.lineage(here) if areas.covers(own, code)]
    divisions = Division.objects.filter(code__in=lineage) | Division.objects.filter(parent=here[:12])
    context: dict[str, Any] = {
        "look": look,
        "refusals": list(look.refused.values()),
        "areas": [(one.code, one.name) for one in divisions.only("code", "name_zh", "name_en").order_by("code")],
        "dimensions": [(name, DIMENSIONS[name].label) for name in look.dimensions],
        "periods": [(name, PERIOD_WORDS[name]) for name in PERIODS],
        "query": request.GET.urlencode(),
        "sees_doubts": access.sees_workers(request.user),
    }
    if look.table:
        context |= _drawn(look, look.table)
    answer = render(request, "hazards/evaluation/evaluation.html", context)
    if look.is_waiting:
        answer["Refresh"] = str(AGAIN_S)
    return answer


def _drawn(look: Asked, table: Table) -> dict[str, Any]:
    """Return the table as the page draws it."""
    return {
        "table": table,
        "counts": [COUNTS[key] for key in SHOWN],
        "rules": [(COUNTS[key].label, COUNTS[key].rule) for key in COUNTS],
        "formulas": [(one, formula_words(one.numerator), formula_words(one.denominator)) for one in table.indicators],
        "stages": [stage.label for stage in STAGES] if look.with_times else [],
        "rows": [_line(row, table, look) for row in table.rows[:MOST_ROWS]],
        "total": _line(table.total, table, look) if table.total else None,
        "unshown": max(0, len(table.rows) - MOST_ROWS),
        "most": MOST_ROWS,
        "dimension": DIMENSIONS[table.dimension].label,
    }


def _line(row: Row, table: Table, look: Asked) -> dict[str, Any]:
    figures = [(key, row.counts[key], row.weighed[key], row.list_of(key, table.days)) for key in SHOWN]
    times = [row.times.get(str(stage)) for stage in STAGES] if look.with_times else []
    return {"row": row, "figures": figures, "times": times, "down": _down(row, table)}


def _down(row: Row, table: Table) -> str:
    """Return the address of the evaluation inside an area, empty for what has no inside."""
    inside = {"county": "township", "township": "department"}.get(table.dimension)
    if not inside or not row.key:
        return ""
    asked = {"area": row.key, "by": inside, "from": table.days.first, "to": table.days.last}
    return f"{reverse('evaluation')}?{urlencode(asked)}"


@desk_page
def evaluation_sheet(request: HttpRequest, kind: str) -> HttpResponse:
    """GET /hazards/evaluation/export.csv, .xlsx: the table of the same address, all its rows. Queries: 5."""
    look = asked_for(request)
    if look.table is None:  # the page says what was not understood, or that it is being worked out
        return redirect(f"{reverse('evaluation')}?{request.GET.urlencode()}")
    table = look.table
    stages = list(STAGES) if look.with_times else []
    header = [
        DIMENSIONS[table.dimension].label, _("Rank"), _("Score"), *(one.name for one in table.indicators),
        *(COUNTS[key].label for key in SHOWN), *(stage.label for stage in stages),
    ]  # fmt: skip
    rows = [*table.rows, *([table.total] if table.total else [])]
    return sheet(
        request,
        kind,
        title=_("Evaluation"),
        filters=f"{_('Area')}: {table.area}; {_('Period')}: {table.days.first} – {table.days.last}",
        header=[str(one) for one in header],
        rows=(
            [
                row.name or _("All cases"),
                row.rank or "",
                _number(row.score),
                *(_number(share.percent, " %") for share in row.shares),
                *(row.counts[key] for key in SHOWN),
                *(_number(row.times.get(str(stage))) for stage in stages),
            ]
            for row in rows
        ),
        at=table.as_of,
        note=_too_few(table),
    )


def _number(value: float | None, unit: str = "") -> str:
    return "" if value is None else f"{value:.1f}{unit}"


def _too_few(table: Table) -> str:
    words = _(
        "With fewer than %(n)s cases that should be closed nobody is ranked; shares of fewer cases bring no points."
    )
    return words % {"n": table.rule.least}


@desk_page
def doubts(request: HttpRequest) -> HttpResponse:
    """GET /hazards/evaluation/doubts/: patterns of one's area that give reason to ask, the newest first.

    Queries: at most 7 besides what every page asks, however many rows.
    """
    if not access.sees_workers(request.user):
        raise PermissionDenied
    area, asked = area_asked(request), request.GET
    detectors = list(Detector.objects.filter(active=True))
    code, with_set_aside = asked.get("detector", ""), asked.get("set_aside") == "true"
    rows = doubting.seen_by(request.user, area).order_by("-week", "-found_at", "-pk")
    if code:
        rows = rows.filter(detector__code=code)
    if not with_set_aside:
        rows = rows.filter(set_aside=None)
    page = Paginator(rows, ROWS).get_page(number_in(asked.get("page", "")) or 1)
    context = {
        "area": area,
        "detectors": detectors,
        "chosen": code,
        "with_set_aside": with_set_aside,
        "page": page,
        "rows": doubting.shown(page.object_list, request.user),
        "as_of": timezone.now(),
        "query": asked.urlencode(),
    }
    return render(request, "hazards/evaluation/doubts.html", context)


@people_only
@require_POST
def set_aside(request: HttpRequest, pk: int) -> HttpResponse:
    """POST /hazards/evaluation/doubts/<id>/set-aside/: say why nothing follows from a doubt; supervisors of its area."""
    finding = get_object_or_404(doubting.seen_by(request.user), pk=pk)
    if request.user.role != Role.SUPERVISOR:
        raise PermissionDenied
    reason = request.POST.get("reason", "").strip()[:2000]
    if not reason:
        messages.error(request, _("A doubt is set aside with a reason; none was given."))
    else:
        try:
            services.set_aside(finding=finding, reason=reason, by=request.user, at=timezone.now())
            messages.success(request, _("Set aside; the reason is kept."))
        except services.SetAsideBefore:
            messages.error(request, _("Somebody has set it aside already."))
    return redirect(f"{reverse('evaluation-doubts')}?{urlencode({'area': request.POST.get('area', '')})}")
