"""What the centre sends to a station: answers to what it uploaded, and requests (HJ 212-2017, appendix C)."""

from dataclasses import dataclass
from datetime import datetime

from monitoring.intake.hj212.codes import NOTICES, WANTS_ANSWER
from monitoring.intake.hj212.frames import CrcMode, frame
from monitoring.intake.hj212.messages import Message, written

SYSTEM = "91"  # ST of what the two systems say to each other
REAL_TIME_SECONDS = range(30, 3601)
MINUTE_INTERVALS = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)


@dataclass(frozen=True, slots=True)
class Station:
    """Whom a request goes to, or whom a message comes from."""

    mn: str
    pw: str = "123456"
    st: str = "22"
    version: int = 1  # 0 speaks the edition of 2005
    crc: CrcMode = "standard"

    def segment(self, cn: str, qn: str, area: str, *, st: str | None = None, flag: int = 0, part: str = "") -> str:
        """Return a data segment of this station, its area between CP=&& and &&."""
        head = f"QN={qn};ST={st or self.st};CN={cn};PW={self.pw};MN={self.mn};Flag={self.version << 2 | flag};"
        return f"{head}{part}CP=&&{area}&&"


def answer(message: Message, crc: CrcMode = "standard") -> bytes | None:
    """Return the answer that a station waits for: 9014 to data, 9013 to a notice; ``None`` where it waits for none."""
    if not message.wants_answer or message.cn.startswith("9"):
        return None
    cn = "9013" if message.cn in NOTICES else "9014"
    if message.version == 0:
        area = f"QN={message.qn};CN={message.cn}" if cn == "9014" else f"QN={message.qn}"
        return frame(f"ST={SYSTEM};CN={cn};CP=&&{area}&&", crc)
    head = f"QN={message.qn};ST={SYSTEM};CN={cn};PW={message.head.get('PW', '')};MN={message.mn};"
    return frame(f"{head}Flag={message.version << 2};CP=&&&&", crc)


def request(station: Station, cn: str, area: str, qn: datetime) -> bytes:
    """Return a request; the station answers 9011, then what was asked, then 9012, each with this QN."""
    return frame(station.segment(cn, written(qn, milliseconds=True), area, flag=WANTS_ANSWER), station.crc)


def ask_clock(station: Station, *, qn: datetime) -> bytes:
    return request(station, "1011", "", qn)


def set_clock(station: Station, to: datetime, *, qn: datetime) -> bytes:
    return request(station, "1012", f"SystemTime={written(to)}", qn)


def ask_interval(station: Station, *, qn: datetime) -> bytes:
    """Ask how often it sends real-time data."""
    return request(station, "1061", "", qn)


def set_interval(station: Station, seconds: int, *, qn: datetime) -> bytes:
    """Have it send real-time data every so many seconds. :raises ValueError: not 30…3600 (clause 6.6.6)."""
    if seconds not in REAL_TIME_SECONDS:
        raise ValueError(f"interval of {seconds} s, expected {REAL_TIME_SECONDS.start}…{REAL_TIME_SECONDS[-1]}")
    return request(station, "1062", f"RtdInterval={seconds}", qn)


def ask_minute_interval(station: Station, *, qn: datetime) -> bytes:
    return request(station, "1063", "", qn)


def set_minute_interval(station: Station, minutes: int, *, qn: datetime) -> bytes:
    """Have it send minute data of so many minutes. :raises ValueError: the hour is not cut evenly (clause 6.6.6)."""
    if minutes not in MINUTE_INTERVALS:
        raise ValueError(f"interval of {minutes} min, expected one of {', '.join(map(str, MINUTE_INTERVALS))}")
    return request(station, "1064", f"MinInterval={minutes}", qn)


def ask_real_time(station: Station, *, qn: datetime) -> bytes:
    return request(station, "2011", "", qn)


def stop_real_time(station: Station, *, qn: datetime) -> bytes:
    """Stop real-time data: a notice, which the station answers by 9013."""
    return request(station, "2012", "", qn)


def ask_history(station: Station, cn: str, begin: datetime, end: datetime, *, qn: datetime) -> bytes:
    """Ask for the data of a time gone by: 2031 days, 2041 running times, 2051 minutes, 2061 hours."""
    if cn not in ("2031", "2041", "2051", "2061"):
        raise ValueError(f"CN={cn} has no history")
    return request(station, cn, f"BeginTime={written(begin)},EndTime={written(end)}", qn)
