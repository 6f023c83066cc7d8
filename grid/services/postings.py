"""Post workers to cells, end postings, and hand over when someone is away or leaves."""

from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from citysafety.outbox.services import announce
from citysafety.tallies.models import Period

from .. import figures, selectors
from ..facts import GridCounted, PostingEnded, WorkerAway, WorkerBack, WorkerLeft, WorkerPosted
from ..models import Cell, City, Posting, Worker
from .counting import count_changed

AWAY = (Worker.State.LEAVE, Worker.State.ILL)


class CellTaken(Exception):
    """Another worker answers for the cell in that time, or this one does already."""


class WorkerHasLeft(Exception):
    """The worker left the service and takes no posting."""


@transaction.atomic
def post_worker(*, worker_id: int, cell_id: int, role: str, since: date, at: datetime) -> Posting:
    """Let a worker answer for a cell from a day on, and announce it.

    ``role`` is primary or backup; ``since`` a day of the city.

    :raises Worker.DoesNotExist: no such worker.
    :raises Cell.DoesNotExist: no such active cell.
    :raises WorkerHasLeft: the worker left the service.
    :raises CellTaken: the cell has a primary in that time, or the worker is posted there already.
    """
    worker = Worker.objects.select_for_update().get(pk=worker_id)
    cell = Cell.objects.only("pk", "code", "name_zh", "name_en").get(pk=cell_id, active=True)
    if worker.state == Worker.State.LEFT:
        raise WorkerHasLeft(_("Worker %(number)s left the service.") % {"number": worker.number})
    try:
        with transaction.atomic():
            posting = Posting.objects.create(worker=worker, cell=cell, role=role, since=since)
    except IntegrityError as error:
        words = _("Cell %(code)s has somebody responsible from %(since)s on, or this worker already.")
        raise CellTaken(words % {"code": cell.code, "since": f"{since:%F}"}) from error
    settle_area(worker, timezone.localdate(at))
    entry = announce(
        WorkerPosted(
            area_code=cell.code, subject_id=str(worker.pk), state=role, user_id=worker.user_id, cell_id=cell.pk
        ),
        at=at,
    )
    count_changed(entry, kind="worker", at=at, ids=[worker.pk])
    return posting


@transaction.atomic
def end_posting(*, posting_id: int, until: date, at: datetime) -> Posting:
    """End a posting: ``until`` is the first day on which it no longer holds. Announces who answers then.

    :raises Posting.DoesNotExist: no such open posting.
    """
    posting = Posting.objects.select_related("worker", "cell").get(pk=posting_id, until=None)
    worker = Worker.objects.select_for_update().get(pk=posting.worker_id)
    posting.until = max(until, posting.since)
    posting.save(update_fields=["until"])
    settle_area(worker, timezone.localdate(at))
    successor = selectors.responsible(posting.cell, posting.until)
    entry = announce(
        PostingEnded(
            area_code=posting.cell.code, subject_id=str(worker.pk), state=posting.role, user_id=worker.user_id,
            cell_id=posting.cell_id, successor_id=successor.user_id,
        ),
        at=at,
    )  # fmt: skip
    count_changed(entry, kind="worker", at=at, ids=[worker.pk])
    return posting


@transaction.atomic
def set_worker_state(*, worker_id: int, state: str, at: datetime) -> Worker:
    """Say that a worker is on duty, on leave, ill, or has left; announce who answers for the cells meanwhile.

    Whoever leaves loses all postings from today on and may not come back under the same number.

    :raises Worker.DoesNotExist: no such worker.
    :raises WorkerHasLeft: the worker left the service before.
    """
    worker = Worker.objects.select_for_update().get(pk=worker_id)
    if worker.state == state:
        return worker
    if worker.state == Worker.State.LEFT:
        raise WorkerHasLeft(_("Worker %(number)s left the service.") % {"number": worker.number})
    today = timezone.localdate(at)
    cells = [posting.cell for posting in worker.postings.on(today).filter(role="primary").select_related("cell")]
    worker.state = Worker.State(state)
    worker.save(update_fields=["state"])
    if worker.state == Worker.State.LEFT:
        _end_all(worker, today)
        settle_area(worker, today)
    news = {"area_code": worker.area_code, "subject_id": str(worker.pk), "state": state, "user_id": worker.user_id}
    if worker.state == Worker.State.ON_DUTY:
        entry = announce(WorkerBack(**news), at=at)
    else:
        answering = selectors.responsible_for(cells, today) if cells else {}
        handovers = tuple((cell.pk, answering[cell.pk].user_id) for cell in cells)
        fact = WorkerAway if worker.state in AWAY else WorkerLeft
        entry = announce(fact(**news, handovers=handovers), at=at)
    count_changed(entry, kind="worker", at=at, ids=[worker.pk])
    return worker


def _end_all(worker: Worker, today: date) -> None:
    """End what holds today and what would begin later."""
    worker.postings.filter(until=None, since__gt=today).delete()
    worker.postings.filter(until__gt=today, since__gt=today).delete()
    worker.postings.on(today).update(until=today)


def settle_area(worker: Worker, today: date) -> None:
    """Keep the area in which a worker is counted: the first cell answered for, else the centre's division."""
    first = worker.postings.on(today).order_by("-role", "since", "pk").values_list("cell__code", flat=True).first()
    area = first or worker.centre.division_id
    if area != worker.area_code:
        worker.area_code = area
        worker.save(update_fields=["area_code"])


@transaction.atomic
def mark_postings(*, at: datetime) -> int:
    """Let the day begin and end postings in the figures; return how many workers count differently now.

    Run by beat each hour: a second run on a day finds nothing to do.
    """
    today = timezone.localdate(at)
    begun = Posting.objects.on(today).filter(worker=OuterRef("pk"), cell__code=OuterRef("area_code"))
    moved = Worker.objects.exclude(state=Worker.State.LEFT).filter(~Exists(begun)).select_related("centre")
    for worker in moved.select_for_update(of=("self",)):
        settle_area(worker, today)
    if not _anyone_counts_differently(today):
        return 0
    city = City.objects.order_by("code").first()
    entry = announce(GridCounted(area_code=city.code, subject_id=city.code, state="postings"), at=at)
    return count_changed(entry, kind="worker", at=at)


def _anyone_counts_differently(today: date) -> bool:
    """Compare the workers' rows with their last periods, so that a quiet hour announces nothing. Queries: 2."""
    rows = Period.objects.filter(kind="worker").order_by("subject_id", "-pk").distinct("subject_id")
    kept = {row[0]: row[1:] for row in rows.values_list("subject_id", "area", "state", "now")}
    return any(
        kept.get(subject.subject_id) != (subject.area, subject.state, list(subject.now))
        for subject in figures.recount_workers(on=today)
    )
