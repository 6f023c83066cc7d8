"""What speaks for a photo and what against it: plain rules on figures, and the verdict that follows.

A reason is a code with its figures, as it is stored; words are made of it for the reader (telling.py).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from citysafety.coordinates import BadPosition, Point, metres_between, wgs84_from_gcj02

from .cases import Case
from .models import TrustRule, Verdict

Reason = dict[str, Any]
FOR = frozenset({"time_fits", "place_fits"})
AGAINST = (
    "same_bytes", "same_picture", "after_is_before", "offered_again", "before_found", "older_than_case", "clock_ahead",
    "far", "places_differ",
)  # fmt: skip
MOST_DOUBT_M = 100  # a position may be wrong by what it says of itself, but by no more than this
CAMERA, DEVICE = "camera", "device"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What is said of a photo: by the camera in its bytes, and by the device that sent it. Places: lon, lat."""

    received_at: datetime
    camera_at: datetime | None = None
    camera_place: Point | None = None
    device_at: datetime | None = None
    device_place: Point | None = None
    device_accuracy_m: float | None = None
    shows_work: bool = False


def verdict_of(reasons: Iterable[Reason]) -> Verdict:
    """Return what follows from the reasons: anything against asks for a look; time and place together are trusted."""
    codes = {reason["code"] for reason in reasons}
    if codes.intersection(AGAINST):
        return Verdict.LOOK
    if codes >= FOR:
        return Verdict.TRUSTED
    return Verdict.BARE if "bare" in codes else Verdict.PARTLY


def reasons_of(claims: Claims, case: Case, rule: TrustRule) -> list[Reason]:
    """Return what time and place say of a photo of a case."""
    times = [(by, at) for by, at in ((CAMERA, claims.camera_at), (DEVICE, claims.device_at)) if at]
    reasons = [_time(by, at, claims, case, rule) for by, at in times]
    reasons += _places(claims, case, rule)
    if not reasons:
        return [{"code": "bare"}]
    if claims.camera_at is None and claims.camera_place is None:
        reasons.append({"code": "stripped"})
    return reasons


def _time(by: str, at: datetime, claims: Claims, case: Case, rule: TrustRule) -> Reason:
    before_receipt, after_found = claims.received_at - at, at - case.found_at
    slack = timedelta(minutes=rule.ahead_minutes)
    if before_receipt < -slack:
        code = "clock_ahead"
    elif claims.shows_work:
        code = "before_found" if after_found < -slack else "time_fits"
    elif after_found < -timedelta(days=rule.older_days):
        code = "older_than_case"
    else:
        code = "time_fits" if abs(after_found) <= timedelta(hours=rule.fresh_hours) else "time_off"
    return {
        "code": code,
        "by": by,
        "taken_at": at.isoformat(),
        "before_receipt_s": round(before_receipt.total_seconds()),
        "after_found_s": round(after_found.total_seconds()),
    }


def _places(claims: Claims, case: Case, rule: TrustRule) -> list[Reason]:
    here = (case.lon, case.lat)
    reasons = []
    if claims.device_place:
        away = metres_between(claims.device_place, here)
        reasons.append(_place(DEVICE, away, claims.device_accuracy_m, case, rule))
    if claims.camera_place:
        away = min(metres_between(one, here) for one in _readings(claims.camera_place))
        reasons.append(_place(CAMERA, away, None, case, rule))
    if claims.device_place and claims.camera_place:
        between = min(metres_between(one, claims.device_place) for one in _readings(claims.camera_place))
        if between - min(claims.device_accuracy_m or 0, MOST_DOUBT_M) > rule.apart_m:
            reasons.append({"code": "places_differ", "distance_m": round(between), "limit_m": rule.apart_m})
    return reasons


def _place(by: str, distance: float, accuracy_m: float | None, case: Case, rule: TrustRule) -> Reason:
    doubt = sum(min(one or 0, MOST_DOUBT_M) for one in (accuracy_m, case.accuracy_m))
    away = max(0.0, distance - doubt)
    code = "place_fits" if away <= rule.near_m else "far" if away > rule.far_m else "place_off"
    return {"code": code, "by": by, "distance_m": round(distance), "away_m": round(away)}


def _readings(place: Point) -> list[Point]:
    """Return where a camera may have stood: as written, and read as GCJ-02, which phones sold in China may write there."""
    try:
        return [place, wgs84_from_gcj02(*place)]
    except BadPosition:
        return [place]
