"""The page of an evidence chain; its address stays."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from citysafety.accounts.doors import desk_page
from citysafety.evidence import chain as chains


@desk_page
def chain(request: HttpRequest, kind: str, subject_id: UUID) -> HttpResponse:
    """GET /chain/<kind>/<id>/: all that happened to a record and those bound to it; 404 for who may not see it.

    Queries: those of the kinds' looks (a hazard 4, its notices 4, inspections 3), with what every page asks besides.
    """
    records = chains.chain(request.user, kind, str(subject_id))
    if not records:
        raise Http404
    rows = chains.timeline(records)
    pictures = sum(len(event.pictures) for _record, event in rows)
    papers = sum(len(event.papers) for _record, event in rows)
    context = {
        "asked": records[0],
        "records": records,
        "rows": rows,
        "several": len(records) > 1,
        "pictures": pictures,
        "papers": papers,
        "as_of": timezone.now(),
    }
    return render(request, "chain/chain.html", context)
