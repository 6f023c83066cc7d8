"""`reconcile` finds nothing in a sound city, and everything that was bent."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from citysafety.tallies import figures
from citysafety.tallies.figures import Recount
from citysafety.tallies.models import OPEN, Period, Tally

from .probes import move
from .test_fold import day_of_head
from .test_positions import CELL, moved

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def city(probes):
    """Two probes, one of them closed again, and the rows that say so."""
    day = day_of_head()
    first = moved("a", now=["probes.open"], today=["probes.found_today"], extra_area="370502001001901")
    moved("a", previous=first, today=["probes.closed_today"], state="closed")
    moved("b", now=["probes.open"], area="370503", category="gas", amounts={"probes.size": 40})
    moved("c", now=["probes.open"], area="3705")
    rows = [
        Recount("a", CELL, "", "", "closed", [], {day: ["probes.found_today", "probes.closed_today"]}, {}),
        Recount("b", "370503", "", "gas", "", ["probes.open"], {}, {"probes.size": 40}),
        ("c", "3705", "", "", "", ["probes.open"], {}, None),
    ]
    figures.register_subject("probe", lambda: rows)
    return rows


def reconciled() -> tuple[int, str]:
    out, status = StringIO(), 0
    try:
        call_command("reconcile", stdout=out, stderr=StringIO())
    except SystemExit as end:
        status = end.code
    return status, out.getvalue()


def test_a_sound_city_has_no_differences(city):
    assert reconciled() == (0, "differences: 0\n")


def test_a_change_that_waits_for_the_relay_is_no_difference(city):
    with transaction.atomic():
        move("d", area=CELL, day=day_of_head(), now=["probes.open"])
    city.append(Recount("d", CELL, "", "", "", ["probes.open"], {}, {}))
    assert reconciled() == (0, "differences: 0\n")


@pytest.mark.parametrize(
    ("bend", "says"),
    [
        (lambda: Tally.objects.filter(area="370502").update(value=9), "tallies: probes.closed_today 370502"),
        (lambda: Tally.objects.filter(area="3705", day__gt="2000-01-01").delete(), "areas and their parts: probes.found_today 3705"),
        (lambda: Tally.objects.create(figure="probes.open", area="370599", value=1, since=1, until=OPEN), "tallies: probes.open 370599: kept 1, counted 0"),
        (lambda: Period.objects.filter(subject_id="b").update(now=[]), "probe b: period"),
        (lambda: Period.objects.filter(subject_id="c").update(subject_id="x"), "probe x: a period without a row"),
        (lambda: Period.objects.filter(subject_id="a").update(today=[]), "probe a: figures of the day differ"),
    ],
)  # fmt: skip
def test_what_was_bent_is_found(city, bend, says):
    bend()
    status, text = reconciled()
    assert status == 1
    assert says in text


def test_a_row_without_a_period_is_found(city):
    city.append(Recount("new", CELL, "", "", "", [], {}, {}))
    assert "probe new: no period" in reconciled()[1]


def test_reconciling_writes_nothing_and_reads_one_snapshot(city):
    seen = []

    def recount():
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only')")
            seen.append(cursor.fetchone())
        return city

    figures.register_subject("probe", recount)
    reconciled()
    assert seen == [("repeatable read", "on")]
