"""Platforms of other operators: JT/T 809, the main link, on which they pass positions of vehicles up.

A platform is a device whose address is its access code; its options hold ``user`` and ``password``. A vehicle is a device
whose address is plate and colour, ``鲁E12345-2``. Only what comes after the log-in is taken.
"""

import hmac
import secrets
from datetime import UTC, datetime

from citysafety.coordinates import BadPosition, wgs84_from_gcj02

from ..intake import jt809
from ..intake.wire import Malformed
from ..known import KnownDevice
from .lots import Line, Lot, clean

NAME = "jt809"
LOGIN, LOGOUT, KEEP_ALIVE = 0x1001, 0x1003, 0x1005
DONE, WRONG_ACCESS_CODE, NO_SUCH_USER, WRONG_PASSWORD = 0, 2, 3, 4
LATER = 0x1203  # positions that could not be sent while the link was down


class Talk:
    """The main link of one platform."""

    def __init__(self, line: Line, trusted: bool = False) -> None:
        self.line, self.trusted, self.splitter = line, trusted, jt809.Splitter()
        self.device: KnownDevice | None = None
        self.is_in = trusted
        self.serial = 0

    def hear(self, data: bytes, received: int, lot: Lot) -> int:
        frames = self.splitter.feed(data)
        for frame in frames:
            try:
                if isinstance(frame, Malformed):
                    raise frame
                self._take(jt809.decode(frame), frame, received, lot)
            except Malformed as error:
                said = data if isinstance(frame, Malformed) else frame
                lot.damaged(NAME, self.device, self.line, received, said, str(error))
        return len(frames)

    def tick(self, received: int, lot: Lot) -> list[bytes]:
        return []

    def close(self, received: int, lot: Lot) -> None:
        """Nothing is left of a stream that ends."""

    def _take(self, message: jt809.Message, frame: bytes, received: int, lot: Lot) -> None:
        if message.header.msg_id == LOGIN:
            self._log_in(message, frame, received, lot)
        elif not self.is_in:
            lot.counts["not let in"] += 1
        elif message.header.msg_id == KEEP_ALIVE:
            self._answer(message, 0x1006, lot)
        elif message.header.msg_id == LOGOUT:
            self.is_in = self.trusted
            self._answer(message, 0x1004, lot)
        elif message.vehicle:
            self._store(message, frame, received, lot)
        elif self.device:
            lot.letter(NAME, self.device, self.line, received, frame, keep=True)

    def _head(self, message: jt809.Message, msg_id: int) -> jt809.Header:
        self.serial += 1
        return jt809.answer_to(message.header, msg_id, self.serial, datetime.now(UTC))

    def _answer(self, message: jt809.Message, msg_id: int, lot: Lot) -> None:
        lot.answer(self.line, jt809.encode_bare(self._head(message, msg_id), msg_id))

    def _log_in(self, message: jt809.Message, frame: bytes, received: int, lot: Lot) -> None:
        address, said = str(message.header.access_code), message.body
        platform = lot.known.find(NAME, address)
        if platform is None:
            result = WRONG_ACCESS_CODE
            lot.meet(NAME, address, received, frame)
        elif said.get("user") != platform.options.get("user"):
            result = NO_SUCH_USER
        elif not hmac.compare_digest(
            str(said.get("password", "")).encode(), str(platform.options.get("password", "")).encode()
        ):
            result = WRONG_PASSWORD
        else:
            result, self.device, self.is_in = DONE, platform, True
            lot.letter(NAME, platform, self.line, received, frame)
        head = self._head(message, 0x1002)
        answer = jt809.encode_login_answer(head, result, secrets.randbelow(1 << 32) if result == DONE else 0)
        if result != DONE:
            lot.counts["wrong code"] += 1
        lot.answer(self.line, answer, hang_up="" if result == DONE else "wrong code")

    def _store(self, message: jt809.Message, frame: bytes, received: int, lot: Lot) -> None:
        address = address_of(message.vehicle)
        vehicle = lot.known.find(NAME, address)
        if vehicle is None:
            lot.meet(NAME, address, received, frame)
            return
        letter = lot.letter(NAME, vehicle, self.line, received, frame, keep=not message.positions)
        for one in message.positions:
            letter.fix(
                repr(one).encode(), one.time, where(one), speed_kmh=one.speed_kmh, course=one.course, flags=one.status,
                alarms=one.alarm, afterwards=message.sub_id == LATER,
            )  # fmt: skip
            values = {"alarms": one.alarm, "status": one.status, "speed": one.speed_kmh, "mileage": one.mileage_km}
            for name, value in values.items():
                if value is not None:
                    letter.value(name, name, one.time, value, afterwards=message.sub_id == LATER, optional=True)
        if error := message.body.get("error"):
            letter.refuse(str(error))
        letter.end()


def address_of(vehicle: jt809.Vehicle | None) -> str:
    """Return plate and colour: the same plate in another colour is another vehicle."""
    return f"{clean(vehicle.plate)}-{vehicle.colour}" if vehicle else ""


def where(one: jt809.Place) -> tuple[float, float] | None:
    """Return lon and lat in WGS 84, or none."""
    if one.lon is None or one.lat is None or not one.status & 0b10:
        return None
    if not one.shifted:
        return one.lon, one.lat
    try:
        return wgs84_from_gcj02(one.lon, one.lat)
    except BadPosition:
        return None
