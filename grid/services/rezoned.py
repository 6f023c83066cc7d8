"""Bring re-zonings into force and take them back: cells, premises, postings, areas of duty, news and figures."""

from collections.abc import Collection
from datetime import date, datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from citysafety.accounts.models import User
from citysafety.outbox.services import announce

from ..facts import GridVersionActivated
from ..lifecycle import RezoningState
from ..models import Cell, Component, GridVersion, Posting, Premises, Rezoning, RezoningRecord, Succession, Worker
from ..rezoning.change import Change, Lying, between
from ..rezoning.checks import problems
from ..rezoning.preview import PREMISES, Row, accounts_of, codes_of, heir_code
from ..rezoning.records import COMPONENTS, note_moved
from ..rezoning.shapes import same, shapely_of
from .counting import count_changed
from .postings import settle_area
from .register import new_version


def activate_due(*, at: datetime) -> int:
    """Bring every approved re-zoning into force whose time has come; return how many. Safe to run twice and at once.

    One whose ground changed meanwhile goes back to its drafter with the reasons. Queries: 1, and those of ``enter``.
    """
    due = Rezoning.objects.filter(state=RezoningState.APPROVED, effective_at__lte=at).order_by("effective_at", "id")
    return sum(_activate(pk, at) for pk in list(due.values_list("pk", flat=True)))


@transaction.atomic
def _activate(rezoning_id: object, at: datetime) -> bool:
    from .rezoning import hold_grid, move_by_clock  # noqa: PLC0415  the two call each other

    hold_grid()
    rezoning = Rezoning.objects.select_for_update().get(pk=rezoning_id)
    if rezoning.state != RezoningState.APPROVED:
        return False
    if found := problems(rezoning, at, on_time=False):
        rezoning.approved_by = None
        move_by_clock(rezoning, "fail", at, "\n".join(found))
        return False
    enter(rezoning, at)
    return True


def enter(rezoning: Rezoning, at: datetime) -> None:
    """Let the cells of an approved re-zoning take the place of those that end. The caller holds the grid.

    A cell whose outline and code are unchanged is not part of it and keeps its identity. Queries: about 30, and a few
    for each 1,000 premises.
    """
    from .rezoning import move_by_clock  # noqa: PLC0415

    version = new_version(at=at, note=rezoning.number)
    drafts = list(rezoning.draws.select_related("worker").order_by("code"))
    for draft in drafts:
        draft.cell = Cell.objects.create(
            code=draft.code, kind=draft.kind, division_id=draft.division_id, name_zh=draft.name_zh, name_en=draft.name_en,
            focus=draft.focus, geometry=draft.geometry, synthetic=draft.synthetic, active=True, version=version,
        )  # fmt: skip
        draft.save(update_fields=["cell"])
    ended = list(rezoning.ends.values_list("pk", flat=True))
    change = between(ended, [draft.cell_id for draft in drafts])
    today = timezone.localdate(at)
    _end(ended, version, at)
    rezoning.ended_postings = _end_postings(ended, today)
    _post(change, {draft.cell_id: draft.worker for draft in drafts if draft.worker}, rezoning.ended_postings, today)
    rezoning.grid_version = version
    _carry_over(change, version, rezoning, at, RezoningRecord.Moment.IN_FORCE)
    move_by_clock(rezoning, "enter", at)


def restore(rezoning: Rezoning, at: datetime) -> None:
    """Let the cells that ended stand again, in a grid version of its own. The caller holds the grid and notes the step.

    :raises Refused: a newer drawing of these cells is in force.
    """
    from .rezoning import Refused  # noqa: PLC0415

    drawn = {draft.cell_id: draft for draft in rezoning.draws.all()}
    begun = Cell.objects.filter(pk__in=drawn)
    old = rezoning.ends.all()
    codes = [
        cell.code for cell in begun
        if not (cell.active and same(shapely_of(cell.geometry), shapely_of(drawn[cell.pk].geometry)))
    ]  # fmt: skip
    codes += old.filter(active=True).values_list("code", flat=True)
    if codes:
        words = _("Cells were changed since: %(codes)s. Only what is the newest for its ground is rolled back.")
        raise Refused({"cells": [words % {"codes": ", ".join(codes[:10])}]})
    version = new_version(at=at, note=rezoning.number)
    ended, back = list(begun.values_list("pk", flat=True)), list(old.values_list("pk", flat=True))
    change = between(ended, back)
    today = timezone.localdate(at)
    _end(ended, version, at)
    Cell.objects.filter(pk__in=back).update(active=True, ended_at=None, version=version)
    _end_postings(ended, today)
    _give_back(rezoning.ended_postings, today)
    rezoning.rollback_version = version
    _carry_over(change, version, rezoning, at, RezoningRecord.Moment.ROLLED_BACK)


def _end(cells: Collection[int], version: GridVersion, at: datetime) -> None:
    Cell.objects.filter(pk__in=cells).update(active=False, ended_at=at, version=version)


def _end_postings(cells: Collection[int], today: date) -> list[int]:
    """End what holds today or would later; return the postings' ids. Those that have not begun never hold."""
    open_ones = Posting.objects.filter(Q(until=None) | Q(until__gt=today), cell__in=cells)
    ids = list(open_ones.order_by("pk").values_list("pk", flat=True))
    for posting in Posting.objects.filter(pk__in=ids).select_for_update():
        posting.until = max(posting.since, today)
        posting.save(update_fields=["until"])
    return ids


