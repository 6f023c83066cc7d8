"""Group commit: who waits together is carried together, and nobody pays for another's mistake."""

import threading

import pytest

from citysafety.convoy import Convoy


def together(convoy, loads, first_is_under_way):
    """Let one load set out, all others wait meanwhile; return each one's outcome."""
    outcomes = {}

    def ride(load):
        try:
            outcomes[load] = convoy.ride(load)
        except ValueError as error:
            outcomes[load] = error

    threads = [threading.Thread(target=ride, args=[load]) for load in loads]
    threads[0].start()
    assert first_is_under_way.wait(5)
    [thread.start() for thread in threads[1:]]
    while len(convoy._waiting) < len(loads) - 1:
        pass
    first_is_under_way.go_on.set()
    [thread.join(5) for thread in threads]
    return outcomes


class Gate(threading.Event):
    """Set once somebody is under way; holds him until ``go_on``."""

    def __init__(self):
        super().__init__()
        self.go_on = threading.Event()

    def hold(self):
        if not self.is_set():
            self.set()
            assert self.go_on.wait(5)


def test_who_comes_while_one_is_under_way_shares_the_next_group():
    groups, gate = [], Gate()

    def carry(loads):
        groups.append(sorted(loads))
        gate.hold()
        return [load * 10 for load in loads]

    assert together(Convoy(carry), [1, 2, 3, 4], gate) == {1: 10, 2: 20, 3: 30, 4: 40}
    assert groups == [[1], [2, 3, 4]]


def test_what_is_wrong_with_one_stops_nobody_else():
    gate = Gate()

    def carry(loads):
        gate.hold()
        if 3 in loads:
            raise ValueError("three")
        return loads

    outcomes = together(Convoy(carry), [1, 2, 3, 4], gate)
    assert {load: outcomes[load] for load in (1, 2, 4)} == {1: 1, 2: 2, 4: 4}
    assert str(outcomes[3]) == "three"


def test_a_group_has_a_largest_size_and_the_longest_waiting_lead_on():
    groups, gate = [], Gate()

    def carry(loads):
        groups.append(len(loads))
        gate.hold()
        return loads

    assert len(together(Convoy(carry, most=2), list(range(6)), gate)) == 6
    assert groups == [1, 2, 2, 1]


def test_after_an_error_the_next_one_leads_again():
    calls = []

    def carry(loads):
        calls.append(loads)
        if len(calls) == 1:
            raise ValueError("once")
        return loads

    convoy = Convoy(carry)
    with pytest.raises(ValueError, match="once"):
        convoy.ride("a")
    assert convoy.ride("a") == "a"
