"""The page that proves a document: for anybody who holds one, without signing in, and without anything personal."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from .selectors import proven


@never_cache
@require_safe
def verify(request: HttpRequest, code: str = "") -> HttpResponse:
    """GET /verify/<code>/: say whether a document of this code was issued, and whether it still stands. Queries: 1."""
    asked = code or request.GET.get("code", "")
    document = proven(asked[:32]) if asked else None
    context = {"asked": asked[:32], "document": document}
    return render(request, "documents/verify.html", context, status=404 if asked and not document else 200)
