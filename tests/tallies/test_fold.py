"""The fold against a naive recount, at every position."""

from collections import Counter
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citysafety.areas import lineage
from citysafety.outbox.models import Head, OutboxEntry
from citysafety.outbox.relay import relay_waiting
from citysafety.outbox.selectors import head
from citysafety.tallies import selectors
from citysafety.tallies.models import OPEN, Fold, Period, Tally
from citysafety.tallies.services import fold, rebuild

from .probes import move

AREAS = ["370502", "370502001", "370502001001001", "370502001001002", "370502002001001", "370503001001001", "3705"]
DEDICATED = ["", "370502001001901", "370503001001901"]
COUNTS = ["probes.open", "probes.loud", "probes.found_today", "probes.closed_today", "probes.size"]
CITY_TIME = ZoneInfo("Asia/Shanghai")

change = st.fixed_dictionaries(
    {
        "subject": st.sampled_from("abcde"),
        "area": st.sampled_from(AREAS),
        "extra_area": st.sampled_from(DEDICATED),
        "category": st.sampled_from(["", "fire", "gas"]),
        "now": st.sets(st.sampled_from(["probes.open", "probes.loud"])),
        "today": st.sets(st.sampled_from(["probes.found_today", "probes.closed_today"])),
        "amounts": st.sampled_from([{}, {"probes.size": 40}, {"probes.size": 12.5}]),
        "batch_ends": st.booleans(),
        "day_ends": st.integers(0, 9).map(lambda n: n == 0),
    }
)


def relay() -> None:
    relay_waiting(listen={}, project=[fold])


def clear() -> None:
    for model in (Tally, Fold, Period, OutboxEntry, Head):
        model.objects.all().delete()


def day_of_head() -> date:
    return head().as_of.astimezone(CITY_TIME).date()


def naive(
    history: list[tuple[int, date, dict]], area: str, position: int, day: date, category: str | None = None
) -> Counter:
    """Count from the list of all changes, the way a person would."""
    current, earned, counts = {}, set(), Counter()
    for place, dealt_on, given in history:
        if place > position:
            break
        current[given["subject"]] = given
        here = area in lineage(given["area"]) or area == given["extra_area"]
        here = here and category in (None, given["category"])
        for key in given["today"]:
            if (given["subject"], dealt_on, key) not in earned:
                earned.add((given["subject"], dealt_on, key))
                counts[key] += here and dealt_on == day
    for given in current.values():
        if (area in lineage(given["area"]) or area == given["extra_area"]) and category in (None, given["category"]):
            counts.update(given["now"])
            counts.update(given["amounts"])
    return counts


@given(changes=st.lists(change, min_size=1, max_size=16))
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_figure_at_every_position_equals_a_naive_recount(db, probes, changes):
    clear()
    previous, history, day = {}, [], day_of_head()
    pending = []

    def deal():
        nonlocal pending
        relay()
        first = head().position - len(pending) + 1
        history.extend((first + n, on, given) for n, (on, given) in enumerate(pending))
        pending = []

    for given_ in changes:
        counts = {k: given_[k] for k in ("extra_area", "category", "now", "today", "amounts")}
        subject = given_["subject"]
        with transaction.atomic():
            previous[subject] = move(subject, area=given_["area"], day=day, previous=previous.get(subject), **counts)
        pending.append((day, given_))
        if given_["batch_ends"] or given_["day_ends"]:
            deal()
        if given_["day_ends"]:
            day += timedelta(days=1)
            Head.objects.update(as_of=head().as_of + timedelta(days=1))
    deal()

    places = [0, *(place for place, *_ in history)]
    for position in places:
        on = selectors.standing(position).day
        for area, board in selectors.boards({*AREAS, *DEDICATED, "370502001001"} - {""}, position).items():
            expected = naive(history, area, position, on)
            assert {key: board.figures[key] for key in COUNTS} == {key: expected[key] for key in COUNTS}
            if area in ("3705", "370502001001901"):
                for key in COUNTS[:4]:
                    rows = selectors.members("probe", key, area, position)
                    assert rows.count() == expected[key], (key, area, position)
        for category in ("fire", "gas"):
            for key in COUNTS[:4]:
                shown = selectors.by_category(key, "3705", position)
                assert shown.get(category, 0) == naive(history, "3705", position, on, category)[key]
    last = places[-1]
    assert selectors.boards(AREAS) == selectors.boards(AREAS, last)
    for category in ("fire", "gas"):
        for key in COUNTS[:4]:
            expected = naive(history, "3705", last, selectors.standing().day, category)[key]
            assert selectors.by_category(key, "3705").get(category, 0) == expected

    kept = set(Tally.objects.filter(until=OPEN).values_list("figure", "area", "category", "day", "value"))
    rebuild()
    assert kept == set(Tally.objects.filter(until=OPEN).values_list("figure", "area", "category", "day", "value"))


def test_what_is_announced_but_not_dealt_counts_nowhere_yet(db, probes):
    with transaction.atomic():
        move("a", area="370502001001001", day=day_of_head(), now=["probes.open"])

    assert selectors.board("3705").figures["probes.open"] == 0
    relay()
    assert selectors.board("3705").figures["probes.open"] == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"now": ["probes.lost"]},
        {"now": ["probes.found_today"]},
        {"today": ["probes.open"]},
        {"now": ["probes.loud_ratio"]},
    ],
)
def test_a_figure_nobody_registered_or_of_the_wrong_sort_is_refused(db, probes, wrong):
    with pytest.raises(ValueError, match=r"registered|_today"), transaction.atomic():
        move("a", area="3705", day=day_of_head(), **wrong)
    assert not OutboxEntry.objects.exists()
