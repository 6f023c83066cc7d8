"""A tiny kind of subject, so that outbox, tallies and live can be tried without the apps above them."""

from dataclasses import dataclass

from citysafety.outbox.facts import Fact
from citysafety.outbox.services import announce
from citysafety.tallies.figures import COUNT, RATIO, SUM, Figure
from citysafety.tallies.models import Period
from citysafety.tallies.services import record

FIGURES = [
    Figure(key="probes.open", kind=COUNT, unit="pieces", definition="not closed", list_path="/api/v1/probes/", list_query={"figure": "probes.open"}, page="/probes/"),
    Figure(key="probes.loud", kind=COUNT, unit="pieces"),
    Figure(key="probes.found_today", kind=COUNT, unit="pieces", list_path="/api/v1/probes/"),
    Figure(key="probes.closed_today", kind=COUNT, unit="pieces"),
    Figure(key="probes.loud_ratio", kind=RATIO, numerator="probes.loud", denominator="probes.open"),
    Figure(key="probes.size", kind=SUM, unit="m²", field="size"),
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeMoved(Fact):
    topic = "probe.moved"
    kind: str = "probe"
    secret: str = "张三 13800000000"

    def payload(self) -> dict:
        return {"secret": self.secret}


def move(subject: str, *, area: str, day, previous: Period | None = None, **counts) -> Period:
    """Announce a change of a probe and record what it counts in; the caller holds the transaction."""
    entry = announce(ProbeMoved(area_code=area, subject_id=subject, state=counts.get("state", "")))
    return record(entry, kind="probe", subject_id=subject, area=area, day=day, previous=previous, **counts)
