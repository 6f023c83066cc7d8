"""Write down what speaks for and against each photo: when it is attached, and again when its look is known.

Everything that judges the photos of one hash does so under the lock of its row, so that of two cases which are sent the
same bytes at the same moment the second sees the first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.gis.geos import Point
from django.db import connection, transaction
from PIL import Image

from . import cases, judging
from .cases import Case
from .files import folder
from .looks import BAND, BANDS, MOST_ACROSS, Look, apart, look_of
from .models import Attachment, Photo, Trust, TrustRule, Verdict

MOST_OTHERS = 50  # attachments of the same or a like picture that are looked at for one photo
MOST_NAMED = 3  # of their cases in a reason
MOST_ALIKE = 50  # pictures that the index finds and the second look compares: the likest


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a device says of a photo that it sends: place in WGS 84, time aware. It may be wrong, and is kept as it came."""

    taken_at: datetime | None = None
    lon: float | None = None
    lat: float | None = None
    accuracy_m: float | None = None

    @property
    def place(self) -> Point | None:
        return None if self.lon is None or self.lat is None else Point(self.lon, self.lat, srid=4326)


NOTHING = Claim()


def begin(attachment: Attachment, claim: Claim, *, at: datetime) -> None:
    """Begin the record of a photo that was just attached, in the same transaction. Queries: 7, 13 for one that another case has.

    What the picture looks like is not known yet, or not compared: the worker goes on with ``compare``.
    """
    photo = _locked(attachment.photo_id)
    Trust.objects.create(
        attachment=attachment,
        claimed_at=claim.taken_at,
        claimed_place=claim.place,
        claimed_accuracy_m=claim.accuracy_m,
        verdict=Verdict.BARE,
        at=attachment.at,
        judged_at=at,
    )
    if "same_bytes" in _judge(photo, [attachment.pk], None, at=at):
        _judge(photo, _without(photo, "same_bytes"), None, at=at)


def offered_again(attachment: Attachment, *, at: datetime) -> None:
    """Note that a photo was sent again that had served a step; whether that step was found wanting is seen in judging. Queries: 8."""
    photo = _locked(attachment.photo_id)
    if Trust.objects.filter(pk=attachment.pk).update(offered_again_at=at):
        _judge(photo, [attachment.pk], None, at=at)


def _locked(sha256: str) -> Photo:
    """Lock a photo against others who judge it; attaching it elsewhere goes on meanwhile."""
    return Photo.objects.select_for_update(no_key=True).get(pk=sha256)


def _without(photo: Photo, code: str) -> list[int]:
    """Return some records of a photo that do not have a reason. Queries: 1."""
    rows = Trust.objects.filter(attachment__photo=photo).exclude(verdict=Verdict.IMPORTED)
    return list(rows.exclude(doubts__contains=[code]).order_by("pk").values_list("pk", flat=True)[:MOST_OTHERS])


def look_again(kind: str, subject_ids: Iterable[str]) -> int:
    """Have the photos of cases judged anew within a minute: after a merge, an unmerge or a new place. Queries: 1."""
    rows = Trust.objects.filter(attachment__kind=kind, attachment__subject_id__in=list(subject_ids))
    return rows.exclude(verdict=Verdict.IMPORTED).update(compared_at=None)


def note_imported(*, at: datetime) -> int:
    """Begin the records of photos that came with imported history: said to be so, and not judged. Queries: 1."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO evidence_trust (attachment_id, verdict, reasons, doubts, area_code, at, judged_at, compared_at)
               SELECT a.id, %(verdict)s, '[{"code": "imported"}]', '{}', '', a.at, %(at)s, %(at)s
               FROM evidence_attachment a
               WHERE NOT EXISTS (SELECT 1 FROM evidence_trust t WHERE t.attachment_id = a.id)""",
            {"verdict": Verdict.IMPORTED, "at": at},
        )
        return cursor.rowcount


# -- likeness ------------------------------------------------------------------------------------


