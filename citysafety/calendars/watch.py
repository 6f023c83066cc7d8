"""The watch over rosters: gaps that come near are announced, each once."""

from collections import defaultdict
from datetime import datetime, timedelta

from django.db import transaction

from citysafety.outbox.services import announce_all

from .facts import DutyGap
from .models import AnnouncedGap, Post
from .presence import NO_CALENDAR, Gap
from .rosters import roster

HOUR = timedelta(hours=1)


@transaction.atomic
def announce_gaps(*, at: datetime) -> int:
    """Announce the gaps within the hours that each post says; return how many. One that was announced grows in silence.

    Queries: 4; 3 more with news, 1 more where gaps are closed, 1 for each gap that grew.
    """
    posts = list(Post.objects.active().select_for_update().order_by("pk"))
    if not posts:
        return 0
    look = roster(posts, at, at + max(post.warn_hours for post in posts) * HOUR)
    told: dict[int, list[AnnouncedGap]] = defaultdict(list)
    for row in AnnouncedGap.objects.filter(closed_at=None):
        told[row.post_id].append(row)
    fresh, still = [], set()
    for post in posts:
        for gap in _near(look.gaps[post.pk], at + post.warn_hours * HOUR):
            known = next((row for row in told[post.pk] if row.begins <= gap.ends and gap.begins <= row.ends), None)
            if known is None:
                fresh.append((post, gap))
                continue
            still.add(known.pk)
            if gap.ends > known.ends:
                known.ends = gap.ends
                known.save(update_fields=["ends"])
    gone = [row.pk for rows in told.values() for row in rows if row.pk not in still]
    if gone:
        AnnouncedGap.objects.filter(pk__in=gone).update(closed_at=at)
    if fresh:
        AnnouncedGap.objects.bulk_create(
            AnnouncedGap(post=post, begins=gap.begins, ends=gap.ends, announced_at=at) for post, gap in fresh
        )
        announce_all([_fact(post, gap) for post, gap in fresh], at=at)
    return len(fresh)


def _near(gaps: list[Gap], until: datetime) -> list[Gap]:
    """Return the gaps that begin before a moment, those that touch made one; days nobody knows of are no gaps yet."""
    out: list[Gap] = []
    for gap in gaps:
        if gap.reason == NO_CALENDAR or gap.begins >= until:
            continue
        if out and out[-1].ends == gap.begins:
            last = out.pop()
            gap = Gap(last.begins, gap.ends, max(last.missing, gap.missing), last.reason)
        out.append(gap)
    return out


def _fact(post: Post, gap: Gap) -> DutyGap:
    return DutyGap(
        area_code=post.area_code, subject_id=str(post.pk), state="open", begins=gap.begins, ends=gap.ends,
        missing=gap.missing, reason=gap.reason,
    )  # fmt: skip
