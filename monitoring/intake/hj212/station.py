"""What a station sends to the centre: data, its own requests, and answers to the centre's (HJ 212-2017, appendix C)."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from monitoring.intake.hj212.centre import SYSTEM, Station
from monitoring.intake.hj212.codes import IS_SPLIT, REQUEST_ANSWERS, RESULTS, WANTS_ANSWER, Word
from monitoring.intake.hj212.frames import MAX_DATA_LENGTH, frame
from monitoring.intake.hj212.messages import DETAILS, STATISTICS, Measured, Message, written

UPLOADS = ("2011", "2021", "2031", "2041", "2051", "2061")


def encode_data(
    station: Station, cn: str, data_time: datetime, measured: Iterable[Measured], *, qn: datetime, answered: bool = True
) -> list[bytes]:
    """Return data of a moment (2011, 2021) or of a period that began then, in as many frames as it takes.

    Each part repeats DataTime, and its QN is a millisecond later than that of the part before (clause 6.4.4).
    """
    if cn not in UPLOADS:
        raise ValueError(f"CN={cn}, expected one of {', '.join(UPLOADS)}")
    time = f"DataTime={written(data_time)}"
    flag = WANTS_ANSWER if answered else 0
    longest = MAX_DATA_LENGTH - len(
        station.segment(cn, "0" * 17, time + ";", flag=0, part="PNUM=9999;PNO=9999;").encode()
    )
    areas = _areas([_item(each) for each in measured], longest)
    if len(areas) == 1:
        texts = [station.segment(cn, written(qn, milliseconds=True), ";".join([time, *areas[0]]), flag=flag)]
    else:
        texts = [
            station.segment(
                cn,
                written(qn + timedelta(milliseconds=number), milliseconds=True),
                ";".join([time, *items]),
                flag=flag | IS_SPLIT,
                part=f"PNUM={len(areas)};PNO={number + 1};",
            )
            for number, items in enumerate(areas)
        ]
    return [frame(text, station.crc) for text in texts]


def _areas(items: list[str], longest: int) -> list[list[str]]:
    """Share the items out in their order, each share short enough for one frame; at least one share."""
    areas: list[list[str]] = [[]]
    room = longest
    for item in items:
        size = len(item.encode()) + 1
        if size > room and areas[-1]:
            areas.append([])
            room = longest
        room -= size
        areas[-1].append(item)
    return areas


def _item(measured: Measured) -> str:
    """Return ``code-Rtd=…,code-Flag=…``, in the order of the standard's examples."""
    fields = {
        "SampleTime": written(measured.sampled_at) if measured.sampled_at else None,
        **{kind: _number(measured.values[kind]) for kind in (*STATISTICS, "RS", "RT") if kind in measured.values},
        **{kind: measured.details[kind] for kind in DETAILS if kind in measured.details},
        "Flag": measured.flag,
    }
    return ",".join(f"{measured.code}-{kind}={value}" for kind, value in fields.items() if value is not None)


def _number(value: float) -> str:
    """Return a decimal number without exponent, as short as it is exact."""
    text = f"{value:.10f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def encode_start_up(station: Station, restarted: datetime, *, qn: datetime) -> bytes:
    """Tell when the station was started (2081)."""
    area = f"DataTime={written(qn)};RestartTime={written(restarted)}"
    return frame(station.segment("2081", written(qn, milliseconds=True), area, flag=WANTS_ANSWER), station.crc)


def encode_clock_request(station: Station, *, qn: datetime, instrument: str = "") -> bytes:
    """Ask the centre for the time (1013); it answers 9013 and then sets the clock by 1012."""
    area = f"PolId={instrument}" if instrument else ""
    return frame(station.segment("1013", written(qn, milliseconds=True), area, flag=WANTS_ANSWER), station.crc)


def encode_ready(station: Station, to: Message, code: int = 1) -> bytes:
    """Answer a request at once (9011): whether it will be carried out."""
    return _reply(station, "9011", to, f"QnRtn={_known(code, REQUEST_ANSWERS)}")


def encode_result(station: Station, to: Message, code: int = 1) -> bytes:
    """Answer a request when it was carried out (9012)."""
    return _reply(station, "9012", to, f"ExeRtn={_known(code, RESULTS)}")


def encode_notice_answer(station: Station, to: Message) -> bytes:
    """Answer a notice of the centre, such as 2012 (9013)."""
    return _reply(station, "9013", to, "")


def encode_clock(station: Station, to: Message, now: datetime) -> bytes:
    """Answer 1011 with the station's time."""
    return frame(station.segment("1011", to.qn, f"SystemTime={written(now)}"), station.crc)


def encode_interval(station: Station, to: Message, seconds: int) -> bytes:
    """Answer 1061 with the interval of real-time data."""
    return frame(station.segment("1061", to.qn, f"RtdInterval={seconds}"), station.crc)


def _reply(station: Station, cn: str, to: Message, area: str) -> bytes:
    return frame(station.segment(cn, to.qn, area, st=SYSTEM), station.crc)


def _known(code: int, table: Mapping[int, Word]) -> int:
    if code not in table:
        raise ValueError(f"{code}, expected one of {', '.join(map(str, table))}")
    return code


def accepted(answer: Message, sent: str) -> bool:
    """Test whether a message is the centre's answer (9013, 9014) to what was sent with this QN."""
    return answer.cn in ("9013", "9014") and answer.qn == sent