def _post(change: Change, named: dict[int, Worker], ended: Collection[int], today: date) -> None:
    """Post who is named to each new cell; backups of a cell that ended back up those that took its ground."""
    Posting.objects.bulk_create(
        Posting(worker=worker, cell_id=pk, role="primary", since=today) for pk, worker in named.items()
    )
    heirs = {(old.id, new.id) for old, new, _share in change.shares()}
    backups = Posting.objects.filter(pk__in=ended, role="backup").exclude(worker__state=Worker.State.LEFT)
    pairs = {
        (worker, new)
        for worker, cell in backups.values_list("worker_id", "cell_id")
        for old, new in heirs
        if old == cell and (new not in named or named[new].pk != worker)
    }
    Posting.objects.bulk_create(
        Posting(worker_id=worker, cell_id=cell, role="backup", since=today) for worker, cell in sorted(pairs)
    )


def _give_back(ended: Collection[int], today: date) -> None:
    """Post anew whoever's posting had ended; who has left the service meanwhile is not."""
    before = Posting.objects.filter(pk__in=ended).exclude(worker__state=Worker.State.LEFT)
    Posting.objects.bulk_create(
        Posting(worker_id=one.worker_id, cell_id=one.cell_id, role=one.role, since=max(one.since, today))
        for one in before.order_by("pk")
    )


def _carry_over(change: Change, version: GridVersion, rezoning: Rezoning, at: datetime, moment: str) -> None:
    """Note what followed what, relocate premises and keep which, let people's areas follow, tell the city, count anew."""
    Succession.objects.bulk_create(
        Succession(version=version, old_id=old.id, new_id=new.id, share=share) for old, new, share in change.shares()
    )
    premises, rows = _relocate(change)
    note_moved(rezoning, moment, PREMISES, rows, at)
    note_moved(rezoning, moment, COMPONENTS, _relocate_components(change), at)
    for user in accounts_of(change):
        User.objects.filter(pk=user.pk).update(area_code=heir_code(change, user.area_code))
    ended, begun = sorted(change.ended), sorted(cell.id for cell in change.begun)
    entry = announce(
        GridVersionActivated(
            area_code=rezoning.area_code, subject_id=str(version.number), added=len(begun), withdrawn=len(ended),
            ended=tuple(ended), begun=tuple(begun), rezoning=rezoning.number,
        ),
        at=at,
    )  # fmt: skip
    workers = Worker.objects.filter(postings__cell__in=[*ended, *begun]).distinct().select_related("centre")
    for worker in workers:
        settle_area(worker, timezone.localdate(at))
    count_changed(entry, kind="cell", at=at, ids=[*ended, *begun])
    count_changed(entry, kind="worker", at=at, ids=[worker.pk for worker in workers])
    count_changed(entry, kind="premises", at=at, ids=premises)


def _relocate(change: Change) -> tuple[list[int], list[Row]]:
    """Let premises lie in the cells that hold them now; return the ids of those that moved, and from where to where.

    Queries: 1, and 1 a 1,000 moved.
    """
    here = Q(cell__in=change.looked_in) | Q(dedicated_cell__in=change.looked_in)
    places = list(Premises.objects.filter(here).order_by("pk").select_for_update())
    lying = [Lying(one.location.x, one.location.y, one.cell_id, one.dedicated_cell_id) for one in places]
    moved, rows = [], []
    for place, was, move in zip(places, lying, change.moves(lying), strict=True):
        if not move.is_moved:
            continue
        rows.append(Row(f"{place.code} {place.name}", f"/grid/premises/{place.code}/", *codes_of(was, move, change)))
        if place.cell_id in change.ended:
            place.cell_id = move.cell.id if move.cell else None
        if move.dedicated or place.dedicated_cell_id in change.ended:
            place.dedicated_cell_id = move.dedicated.id if move.dedicated else None
        if move.cell or place.cell_id is None:
            known = move.cell or move.dedicated
            place.area_code = known.code if known else place.area_code
        moved.append(place)
    Premises.objects.bulk_update(moved, ["cell", "dedicated_cell", "area_code"], batch_size=1000)
    return [place.pk for place in moved], rows


def _relocate_components(change: Change) -> list[Row]:
    """Let components lie in the cells that hold them now; return from where to where. Queries: 1, and 1 a 1,000 moved."""
    here = Component.objects.filter(cell__in=change.looked_in).order_by("pk").select_for_update()
    things = list(here.only("code", "location", "cell_id", "area_code"))
    lying = [Lying(one.location.x, one.location.y, one.cell_id, None) for one in things]
    moved, rows = [], []
    for thing, was, move in zip(things, lying, change.moves(lying), strict=True):
        if not move.is_moved or thing.cell_id not in change.ended:
            continue
        rows.append(Row(thing.code, f"/grid/components/{thing.code}/", *codes_of(was, move, change)))
        thing.cell_id = move.cell.id if move.cell else None
        thing.area_code = move.cell.code if move.cell else thing.area_code
        moved.append(thing)
    Component.objects.bulk_update(moved, ["cell", "area_code"], batch_size=1000)
    return rows
