"""Stations: HJ 212 messages to readings, and the answers that stations wait for.

A channel is the quantity's code of 2017 and the statistic, ``a21028-Rtd``; of minutes, hours and days the command stands
behind it: ``a21028-Avg.2051``, ``.2061``, ``.2031``, ``.2041``. Parts of a long message are taken one by one, since each
is answered by itself and never sent again: each says of what time it is.
"""

from ..intake import hj212
from ..intake.hj212.factors import factor_of
from ..intake.wire import Malformed
from ..known import KnownDevice
from ..storing import BAD, DOUBTFUL, GOOD
from .lots import Letter, Line, Lot

NAME = "hj212"
QUALITY = {  # of data flags, clause 6.6.4; the digits and P are of 2005
    "N": GOOD, "1": GOOD, "3": GOOD, "T": DOUBTFUL, "C": DOUBTFUL, "M": DOUBTFUL, "S": DOUBTFUL, "0": DOUBTFUL,
    "2": DOUBTFUL, "F": BAD, "D": BAD, "B": BAD, "P": BAD,
}  # fmt: skip
SUMS = ("2051", "2061", "2031", "2041")
UPLOADS = ("2011", "2021", *SUMS)


class Talk:
    """One connection of a station, or of a collector that passes several on."""

    def __init__(self, line: Line, trusted: bool = False) -> None:
        self.line, self.splitter = line, hj212.Splitter()
        self.device: KnownDevice | None = None

    def hear(self, data: bytes, received: int, lot: Lot) -> int:
        frames = self.splitter.feed(data)
        for frame in frames:
            try:
                if isinstance(frame, Malformed):
                    raise frame
                self._take(frame, received, lot)
            except Malformed as error:
                said = data if isinstance(frame, Malformed) else frame
                lot.damaged(NAME, self.device, self.line, received, said, str(error))
        return len(frames)

    def tick(self, received: int, lot: Lot) -> list[bytes]:
        return []

    def close(self, received: int, lot: Lot) -> None:
        """Nothing is left of a stream that ends."""

    def _take(self, frame: bytes, received: int, lot: Lot) -> None:
        message = hj212.decode(frame, "off")  # whose it is says how its check word is made
        device = lot.known.find(NAME, message.mn)
        if device is None:
            if not any(_is_whole(frame, mode) for mode in ("standard", "modbus_le")):
                raise Malformed("check word of none of the known ways, from a station that nobody knows")
            lot.meet(NAME, message.mn, received, frame)
            return
        self.device = device
        crc = device.options.get("crc_mode", "standard")
        hj212.decode(frame, crc)
        letter = lot.letter(NAME, device, self.line, received, frame, keep=message.cn not in UPLOADS)
        password = device.options.get("password")
        if password and message.head.get("PW") != password:
            letter.refuse("wrong password (PW)")
            return
        try:
            self._read(letter, message)
        except Malformed as error:
            letter.refuse(str(error))
        letter.end()
        lot.answer(self.line, hj212.answer(message, crc))

    @staticmethod
    def _read(letter: Letter, message: hj212.Message) -> None:
        if message.cn not in UPLOADS:
            return
        at, behind = message.data_time, f".{message.cn}" if message.cn in SUMS else ""
        for one in message.measured():
            factor = factor_of(one.code)
            code = factor.code if factor else one.code
            quality = GOOD if one.flag is None else QUALITY.get(one.flag, DOUBTFUL)
            for statistic, value in one.values.items():
                letter.value(f"{code}-{statistic}{behind}", code, one.sampled_at or at, value, quality=quality)


def _is_whole(frame: bytes, mode: hj212.CrcMode) -> bool:
    try:
        hj212.decode(frame, mode)
    except Malformed:
        return False
    return True
