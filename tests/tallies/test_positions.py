"""Positions: how long they can be read, what a day's turn does, and what a screen costs."""

import json
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from citysafety.outbox.models import Head, OutboxEntry
from citysafety.outbox.selectors import head
from citysafety.tallies import selectors
from citysafety.tallies.models import OPEN, Fold, Tally
from citysafety.tallies.selectors import PositionAhead, PositionGone
from citysafety.tallies.services import prune, rebuild

from .probes import move
from .test_fold import CITY_TIME, day_of_head, relay

CELL = "370502001001001"


def moved(subject: str, previous=None, **counts):
    with transaction.atomic():
        period = move(
            subject, area=counts.pop("area", CELL), day=counts.pop("day", day_of_head()), previous=previous, **counts
        )
    relay()
    period.refresh_from_db()
    return period


def test_a_board_costs_one_query_whatever_it_shows(db, probes, django_assert_num_queries):
    first = moved("a", now=["probes.open", "probes.loud"], today=["probes.found_today"], amounts={"probes.size": 12.5})
    moved("a", previous=first, now=["probes.open"])

    with django_assert_num_queries(1):
        board = selectors.board("3705")
    assert board.figures == {
        "probes.open": 1, "probes.loud": 0, "probes.found_today": 1, "probes.closed_today": 0,
        "probes.loud_ratio": 0.0, "probes.size": 0,
    }  # fmt: skip
    with django_assert_num_queries(1):
        assert selectors.board("370502", 1).figures["probes.size"] == 12.5
    with django_assert_num_queries(1):
        assert set(selectors.boards(["3705", "370502", CELL])) == {"3705", "370502", CELL}
    with django_assert_num_queries(1):
        assert json.loads(selectors.cell_counts(("probes.open", "probes.loud"), "3705")) == {CELL: [1, 0]}
    with django_assert_num_queries(2):
        assert len(selectors.days("probes.found_today", "3705", 30)) == 30


def test_a_ratio_of_nothing_has_no_value(db, probes):
    assert selectors.board("3705").figures["probes.loud_ratio"] is None


def test_a_ratio_is_not_rounded(db, probes):
    for n in range(3):
        moved(str(n), now=["probes.open", *(["probes.loud"] if n else [])])
    assert selectors.board("3705").figures["probes.loud_ratio"] == 2 / 3


def test_the_next_day_starts_from_nothing_and_the_day_before_stays_in_the_series(db, probes):
    day = day_of_head()
    moved("a", now=["probes.open"], today=["probes.found_today"])
    evening = head().position
    Head.objects.update(as_of=head().as_of + timedelta(days=1))
    moved("b", day=day + timedelta(days=1), now=["probes.open"])

    today = selectors.board("3705")
    assert (today.figures["probes.found_today"], today.figures["probes.open"]) == (0, 2)
    assert selectors.board("3705", evening).figures["probes.found_today"] == 1
    assert today.as_of.astimezone(CITY_TIME).date() == day + timedelta(days=1)
    assert selectors.days("probes.found_today", "3705", 2) == [(day, 1), (day + timedelta(days=1), 0)]
    assert selectors.days("probes.found_today", "3705", 2, evening) == [(day - timedelta(days=1), 0), (day, 1)]


def test_positions_of_the_last_hour_stay_readable_and_older_ones_are_gone(db, probes):
    period = moved("a", now=["probes.open"])
    for n in range(5):
        period = moved("a", previous=period, now=["probes.open", "probes.loud"] if n % 2 == 0 else ["probes.open"])
    before = {at: selectors.board("3705", at) for at in (3, 4, 5, 6)}
    Fold.objects.filter(position__lte=3).update(as_of=timezone.now() - timedelta(hours=3))
    before[3] = selectors.board("3705", 3)

    assert prune(before=timezone.now() - timedelta(hours=2)) > 0

    assert {at: selectors.board("3705", at) for at in (3, 4, 5, 6)} == before
    assert selectors.members("probe", "probes.open", "3705", 4).count() == 1
    for read in (selectors.board, lambda area, at: selectors.members("probe", "probes.open", area, at)):
        with pytest.raises(PositionGone):
            read("3705", 2)
    with pytest.raises(PositionAhead):
        selectors.board("3705", 7)
    assert Tally.objects.filter(until__lte=3).count() == 0
    assert prune(before=timezone.now() - timedelta(hours=2)) == 0


def test_pruning_never_takes_what_stands(db, probes):
    moved("a", now=["probes.open"])
    Fold.objects.update(as_of=timezone.now() - timedelta(hours=3))
    prune(before=timezone.now())
    assert selectors.board("3705").figures["probes.open"] == 1


def test_after_a_rebuild_imported_history_counts_and_the_news_goes_on(db, probes):
    moved("a", now=["probes.open"])
    imported = moved("b", now=["probes.open"])
    # What a bulk import leaves behind: periods that nobody folded.
    Tally.objects.all().delete()
    assert rebuild() == Tally.objects.filter(until=OPEN).count() == 5

    moved("b", previous=imported)
    assert selectors.board("3705").figures["probes.open"] == 1
    assert selectors.board("3705", 2).figures["probes.open"] == 2
    with pytest.raises(PositionGone):
        selectors.board("3705", 1)


def test_a_figure_and_its_list_agree_when_a_case_moves_between_areas(db, probes):
    first = moved("a", now=["probes.open"], today=["probes.found_today"], area=CELL)
    moved("a", previous=first, now=["probes.open"], area="370503001001001")

    for at in (1, 2):
        for area in ("3705", "370502", "370503"):
            figures = selectors.board(area, at).figures
            for key in ("probes.open", "probes.found_today"):
                assert selectors.members("probe", key, area, at).count() == figures[key]
    assert OutboxEntry.objects.count() == 2
