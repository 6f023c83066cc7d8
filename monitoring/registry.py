"""What monitoring registers with the rooms below: figures with their lists, how to recount."""

from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from citysafety.tallies.figures import COUNT, Figure, Recount, register_subject
from citysafety.tallies.figures import register as register_figure
from citysafety.workdays import CITY_TIME

from .models import Alarm, AlarmStep
from .standing import OPEN_BY_LEVEL, RAISED_TODAY, counts_now

ALARMS = _("alarms")
WORDS = {
    1: _("Open alarms of level I that are not kept quiet."),
    2: _("Open alarms of level II that are not kept quiet."),
    3: _("Open alarms of level III that are not kept quiet."),
    4: _("Open alarms of level IV that are not kept quiet."),
}
FIGURES = {key: (WORDS[level], f"open=true&level={level}") for level, key in OPEN_BY_LEVEL.items()}
FIGURES[RAISED_TODAY] = (_("Alarms raised today that were not kept quiet."), "raised=today")
A_CHUNK = 5000


def register() -> None:
    """Register everything once the apps stand."""
    for key, (definition, query) in FIGURES.items():
        register_figure(
            Figure(
                key=key,
                kind=COUNT,
                unit=ALARMS,
                definition=definition,
                list_path="/api/v1/alarms/",
                list_query=f"figure={key}",
                page=f"/monitoring/alarms/?{query}",
            )
        )
    register_subject("alarm", recount)


def recount() -> Iterator[Recount]:
    """Count every alarm afresh from its row and its first step; never from what is kept. Queries: 2."""
    raised = dict(AlarmStep.objects.filter(version=1).values_list("alarm", "at"))
    for alarm in Alarm.objects.order_by("pk").iterator(chunk_size=A_CHUNK):
        earned = {} if alarm.quiet else {raised[alarm.pk].astimezone(CITY_TIME).date(): {RAISED_TODAY}}
        yield Recount(
            subject_id=str(alarm.pk), area=alarm.area_code, extra_area="", category="", state=alarm.state,
            now=counts_now(alarm), today=earned, amounts={},
        )  # fmt: skip
