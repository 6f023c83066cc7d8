"""MQTT: what a JSON message means, told by a table of topics and paths (pure; MQTT 5.0, clause 4.7 for topics).

A rule names a topic with ``+``, ``#`` and places such as ``{device}``, and where in the message the value and its time are:
``data.gas[0].ppm``, ``readings["H2S-1"]``, ``list[-1].v``. With ``each`` a message carries a list of readings.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from math import isfinite
from typing import Any, NoReturn

from monitoring.intake.wire import Malformed

LARGEST = 256 * 1024  # bytes of one message
CHINA_TIME = timezone(timedelta(hours=8))  # of times without a zone
PLACES = ("device", "datastream")
TIME_FORMATS = ("iso", "s", "ms")

Step = str | int


class WrongRule(ValueError):
    """A rule that cannot be followed: it says what was seen and what was expected."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one device; without a time, the time of its receipt counts."""

    device: str
    datastream: str
    value: float
    time: datetime | None


@dataclass(frozen=True, slots=True)
class Rule:
    """What messages of a topic mean. ``{device}`` and ``{datastream}`` stand in the topic, or a path or a name tells them."""

    topic: str
    value: str
    device: str = ""  # a path
    datastream: str = ""  # a name, or a path that begins with $
    time: str = ""  # a path
    time_format: str = "iso"
    each: str = ""  # a path to a list; the other paths then begin at its members, or with $ at the message
    scale: float = 1.0
    offset: float = 0.0

    def __post_init__(self) -> None:
        pattern(self.topic)
        for path in (self.value, self.device, self.time, self.each):
            steps(path)
        if self.datastream.startswith("$"):
            steps(self.datastream)
        if not self.value:
            raise WrongRule("no path to the value")
        for place in PLACES:
            if not (getattr(self, place) or f"{{{place}}}" in self.topic):
                raise WrongRule(f"neither the topic nor a path tells the {place}")
        if self.time_format not in TIME_FORMATS:
            raise WrongRule(f"time format {self.time_format!r}, expected one of {', '.join(TIME_FORMATS)}")
        if not (isfinite(self.scale) and isfinite(self.offset) and self.scale):
            raise WrongRule(f"scale {self.scale}, offset {self.offset}: expected numbers, the scale not 0")


@lru_cache(maxsize=1024)
def pattern(topic: str) -> re.Pattern[str]:
    """Return what a topic must look like. :raises WrongRule: wildcards or places stand where they may not."""
    levels = topic.split("/")
    if not topic or "#" in topic[:-1] or (topic.endswith("#") and levels[-1] != "#"):
        raise WrongRule(f"topic {topic!r}: # is a last level by itself")
    if any(topic.count(f"{{{place}}}") > 1 for place in PLACES):
        raise WrongRule(f"topic {topic!r}: each place stands once")
    return re.compile("".join(_level(level, topic, first=not at) for at, level in enumerate(levels)))


def _level(level: str, topic: str, *, first: bool) -> str:
    slash = "" if first else "/"
    if level == "#":
        return ".*" if first else "(?:/.*)?"
    if level == "+":
        return slash + "[^/]*"
    if level in (f"{{{place}}}" for place in PLACES):
        return f"{slash}(?P<{level[1:-1]}>[^/]+)"
    if re.search(r"[+#{}]", level):
        raise WrongRule(f"topic {topic!r}: a level is +, #, {{device}}, {{datastream}} or words")
    return slash + re.escape(level)


def subscription(rule: Rule) -> str:
    """Return the topic filter that a broker understands: a place is any one level."""
    return re.sub(r"\{\w+\}", "+", rule.topic)


_STEP = re.compile(r"""(?:^|\.)([^.\[\]"]+)|\[(-?\d{1,6})\]|\["([^"]*)"\]""")


