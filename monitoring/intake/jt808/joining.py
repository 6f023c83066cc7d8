"""Sub-packages of long messages, joined; what does not come is asked for, and forgotten in the end."""

from dataclasses import dataclass, field
from typing import NamedTuple

from monitoring.intake.jt808.bodies import Resend
from monitoring.intake.jt808.encode import terminal_of
from monitoring.intake.jt808.framing import AGAIN, Header, Terminal
from monitoring.intake.wire import Malformed

ASKED_AT_MOST = 125  # numbers in one question: 0x8003 of 2013 counts them with one byte
COST = 100  # bytes that keeping a sub-package takes, however short it is


class Missing(NamedTuple):
    """Sub-packages to ask a terminal for, by 0x8003."""

    terminal: Terminal
    resend: Resend


@dataclass(slots=True)
class _Open:
    """A message of which something is still to come."""

    header: Header  # of the sub-package that came first
    first: int  # serial number of sub-package 1
    began: float
    heard: float
    parts: dict[int, bytes] = field(default_factory=dict)
    size: int = 0
    asked: int = 0

    @property
    def missing(self) -> list[int]:
        return [number for number in range(1, self.header.total + 1) if number not in self.parts]


class Joiner:
    """Joins the sub-packages that come over one connection; bounded in messages, in bytes and in their age.

    Times are seconds of any clock that does not go back, and are passed in.
    """

    def __init__(
        self, *, messages: int = 8, size: int = 4 << 20, age_s: float = 180, quiet_s: float = 10, times: int = 3
    ) -> None:
        self._messages, self._limit, self._age_s, self._quiet_s, self._times = messages, size, age_s, quiet_s, times
        self._open: list[_Open] = []  # the oldest first
        self.given_up = 0  # messages that never became whole

    @property
    def held(self) -> int:
        """Return about how many bytes are kept."""
        return sum(message.size for message in self._open)

    def feed(self, header: Header, body: bytes, at: float) -> tuple[Header, bytes] | None:
        """Return the whole message when this sub-package was the last that lacked, with the serial number of number 1.

        :raises Malformed: one message alone is more than is kept at all; it is forgotten.
        """
        if not header.is_part:
            return header, body
        self.expire(at)
        message = self._message_of(header, at)
        message.heard = at
        if header.number not in message.parts:
            message.parts[header.number] = body
            message.size += len(body) + COST
        if len(message.parts) == header.total:
            self._open.remove(message)
            whole = b"".join(message.parts[number] for number in range(1, header.total + 1))
            return message.header._replace(serial=message.first, number=1, total=1), whole
        if message.size > self._limit:
            self._give_up(message)
            raise Malformed(f"sub-packages of more than {self._limit} bytes")
        while self.held > self._limit or len(self._open) > self._messages:
            self._give_up(self._open[0])
        return None

    def expire(self, at: float) -> None:
        """Forget what is older than the limit."""
        for message in [one for one in self._open if at - one.began > self._age_s]:
            self._give_up(message)

    def missing(self, at: float) -> list[Missing]:
        """Return what to ask for now: of messages that have been quiet for a while, a few times at most."""
        self.expire(at)
        asking = []
        for message in self._open:
            if at - message.heard >= self._quiet_s and message.asked < self._times:
                message.asked += 1
                message.heard = at  # the next question waits as long again
                numbers = tuple(message.missing[:ASKED_AT_MOST])
                asking.append(Missing(terminal_of(message.header), Resend(message.first, numbers)))
        return asking

    def _message_of(self, header: Header, at: float) -> _Open:
        alike = [
            one
            for one in self._open
            if (one.header.phone, one.header.msg_id, one.header.total) == (header.phone, header.msg_id, header.total)
        ]
        first = (header.serial - header.number + 1) % AGAIN
        for one in alike:
            if one.first == first:
                return one
        # Some terminals send again what was asked for under new serial numbers.
        if len(alike) == 1 and alike[0].asked and header.number not in alike[0].parts:
            return alike[0]
        message = _Open(header, first, at, at)
        self._open.append(message)
        return message

    def _give_up(self, message: _Open) -> None:
        self._open.remove(message)
        self.given_up += 1
