"""Who answers for a cell, and what is announced when someone is away, leaves or is posted."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from citysafety.outbox.models import OutboxEntry
from citysafety.tallies.selectors import board
from grid import selectors
from grid.models import Cell, Division, Posting, Worker
from grid.services import CellTaken, WorkerHasLeft, end_posting, load_city, mark_postings, post_worker, set_worker_state

from .conftest import AWAY, HOME, NOON, relay

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 23)


@pytest.fixture(autouse=True)
def _city(folder):
    load_city(folder, at=NOON)
    OutboxEntry.objects.update(failed=False)
    relay()


def worker(number: int) -> Worker:
    return Worker.objects.select_related("user").get(number=f"DY{number:05d}")


def cell(code: str) -> Cell:
    return Cell.objects.get(code=code)


def last_fact() -> OutboxEntry:
    return OutboxEntry.objects.order_by("-pk").first()


def test_the_primary_answers_while_on_duty():
    found = selectors.responsible(cell(f"{HOME}001"), TODAY)

    assert (found.role, found.user_id) == ("primary", worker(1).user_id)


def test_the_backup_answers_for_a_primary_who_is_ill_and_the_fact_says_so():
    set_worker_state(worker_id=worker(1).pk, state="ill", at=NOON)

    assert selectors.responsible(cell(f"{HOME}001"), TODAY).user_id == worker(2).user_id
    fact = last_fact()
    assert (fact.topic, fact.live["state"]) == ("worker.away", "ill")
    assert fact.payload["user"] == worker(1).user_id
    assert dict(fact.payload["handovers"]) == {cell(f"{HOME}001").pk: worker(2).user_id, cell(f"{HOME}501").pk: None}


def test_without_primary_and_backup_the_centre_of_the_township_answers_else_of_the_county():
    set_worker_state(worker_id=worker(1).pk, state="leave", at=NOON)
    set_worker_state(worker_id=worker(2).pk, state="leave", at=NOON)

    assert selectors.responsible(cell(f"{HOME}001"), TODAY).name_zh == "文汇网格中心"
    assert selectors.responsible(cell(f"{AWAY}001"), TODAY).name_zh == "河口区网格中心"


def test_who_leaves_loses_all_postings_and_the_figure_falls():
    set_worker_state(worker_id=worker(1).pk, state="left", at=NOON)
    relay()

    assert last_fact().topic == "worker.left"
    assert not worker(1).postings.on(TODAY).exists()
    assert board("3705").figures["workers.assigned"] == 1
    with pytest.raises(WorkerHasLeft):
        set_worker_state(worker_id=worker(1).pk, state="on_duty", at=NOON)


def test_being_back_is_announced_and_counted():
    set_worker_state(worker_id=worker(3).pk, state="on_duty", at=NOON)
    relay()

    assert last_fact().topic == "worker.back"
    assert board("370503").figures["workers.assigned"] == 1


def test_saying_the_same_state_again_announces_nothing():
    before = OutboxEntry.objects.count()
    set_worker_state(worker_id=worker(1).pk, state="on_duty", at=NOON)

    assert OutboxEntry.objects.count() == before


def test_a_cell_with_a_primary_takes_no_second_one_and_nothing_is_announced():
    before = OutboxEntry.objects.count()

    with pytest.raises(CellTaken):
        post_worker(worker_id=worker(2).pk, cell_id=cell(f"{HOME}001").pk, role="primary", since=TODAY, at=NOON)

    assert OutboxEntry.objects.count() == before


def test_an_ended_posting_frees_the_cell_and_names_the_successor():
    held = Posting.objects.get(cell__code=f"{HOME}001", role="primary")

    end_posting(posting_id=held.pk, until=TODAY, at=NOON)

    assert last_fact().payload == {"user": worker(1).user_id, "cell": held.cell_id, "successor": worker(2).user_id}
    Posting.objects.filter(worker=worker(2), cell=held.cell).delete()
    post_worker(worker_id=worker(2).pk, cell_id=held.cell_id, role="primary", since=TODAY, at=NOON)
    assert last_fact().topic == "worker.posted"


def test_the_day_begins_a_posting_in_the_figures_once():
    Posting.objects.filter(worker=worker(2)).delete()
    mark_postings(at=NOON)
    tomorrow = NOON + timedelta(days=1)
    post_worker(
        worker_id=worker(2).pk,
        cell_id=cell("370503001000901").pk,
        role="primary",
        since=TODAY + timedelta(days=1),
        at=NOON,
    )
    relay()
    assert board("3705").figures["workers.assigned"] == 1

    assert mark_postings(at=tomorrow) == 1
    assert mark_postings(at=tomorrow) == 0
    relay()
    assert board("3705").figures["workers.assigned"] == 2
    assert board("370503001000901").figures["workers.assigned"] == 1


def test_the_database_refuses_a_second_primary_of_a_cell_in_the_same_days():
    posting = Posting.objects.get(cell__code=f"{HOME}001", role="primary")
    with pytest.raises(IntegrityError), transaction.atomic():
        Posting.objects.create(
            worker=worker(2),
            cell=posting.cell,
            role="primary",
            since=date(2020, 1, 1),
            until=posting.since + timedelta(days=1),
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        Posting.objects.create(worker=worker(3), cell=posting.cell, role="primary", since=TODAY)
    Posting.objects.create(
        worker=worker(3), cell=posting.cell, role="primary", since=date(2020, 1, 1), until=posting.since
    )


@pytest.mark.parametrize(("code", "level"), [("37050", "county"), ("370502", "village")])
def test_the_database_refuses_a_division_whose_code_does_not_fit(code, level):
    with pytest.raises(IntegrityError), transaction.atomic():
        Division.objects.create(code=code, level=level, name_zh="甲")


@pytest.mark.parametrize("cells", [1, 3])
def test_who_answers_for_several_cells_takes_two_queries(cells, django_assert_num_queries):
    rows = list(Cell.objects.order_by("-code")[:cells])

    with django_assert_num_queries(2):
        assert len(selectors.responsible_for(rows, TODAY)) == cells