def compare(*, sha256: str, at: datetime) -> int:
    """Judge the waiting records of a photo by what other photos look like; return how many. Safe to run twice.

    The look must have been committed before: of two like pictures that come at once the later one then sees the other.
    Pictures that turn out alike with those of another case have their own records looked at again.
    """
    photo = Photo.objects.filter(pk=sha256, looked_at__isnull=False).first()
    if photo is None:
        return 0
    alike = alike_photos(photo, TrustRule.present())
    with transaction.atomic():
        photo = _locked(sha256)
        waiting = list(Trust.objects.pending().filter(attachment__photo=photo).values_list("pk", flat=True))
        gained = _judge(photo, waiting, alike, at=at)
        Trust.objects.filter(pk__in=waiting).update(compared_at=at)
    if "same_picture" in gained:
        for other in alike:
            Trust.objects.filter(pk__in=_without(other, "same_picture")).update(compared_at=None)
    return len(waiting)


def look_at(*, sha256: str, at: datetime) -> bool:
    """Look at a photo that has its pictures and was never looked at; return whether it was so."""
    if not Photo.objects.unlooked().filter(pk=sha256).exists():
        return False
    picture = _kept_picture(sha256, "view.jpg")
    look = look_of(picture) if picture else None
    return bool(Photo.objects.unlooked().filter(pk=sha256).update(**columns_of(look), looked_at=at))


def columns_of(look: Look | None) -> dict[str, int | None]:
    """Return a look as a photo keeps it."""
    return {"across": look.across if look else None, "down": look.down if look else None}


def alike_photos(photo: Photo, rule: TrustRule) -> list[Photo]:
    """Return the other photos that show the same picture: found by one of four bands, then compared field by field.

    Of the 64 bits along rows at most three may differ, so that one band of 16 is the same; with the columns at most
    ``rule.alike_bits``. Queries: 1.
    """
    if photo.across is None or photo.down is None:
        return []
    band = " UNION ".join(
        f"SELECT across FROM evidence_photo WHERE ((across >> {start}) & {BAND}) = ((%(across)s::bigint >> {start}) & {BAND})"
        f" AND bit_count((across # %(across)s::bigint)::bit(64)) <= {MOST_ACROSS}"
        for start in BANDS
    )
    sql = f"""
        WITH near AS MATERIALIZED ({band})
        SELECT p.sha256, p.across, p.down FROM near JOIN evidence_photo p
          ON p.across = near.across AND ((p.across >> {BANDS[0]}) & {BAND}) = ((near.across >> {BANDS[0]}) & {BAND})
        WHERE p.sha256 <> %(sha256)s AND bit_count((p.across # %(across)s::bigint)::bit(64))
          + bit_count((p.down # %(down)s::bigint)::bit(64)) <= %(most)s
        ORDER BY bit_count((p.across # %(across)s::bigint)::bit(64)) + bit_count((p.down # %(down)s::bigint)::bit(64)), p.sha256
        LIMIT {MOST_ALIKE}"""
    asked = {"sha256": photo.pk, "across": photo.across, "down": photo.down, "most": rule.alike_bits}
    found = list(Photo.objects.raw(sql, asked))
    if not found:
        return []
    own = _kept_picture(photo.pk, "thumb.jpg")
    others = [(one, _kept_picture(one.pk, "thumb.jpg")) for one in found] if own else []
    return [one for one, its in others if own and its and apart(own, its) <= rule.alike_grey]


def _kept_picture(sha256: str, name: str) -> Image.Image | None:
    try:
        with Image.open(folder(sha256) / name) as picture:
            picture.load()
            return picture.copy()
    except OSError:  # not drawn, or lost: nothing can be said of it
        return None


# -- judging -------------------------------------------------------------------------------------


