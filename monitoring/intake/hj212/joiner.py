"""HJ 212-2017, clause 6.4.4: messages that came in parts are put together again."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from monitoring.intake.hj212.messages import Message, Pairs
from monitoring.intake.wire import Malformed

MOST_PARTS = 100  # of one message; a hundred kilobytes
Key = tuple[str, str, str, str, int]


@dataclass
class _Open:
    since: datetime
    of: int
    parts: dict[int, Message] = field(default_factory=dict)

    def size(self) -> int:
        return sum(_size(part) for part in self.parts.values())


def _size(message: Message) -> int:
    return sum(len(name) + len(value) for name, value in (*message.head.items(), *message.items))


class Joiner:
    """Keeps the parts of messages until the last has come, of all stations of a connection.

    Each part is answered on its own and not sent again, so nothing is thrown away: a message that is waited for too
    long, or has to make room, is handed over with what came of it, and `Message.missing` names the parts that did not.
    """

    def __init__(
        self, most: int = 64, most_characters: int = 1_000_000, patience: timedelta = timedelta(minutes=2)
    ) -> None:
        self.most, self.most_characters, self.patience = most, most_characters, patience
        self._open: dict[Key, _Open] = {}
        self._characters = 0

    def add(self, message: Message, at: datetime) -> list[Message]:
        """Return the messages that are done now, those that were given up first.

        :raises Malformed: its part numbers make no sense; nothing is kept of it.
        """
        part = message.part
        if part is None or part[1] == 1:
            return [*self.late(at), message]
        number, of = part
        if of > MOST_PARTS:
            raise Malformed(f"PNUM={of}, expected at most {MOST_PARTS}")
        done = self.late(at)
        key = (message.mn, message.head.get("ST", ""), message.cn, message.area.get("DataTime", ""), of)
        waiting = self._open.setdefault(key, _Open(at, of))
        before = waiting.size()
        waiting.parts[number] = message
        self._characters += waiting.size() - before
        if len(waiting.parts) == of:
            done.append(self._close(key))
        while len(self._open) > self.most or self._characters > self.most_characters:
            done.append(self._close(next(iter(self._open))))
        return done

    def late(self, at: datetime) -> list[Message]:
        """Return, with what came of them, the messages whose first part came too long ago."""
        old = [key for key, waiting in self._open.items() if at - waiting.since > self.patience]
        return [self._close(key) for key in old]

    def _close(self, key: Key) -> Message:
        waiting = self._open.pop(key)
        self._characters -= waiting.size()
        parts = [waiting.parts[number] for number in sorted(waiting.parts)]
        missing = tuple(number for number in range(1, waiting.of + 1) if number not in waiting.parts)
        return Message(_whole_head(parts[0]), _joined(parts), missing)


def _whole_head(first: Message) -> dict[str, str]:
    return {name: value for name, value in first.head.items() if name not in ("PNUM", "PNO")}


def _joined(parts: list[Message]) -> Pairs:
    """Return the items of all parts; each part repeats DataTime."""
    first, *rest = parts
    return first.items + tuple(pair for part in rest for pair in part.items if pair[0] != "DataTime")
