"""The clocks of a listing: started, done, and marked where they were missed."""

from datetime import date, datetime, time, timedelta

from django.db import transaction
from django.utils import timezone

from citysafety import worktime
from citysafety.calendars.services import calendar
from citysafety.outbox.services import announce

from ..models import Listing, ListingClock
from .facts import ListingStepped
from .lifecycle import ClockKind

AT_ONCE = 200
UNIT = "work_days"


def start(listing: Listing, kind: str, days: int | None, at: datetime) -> None:
    """Let a limit in working days run; None asks nothing. A missing calendar year is said, never guessed. Queries: 1."""
    if days is None:
        return
    due = worktime.due(at, days, UNIT, calendar())
    ListingClock.objects.create(
        listing=listing, kind=kind, days=days, started_at=at, due_at=due.at, due_reason=due.reason or ""
    )


def start_rectification(listing: Listing, at: datetime) -> None:
    """Let the whole limit run until the end of its day. Queries: 1."""
    ListingClock.objects.create(
        listing=listing, kind=ClockKind.RECTIFY, started_at=at, due_at=end_of(listing.finish_by)
    )


def move_rectification(listing: Listing) -> None:
    """Let the whole limit end on the day that was granted; a mark is lifted, the limit runs again. Queries: 1."""
    rows = ListingClock.objects.filter(listing=listing, kind=ClockKind.RECTIFY)
    rows.update(due_at=end_of(listing.finish_by), missed_at=None)


def end_of(day: date) -> datetime:
    """Return the last moment of a day of the city: the first of the next."""
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time()))


def done(listing: Listing, kind: str, at: datetime) -> None:
    """Stop a clock: what it asks is done. Queries: 1."""
    ListingClock.objects.filter(listing=listing, kind=kind, done_at=None).update(done_at=at)


def stop_all(listing: Listing, at: datetime) -> None:
    """Stop every clock. Queries: 1."""
    ListingClock.objects.filter(listing=listing, done_at=None).update(done_at=at)


def is_missed(listing: Listing) -> bool:
    """Test whether a missed limit still waits to be done. Queries: 1."""
    return listing.clocks.filter(done_at=None, missed_at__isnull=False).exists()


def in_time_to_ask(listing: Listing, at: datetime) -> bool:
    """Test whether an extension is asked early enough; a year without a calendar keeps nobody from asking."""
    left = worktime.consumed(at, end_of(listing.finish_by), UNIT, calendar()) if at < end_of(listing.finish_by) else 0.0
    return left is None or left >= worktime.limit_s(listing.rule.ask_days, UNIT)


def mark_missed(*, at: datetime) -> int:
    """Mark every limit that has passed; return how many. Any number of sweeps mark a limit once."""
    late = ListingClock.objects.filter(done_at=None, missed_at=None, due_at__lt=at).order_by("due_at")
    return sum(_mark(pk, at) for pk in late.values_list("pk", flat=True)[:AT_ONCE])


@transaction.atomic
def _mark(clock_id: int, at: datetime) -> bool:
    # The listing's row first, as a step takes it, so that neither waits for the other.
    rows = Listing.objects.filter(clocks=clock_id).select_for_update(of=("self",), skip_locked=True)
    listing = rows.first()
    waiting = ListingClock.objects.filter(pk=clock_id, done_at=None, missed_at=None, due_at__lt=at)
    if listing is None or not waiting.update(missed_at=at):
        return False
    listing.missed = True
    listing.save(update_fields=["missed"])
    announce(stepped(listing, action="miss", actor_id=None), at=at)
    return True


def recompute() -> int:
    """Compute due times anew after the calendar changed, for limits that still run; return how many differ. Queries: 2."""
    days, changed = calendar(), []
    for clock in ListingClock.objects.filter(done_at=None, missed_at=None, days__isnull=False):
        due = worktime.due(clock.started_at, clock.days, UNIT, days)
        if (clock.due_at, clock.due_reason) != (due.at, due.reason or ""):
            clock.due_at, clock.due_reason = due.at, due.reason or ""
            changed.append(clock)
    ListingClock.objects.bulk_update(changed, ["due_at", "due_reason"], batch_size=500)
    return len(changed)


def stepped(listing: Listing, *, action: str, actor_id: int | None, step: str = "") -> ListingStepped:
    """Return the fact that a listing took a step. What it carries for screens holds no words and no persons."""
    return ListingStepped(
        area_code=listing.area_code,
        subject_id=str(listing.pk),
        state=listing.state,
        level="major",
        action=action,
        actor_id=actor_id,
        department_id=listing.department_id,
        step=step,
    )
