"""Doors of what people keep of lists: plain forms, each leading back to its list."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from . import lists
from .doors import people_only
from .models import SavedView


class NameForm(forms.ModelForm):
    """A name of a view, who sees it, and whether the list begins with it."""

    class Meta:
        model = SavedView
        fields = ("name", "shared", "is_default")


@require_POST
@people_only
def columns(request: HttpRequest) -> HttpResponse:
    """POST /views/columns/: keep the columns of a list for the account, and show the list with them."""
    one = lists.known(request.POST.get("page", ""))
    chosen = [] if "usual" in request.POST else request.POST.getlist("columns")
    rest = lists.without(request.POST.get("query", ""), "columns")
    try:
        lists.keep_columns(user=request.user, page=one.key, columns=chosen)
    except lists.ViewRefused as refusal:
        messages.error(request, str(refusal))
    else:
        rest.setlist("columns", lists.kept_columns(request.user, one.key))
    return redirect(f"{one.path}?{rest.urlencode() or lists.ALL}")


@require_POST
@people_only
def keep(request: HttpRequest) -> HttpResponse:
    """POST /views/: keep the address of a list under a name."""
    one, query = lists.known(request.POST.get("page", "")), request.POST.get("query", "")
    form = NameForm(request.POST)
    if not form.is_valid():
        return _back(request, one, query, form)
    try:
        view = lists.keep_view(
            owner=request.user, page=one.key, name=form.cleaned_data["name"], query=query,
            shared=form.cleaned_data["shared"],
        )  # fmt: skip
    except lists.ViewRefused as refusal:
        form.add_error("name", str(refusal))
        return _back(request, one, query, form)
    messages.success(request, _("The view “%(name)s” is kept.") % {"name": view.name})
    return redirect(lists.address_of(view))


def _back(request: HttpRequest, one: lists.KnownList, query: str, form: NameForm) -> HttpResponse:
    """Lead back to where one was, with what was refused in words."""
    for name, errors in form.errors.items():
        for error in errors:
            messages.error(request, f"{form.fields[name].label}: {error}")
    return redirect(f"{one.path}?{lists.without(query).urlencode() or lists.ALL}")


@require_http_methods(["GET", "HEAD", "POST"])
@people_only
def view(request: HttpRequest, pk: int) -> HttpResponse:
    """GET /views/<id>/: look at a view. POST: name it anew, share it, begin with it. Private ones of others: 404."""
    if request.method != "POST":
        return redirect(lists.address_of(get_object_or_404(SavedView.objects.visible_to(request.user), pk=pk)))
    found = get_object_or_404(SavedView, pk=pk, owner=request.user)
    one, query, form = lists.known(found.page), request.POST.get("query", ""), NameForm(request.POST)
    if not form.is_valid():
        return _back(request, one, query, form)
    try:
        lists.change_view(view=found, **form.cleaned_data)
    except lists.ViewRefused as refusal:
        form.add_error("name", str(refusal))
        return _back(request, one, query, form)
    messages.success(request, _("The view “%(name)s” is kept.") % {"name": found.name})
    return _back(request, one, query, form)


@require_POST
@people_only
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """POST /views/<id>/delete/: forget one of the own views; somebody else's is not found."""
    found = get_object_or_404(SavedView, pk=pk, owner=request.user)
    one = lists.known(found.page)
    found.delete()
    messages.success(request, _("The view “%(name)s” is deleted.") % {"name": found.name})
    return redirect(f"{one.path}?{lists.without(request.POST.get('query', '')).urlencode() or lists.ALL}")
