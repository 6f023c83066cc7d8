"""Clocks that run out, and figures that agree with their lists."""

from datetime import timedelta

import pytest

from citysafety.outbox.models import OutboxEntry
from citysafety.outbox.relay import relay_waiting
from citysafety.tallies import selectors as tallies
from citysafety.tallies import services as tally_services
from hazards.models import Hazard, Mark
from hazards.selectors import pinned
from hazards.services import mark_overdue
from tests.factories import HOME, NOON, file_hazard, make_city, person

pytestmark = pytest.mark.django_db


def relay():
    while relay_waiting(listen={}, project=(tally_services.fold,)):
        pass


def test_a_clock_that_ran_out_is_marked_once_whatever_the_number_of_sweeps():
    make_city()
    hazard = file_hazard(person("grid_worker"))
    late = hazard.due_at + timedelta(minutes=1)

    marked = [mark_overdue(at=hazard.due_at - timedelta(seconds=1)), *(mark_overdue(at=late) for _ in range(3))]

    assert marked == [0, 1, 0, 0]
    assert Mark.objects.filter(hazard=hazard).count() == 1
    assert OutboxEntry.objects.filter(topic="hazard.mark_overdue").count() == 1
    assert Hazard.objects.get(pk=hazard.pk).overdue


def test_figures_and_their_lists_agree_at_every_position():
    make_city()
    worker = person("grid_worker")
    hazards = [file_hazard(worker) for _ in range(3)]
    relay()
    first = tallies.board(HOME)
    mark_overdue(at=hazards[0].due_at + timedelta(seconds=1))
    relay()
    second = tallies.board(HOME)

    def value(board, key):
        return board.figures[key]

    assert (value(first, "hazards.open"), value(first, "hazards.overdue")) == (3, 0)
    assert (value(second, "hazards.open"), value(second, "hazards.overdue")) == (3, 3)
    everything = Hazard.objects.all()
    for board in (first, second):
        for key in ("hazards.open", "hazards.overdue"):
            assert pinned(everything, figure=key, area=HOME, at=board.position).count() == value(board, key)


def test_a_missing_calendar_year_is_said_and_never_guessed():
    make_city()
    hazard = file_hazard(person("grid_worker"), at=NOON.replace(year=2031))

    assert (hazard.due_at, hazard.due_reason) == (None, "calendar 2031 missing")
