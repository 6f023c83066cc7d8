"""Frames of JT/T 808 laid out by hand, and what hypothesis may make of messages."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from monitoring.intake import jt808

HEARTBEAT = bytes.fromhex("7e 0002 0000 013812345678 0001 32 7e")
# alarm 0x3: SOS, overspeed; status 0xC0303: ACC, located, full, GPS, Beidou; 37.434210 N, 118.674660 E; 12 m; 61.5 km/h; 271°
BODY = "00000003 000c0303 023b33c2 0712d3a4 000c 0267 010f 261123140305"
ITEMS = "01 04 0001e240  30 01 1f  31 01 0c"


def sealed(inner: str | bytes) -> bytes:
    """Return the frame of a header and a body, with check byte and escapes made the long way."""
    data = bytes.fromhex(inner) if isinstance(inner, str) else inner
    check = 0
    for byte in data:
        check ^= byte
    escaped = b"".join({0x7E: b"\x7d\x02", 0x7D: b"\x7d\x01"}.get(byte, bytes([byte])) for byte in (*data, check))
    return b"\x7e" + escaped + b"\x7e"


def of_2013(msg_id: int, body: str | bytes, *, phone: str = "013812345678", serial: int = 1) -> bytes:
    data = bytes.fromhex(body) if isinstance(body, str) else body
    return sealed(bytes.fromhex(f"{msg_id:04x}{len(data):04x}{phone}{serial:04x}") + data)


def of_2019(msg_id: int, body: str | bytes, *, phone: str = "00000000013812345678", serial: int = 1) -> bytes:
    data = bytes.fromhex(body) if isinstance(body, str) else body
    return sealed(bytes.fromhex(f"{msg_id:04x}{len(data) | 0x4000:04x}01{phone}{serial:04x}") + data)


POSITION = of_2013(0x0200, BODY + ITEMS)

words, dwords = st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)
editions = st.sampled_from(list(jt808.Edition))
terminals = st.builds(
    jt808.Terminal, st.from_regex(r"[1-9][0-9a-f]{0,11}", fullmatch=True), editions, st.integers(1, 255)
)
times = st.integers(946_684_800, 4_102_358_400).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
items = st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=40)), max_size=5)
positions = st.builds(
    jt808.make,
    st.floats(-90, 90),
    st.floats(-180, 180),
    times,
    speed_kmh=st.integers(0, 6000).map(lambda tenths: tenths / 10),
    course=st.integers(0, 359),
    altitude=words,
    alarm=dwords,
    status=dwords.map(lambda bits: bits & ~0b1100),
    items=items,
)


def words_of(size: int) -> st.SearchStrategy[str]:
    """Return texts of so many bytes at most, as a field with zeros behind it keeps them."""
    alphabet = st.sampled_from("鲁EA京测试危化品0123456789ABCDEFxyz")
    return st.text(alphabet, max_size=size // 2)
