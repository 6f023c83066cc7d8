"""Group commit: requests that come while one transaction is under way share the next one. Pure.

A commit waits for the disk and a statement for the way there and back, whether it carries one row or fifty.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

Load = TypeVar("Load")
Result = TypeVar("Result")


class _Seat:
    """One thread's place: what it brings, and what it is woken for."""

    def __init__(self, load: Any) -> None:
        self.load, self.leads, self.outcome = load, False, None
        self.woken = threading.Event()


class Convoy(Generic[Load, Result]):
    """Carries loads in groups, one group at a time in a process; whoever comes first leads with the own thread.

    ``carry`` gets the loads of a group and returns their results in order, all or nothing. When it raises, each load
    is carried alone, so that what is wrong with one stops nobody else, and its own thread gets the exception.
    """

    def __init__(self, carry: Callable[[Sequence[Load]], Sequence[Result]], *, most: int = 100) -> None:
        self._carry, self._most = carry, most
        self._waiting: deque[_Seat] = deque()
        self._under_way = False
        self._lock = threading.Lock()

    def ride(self, load: Load) -> Result:
        """Return the result of a load once its group has been carried. Raises what carrying it raised."""
        seat = _Seat(load)
        with self._lock:
            self._waiting.append(seat)
            seat.leads = not self._under_way
            self._under_way = True
        if not seat.leads:
            seat.woken.wait()
        if seat.leads:
            self._lead()
        result, error = seat.outcome
        if error is not None:
            raise error
        return result

    def _lead(self) -> None:
        with self._lock:
            group = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._most))]
        try:
            for seat, outcome in zip(group, self._outcomes([seat.load for seat in group]), strict=True):
                seat.outcome = outcome
        finally:
            with self._lock:
                self._under_way = bool(self._waiting)
                if self._waiting:  # the longest waiting leads on
                    self._waiting[0].leads = True
                    self._waiting[0].woken.set()
            for seat in group:
                seat.outcome = seat.outcome or (None, RuntimeError("the group was given up"))
                seat.woken.set()

    def _outcomes(self, loads: Sequence[Load]) -> list[tuple[Result | None, Exception | None]]:
        try:
            return [(result, None) for result in self._carry(loads)]
        except Exception as error:
            if len(loads) == 1:
                return [(None, error)]
        return [outcome for load in loads for outcome in self._outcomes([load])]
