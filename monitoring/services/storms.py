"""Many alarms of one cell within minutes are one piece of news."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Count, F

from ..models import Alarm, AlarmPolicy, Storm


def in_storms(new: Sequence[Alarm], *, at: datetime) -> None:
    """Put new alarms into the storm of their cell where there is one, or where they make one.

    Statements: 2, 1 for each storm that goes on, 2 for each that begins.
    """
    heard = [alarm for alarm in new if alarm.cell_id and not alarm.quiet]
    if not heard:
        return
    policy = AlarmPolicy.present()
    since = at - timedelta(seconds=policy.storm_within_s)
    cells = Counter(alarm.cell_id for alarm in heard)
    under_way = {storm.cell_id: storm for storm in Storm.objects.filter(cell__in=cells, last_at__gt=since)}
    lately = Alarm.objects.filter(cell__in=cells, raised_at__gt=since, quiet="", storm=None).values_list("cell")
    before = dict(lately.annotate(many=Count("pk")).order_by())
    for cell, many in cells.items():
        storm = under_way.get(cell)
        if storm is None and before.get(cell, 0) + many < policy.storm_from:
            continue
        if storm is None:
            area = next(alarm.area_code for alarm in heard if alarm.cell_id == cell)
            storm = Storm.objects.create(cell_id=cell, area_code=area, began_at=at, last_at=at, count=many)
        else:
            Storm.objects.filter(pk=storm.pk).update(last_at=at, count=F("count") + many)
        for alarm in heard:
            if alarm.cell_id == cell:
                alarm.storm = storm
