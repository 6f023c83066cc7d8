"""What people keep of lists: which columns a list shows, and its addresses under names (V6)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.http import Http404, QueryDict
from django.utils.translation import gettext as _

from .models import SavedView, User

MOST_VIEWS = 30
LONGEST_QUERY = SavedView._meta.get_field("query").max_length
OF_A_PAGE = ("before", "view")  # where in a list one was: no part of what it shows
ALL = "view=all"  # the address of a list that is to begin with no view


class ViewRefused(Exception):
    """A view cannot be kept so; the message says why."""


@dataclass(frozen=True, slots=True)
class KnownList:
    """A list whose columns and views are kept: its page, and the columns it has."""

    key: str
    path: Any
    columns: tuple[str, ...]


LISTS: dict[str, KnownList] = {}


def register(key: str, *, path: Any, columns: Collection[str]) -> None:
    """Make a list known, once its app stands."""
    LISTS[key] = KnownList(key, path, tuple(columns))


def known(key: str) -> KnownList:
    """Return a list by its key. Unknown: 404."""
    try:
        return LISTS[key]
    except KeyError as error:
        raise Http404 from error


def kept_columns(user: Any, page: str) -> list[str]:
    """Return the columns a person wants of a list; empty for the usual ones. Queries: 0."""
    kept = user.columns.get(page) or []
    return [name for name in kept if name in LISTS[page].columns]


def keep_columns(*, user: User, page: str, columns: Sequence[str]) -> None:
    """Show these columns of a list to a person from now on; none for the usual ones.

    :raises ViewRefused: the list has no such column.
    """
    if strange := [name for name in columns if name not in LISTS[page].columns]:
        raise ViewRefused(_("There is no column “%(name)s”.") % {"name": strange[0]})
    with transaction.atomic():
        fresh = User.objects.select_for_update().only("columns").get(pk=user.pk)
        others = {key: kept for key, kept in fresh.columns.items() if key != page}
        fresh.columns = {**others, page: list(dict.fromkeys(columns))} if columns else others
        fresh.save(update_fields=["columns"])
    user.columns = fresh.columns


def without(query: str, *names: str) -> QueryDict:
    """Return an address's question as it can be kept: what was asked, not where in the list one was."""
    asked = QueryDict(query, mutable=True)
    for name in list(asked):
        values = [value for value in asked.getlist(name) if value and "\0" not in value]
        if values and name not in (*OF_A_PAGE, *names):
            asked.setlist(name, values)
        else:
            del asked[name]
    return asked


def address_of(view: SavedView) -> str:
    """Return where a view is looked at."""
    return f"{LISTS[view.page].path}?{view.query or ALL}"


@transaction.atomic
def keep_view(*, owner: User, page: str, name: str, query: str, shared: bool) -> SavedView:
    """Keep an address of a list under a name.

    :raises ViewRefused: the name is taken, the address too long, or there are enough.
    """
    User.objects.select_for_update().only("pk").get(pk=owner.pk)  # two tabs do not pass the limit together
    names = list(SavedView.objects.filter(owner=owner, page=page).values_list("name", flat=True))
    if len(names) >= MOST_VIEWS:
        raise ViewRefused(_("You keep %(n)s views of this list, no more fit; delete one first.") % {"n": MOST_VIEWS})
    _refuse_taken(name, names)
    cleaned = without(query).urlencode()
    if len(cleaned) > LONGEST_QUERY:
        raise ViewRefused(
            _("These filters are too long to be kept: %(n)s characters, at most %(most)s.")
            % {"n": len(cleaned), "most": LONGEST_QUERY}
        )
    return SavedView.objects.create(owner=owner, page=page, name=name, query=cleaned, shared=shared)


@transaction.atomic
def change_view(*, view: SavedView, name: str, shared: bool, is_default: bool) -> None:
    """Name a view anew, share it or not, let the list begin with it or not.

    :raises ViewRefused: the name is taken.
    """
    User.objects.select_for_update().only("pk").get(pk=view.owner_id)
    others = SavedView.objects.filter(owner=view.owner_id, page=view.page).exclude(pk=view.pk)
    _refuse_taken(name, others.values_list("name", flat=True))
    if is_default:
        others.filter(is_default=True).update(is_default=False)
    view.name, view.shared, view.is_default = name, shared, is_default
    view.save(update_fields=["name", "shared", "is_default"])


def _refuse_taken(name: str, names: Collection[str]) -> None:
    if name in names:
        raise ViewRefused(_("You keep another view named “%(name)s”.") % {"name": name})


def views_of(user: Any, page: str) -> list[SavedView]:
    """Return the views of a list that a person sees, the own ones first. Queries: 1."""
    rows = SavedView.objects.visible_to(user).filter(page=page).select_related("owner")
    return sorted(rows, key=lambda view: (view.owner_id != user.pk, view.name))