@lru_cache(maxsize=4096)
def steps(path: str) -> tuple[Step, ...]:
    """Return the steps of a path such as ``a.b[0]["c d"]``; ``$`` is where it begins. :raises WrongRule: it is none."""
    rest = path.removeprefix("$").removeprefix(".") if path.startswith("$") else path
    found: list[Step] = []
    at = 0
    while at < len(rest):
        step = _STEP.match(rest, at)
        if step is None or step.end() == at:
            raise WrongRule(f"path {path!r}: not understood at {rest[at:]!r}")
        key, index, quoted = step.groups()
        found.append(int(index) if index is not None else key if key is not None else quoted)
        at = step.end()
    return tuple(found)


def follow(document: Any, path: str) -> Any:
    """Return what stands at a path. :raises Malformed: nothing does; it names the step that failed."""
    here = document
    for step in steps(path):
        if not _has(here, step):
            raise Malformed(f"nothing at {path!r}: no {step!r}")
        here = here[step]
    return here


def _has(here: Any, step: Step) -> bool:
    if isinstance(step, int):
        return isinstance(here, list) and -len(here) <= step < len(here)
    return isinstance(here, dict) and step in here


def read(rules: Iterable[Rule], topic: str, payload: bytes) -> list[Reading]:
    """Return the readings of a message by all rules of its topic; none where no rule is about it.

    :raises Malformed: the message is no JSON, or what a rule names is not there.
    """
    matched = [(rule, match) for rule in rules if (match := pattern(rule.topic).fullmatch(topic))]
    if not matched:
        return []
    document = _document(payload)
    return [reading for rule, match in matched for reading in _readings(rule, match.groupdict(), document)]


def _document(payload: bytes) -> Any:
    if len(payload) > LARGEST:
        raise Malformed(f"message of {len(payload)} bytes, expected at most {LARGEST}")
    try:
        return json.loads(payload.decode(), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"no JSON: {error}") from error


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


def _readings(rule: Rule, named: dict[str, str], document: Any) -> Iterable[Reading]:
    members = follow(document, rule.each) if rule.each else [document]
    if not isinstance(members, list):
        raise Malformed(f"at {rule.each!r} stands {_shown(members)}, expected a list")
    for member in members:
        yield Reading(
            device=named.get("device") or _name(rule.device, member, document),
            datastream=named.get("datastream")
            or (_name(rule.datastream, member, document) if rule.datastream.startswith("$") else rule.datastream),
            value=_number(rule, member, document),
            time=_time(rule, member, document) if rule.time else None,
        )


def _at(path: str, member: Any, document: Any) -> Any:
    return follow(document if path.startswith("$") else member, path)


def _name(path: str, member: Any, document: Any) -> str:
    found = _at(path, member, document)
    if isinstance(found, bool) or not isinstance(found, str | int) or not str(found).strip():
        raise Malformed(f"at {path!r} stands {_shown(found)}, expected a name")
    return str(found).strip()


def _number(rule: Rule, member: Any, document: Any) -> float:
    found = _at(rule.value, member, document)
    if isinstance(found, str) and re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\s*", found, re.ASCII):
        found = float(found)
    if isinstance(found, bool | int | float):
        try:
            number = float(found) * rule.scale + rule.offset
        except OverflowError:
            number = float("inf")
        if isfinite(number):
            return number
    raise Malformed(f"at {rule.value!r} stands {_shown(found)}, expected a number")


def _time(rule: Rule, member: Any, document: Any) -> datetime:
    found = _at(rule.time, member, document)
    try:
        if rule.time_format == "iso":
            at = datetime.fromisoformat(found)
            at = at if at.tzinfo else at.replace(tzinfo=CHINA_TIME)
        else:
            at = datetime.fromtimestamp(float(found) / (1000 if rule.time_format == "ms" else 1), UTC)
        return at.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, OSError) as error:
        raise Malformed(f"at {rule.time!r} stands {_shown(found)}, expected a time ({rule.time_format})") from error


def _shown(found: Any) -> str:
    return json.dumps(found, ensure_ascii=False)[:60]