def _judge(photo: Photo, ids: Sequence[int], alike: Sequence[Photo] | None, *, at: datetime) -> set[str]:
    """Judge some records of one photo anew; return the codes of doubts that a record did not have before.

    ``alike``: pictures that look the same; None: they were not looked for, and what was found before stands. Call it with
    the photo locked. Queries: 4 and 1 a kind of case, 1 more for like pictures; 0 for no records.
    """
    if not ids:
        return set()
    records = list(Trust.objects.filter(pk__in=ids).exclude(verdict=Verdict.IMPORTED).select_related("attachment"))
    others = list(Attachment.objects.filter(photo=photo).order_by("pk")[:MOST_OTHERS])
    likes = list(Attachment.objects.filter(photo__in=alike).order_by("pk")[:MOST_OTHERS]) if alike else []
    known = cases.find({_key(one) for one in [*others, *likes, *(record.attachment for record in records)]})
    rule = TrustRule.present()
    gained: set[str] = set()
    for record in records:
        if (case := known.get(_key(record.attachment))) is None:  # of a kind that nobody measures
            continue
        reasons = judging.reasons_of(_claims(record, photo), case, rule)
        reasons += [*_shared(case, others, known, "same_bytes"), *_within(record, case, others, known)]
        reasons += _found_before(record) if alike is None else _shared(case, likes, known, "same_picture")
        if photo.looked_at and photo.across is None:
            reasons.append({"code": "plain"})
        doubts = {one["code"] for one in reasons}.intersection(judging.AGAINST)
        gained |= doubts.difference(record.doubts)
        record.reasons, record.verdict, record.doubts = reasons, judging.verdict_of(reasons), sorted(doubts)
        record.area_code, record.judged_at = case.area, at
    Trust.objects.bulk_update(records, ["reasons", "verdict", "doubts", "area_code", "judged_at"])
    return gained


def _found_before(record: Trust) -> list[judging.Reason]:
    return [one for one in record.reasons if one["code"] == "same_picture"]


def _key(attachment: Attachment) -> cases.Key:
    return attachment.kind, attachment.subject_id


def _claims(record: Trust, photo: Photo) -> judging.Claims:
    attachment = record.attachment
    return judging.Claims(
        received_at=attachment.at,
        camera_at=photo.taken_at,
        camera_place=photo.camera_place.coords if photo.camera_place else None,
        device_at=record.claimed_at,
        device_place=record.claimed_place.coords if record.claimed_place else None,
        device_accuracy_m=record.claimed_accuracy_m,
        shows_work=_shows_work(attachment),
    )


def _shows_work(attachment: Attachment) -> bool:
    return attachment.role in cases.kind_of(attachment.kind).work_roles


def _shared(case: Case, others: Iterable[Attachment], known: dict[cases.Key, Case], code: str) -> list[judging.Reason]:
    """Say which other cases have the picture; what is one with this case, merged or a notice about it, is no other."""
    keys = dict.fromkeys(_key(one) for one in others)
    strange = [list(key) for key in keys if (other := known.get(key)) and other.family != case.family]
    return [{"code": code, "cases": strange[:MOST_NAMED], "count": len(strange)}] if strange else []


def _within(
    record: Trust, case: Case, others: Iterable[Attachment], known: dict[cases.Key, Case]
) -> list[judging.Reason]:
    """Say what the same bytes mean inside one case: found and done shown by one picture, or one offered twice."""
    own, again, failed = record.attachment, record.offered_again_at, case.failed_at
    shows_work = _shows_work(own)
    turned = any(
        _shows_work(other) != shows_work and other.kind == own.kind and known[_key(other)].family == case.family
        for other in others
        if _key(other) in known
    )
    reasons: list[judging.Reason] = [{"code": "after_is_before"}] if turned else []
    if told := [one for one in record.reasons if one["code"] == "offered_again"]:
        reasons += told  # it stays so, whatever is sent or found wanting later
    elif shows_work and again and failed and own.at < failed < again:
        reasons.append({"code": "offered_again", "again_at": again.isoformat(), "failed_at": failed.isoformat()})
    return reasons
