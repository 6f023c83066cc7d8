"""The drawing of a clock: what counts and what does not lie where their hours are, and the sum adds up."""

from datetime import datetime, timedelta

import pytest
from django.utils.translation import override

from citysafety.worktime import CITY_TIME, Calendar, Year, due_after
from hazards import clockface, desk

CALENDAR = Calendar({2026: Year("announced", "test")})
MONDAY = datetime(2026, 11, 23, tzinfo=CITY_TIME)


def at(hour: int, minute: int = 0, second: int = 0, *, days: int = 0) -> datetime:
    return MONDAY + timedelta(days=days, hours=hour, minutes=minute, seconds=second)


def sums(start, amount, unit, *, used=0):
    return due_after(start, amount, unit, CALENDAR, consumed_s=used).arithmetic.as_dict()


def kinds(face):
    return [piece.kind for piece in face.pieces]


def test_lunch_is_hatched_and_what_is_spent_ends_now():
    face = clockface.draw(sums(at(10), 4, "work_hours"), at=at(11), is_running=True)  # 10:00–12:00, 14:00–16:00

    assert kinds(face) == ["spent", "ahead", "still", "ahead"]
    spent, ahead, lunch, rest = face.pieces
    assert (spent.begin, spent.end, ahead.end) == pytest.approx((0, 100 / 6, 100 / 3))
    assert (lunch.begin, lunch.end, rest.end) == pytest.approx((100 / 3, 200 / 3, 100))
    assert face.now == "16.67%"
    assert lunch.words


def test_a_pause_of_the_clock_stands_where_now_is_within_it():
    face = clockface.draw(sums(at(10), 4, "work_hours"), at=at(13), is_running=True)
    assert kinds(face) == ["spent", "still", "ahead"]
    assert face.now == "50.00%"


def test_what_is_over_takes_the_end_of_the_bar_however_long_it_is():
    for late in (at(16, 1), at(16, days=300)):
        face = clockface.draw(sums(at(10), 4, "work_hours"), at=late, is_running=True)
        assert kinds(face) == ["spent", "still", "spent", "over"]
        assert face.pieces[-1].begin == pytest.approx(100 - clockface.LATE_WIDTH)
        assert face.due == f"{100 - clockface.LATE_WIDTH:.2f}%"
        assert face.now == ""


def test_words_under_the_bar_never_lie_on_each_other():
    for minute in range(0, 14 * 24 * 60, 97):
        face = clockface.draw(sums(at(10), 8, "work_days"), at=at(10, minute), is_running=True)
        places = sorted(label.at for label in face.labels)
        near = min(right - left for left, right in zip(places, places[1:], strict=False))
        assert near >= clockface.APART["short"], minute


def test_a_limit_that_was_used_up_before_it_went_on_has_no_bar():
    assert clockface.draw(sums(at(10), 4, "work_hours", used=4 * 3600), at=at(11), is_running=True) is None


def test_what_does_not_count_is_said_in_words_too():
    with override("en"):
        face = clockface.draw(sums(at(10), 4, "work_hours"), at=at(11), is_running=True)
    assert face.still == ["lunch does not count 11-23 12:00–11-23 14:00"]


def minutes_of(spelled: str) -> int:
    terms = spelled.partition(" = ")[0].split(" + ")
    words = [term.replace("work h", "h").split() for term in terms]
    return sum(
        60 * int(word[word.index("h") - 1] if "h" in word else 0) + int(word[word.index("min") - 1]) for word in words
    )


@pytest.mark.parametrize("second", [0, 5, 29, 30, 31, 59])
@pytest.mark.parametrize("used", [0, 1800, 1815, 1845])
def test_the_minutes_of_the_sum_add_up(second, used):
    with override("en"):
        spelled = desk._spelled(sums(at(17, 10, second), 4, "work_hours", used=used), "work_hours")
    assert "17:10–18:00" in spelled
    assert "11-24 08:00–" in spelled
    assert spelled.endswith(" = 4 working hours")
    assert minutes_of(spelled) == 4 * 60


def test_long_limits_and_days_are_counted_not_spelled():
    with override("en"):
        assert desk._spelled(sums(at(10), 90, "work_hours"), "work_hours") == ""
        assert desk._spelled(sums(at(10), 2, "work_days"), "work_days") == ""


def test_a_limit_that_ends_before_the_one_reckoned_ends_the_bar():
    face = clockface.draw(sums(at(10), 4, "work_hours"), at=at(11), is_running=True, due=at(15))  # not at 16:00
    assert kinds(face) == ["spent", "ahead", "still", "ahead"]
    assert [piece.end for piece in face.pieces] == pytest.approx([20, 40, 80, 100])
    assert (face.due, face.now, face.labels[1].words) == ("100.00%", "20.00%", "11-23 15:00")
    assert "over" in kinds(clockface.draw(sums(at(10), 4, "work_hours"), at=at(15, 30), is_running=True, due=at(15)))
