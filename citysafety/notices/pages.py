"""The inbox, and the ways notices also reach their reader."""

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.core.validators import URLValidator, validate_email
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from citysafety.accounts.doors import desk_page

from . import services
from .carriers import is_offered
from .models import Channel, Delivery, Notice
from .topics import TOPICS, words

PER_PAGE = 30


@desk_page
def inbox(request: HttpRequest) -> HttpResponse:
    """List the own notices, newest first; the filters are the address. Queries: 4."""
    own = request.user.notices.order_by("-id")
    unread = own.unread().count()
    rows = own.unread() if request.GET.get("unread") else own
    topic = request.GET.get("topic", "")
    if topic in TOPICS:
        rows = rows.filter(topic=topic)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "unread_count": unread, "topics": TOPICS.values(), "topic": topic}
    return render(request, "notices/inbox.html", context)


@never_cache
@login_required
@require_GET
def unread(request: HttpRequest) -> HttpResponse:
    """Answer the top bar's question, once a minute, how many are unread."""
    return render(request, "notices/_unread_link.html", {"unread_count": request.user.notices.unread().count()})


@login_required
@require_POST
def open_notice(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark a notice read and go where it leads."""
    notice = get_object_or_404(Notice, pk=pk, recipient=request.user)
    services.mark_read(Notice.objects.filter(pk=pk), at=timezone.now())
    path = words(notice).path
    ours = url_has_allowed_host_and_scheme(path, {request.get_host()}, require_https=request.is_secure())
    return redirect(path if path and ours else "notices")


@login_required
@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    """Mark all own notices read."""
    services.mark_read(request.user.notices.all(), at=timezone.now())
    return redirect("notices")


class ChannelForm(forms.ModelForm):
    """A new way out: an e-mail address, or an http(s) address that takes JSON."""

    class Meta:
        model = Channel
        fields = ["kind", "address"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [choice for choice in Channel.Kind.choices if is_offered(choice[0])]
        self.fields["address"].help_text = gettext_lazy("An e-mail address, or an address that begins with https://.")

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        kind, address = data.get("kind"), data.get("address", "")
        try:
            if kind == Channel.Kind.EMAIL:
                validate_email(address)
            elif kind == Channel.Kind.WEBHOOK:
                URLValidator(schemes=["http", "https"])(address)
                if urlsplit(address).username:
                    raise forms.ValidationError(_("Put no password into the address."))
        except forms.ValidationError as error:
            self.add_error("address", error)
        return data


@never_cache
@login_required
def channels(request: HttpRequest) -> HttpResponse:
    """Show and add the own channels, and what could not be delivered."""
    form = ChannelForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        Channel.objects.update_or_create(
            user=request.user, kind=data["kind"], address=data["address"], defaults={"enabled": True}
        )
        messages.success(request, _("Notices now also go to %(address)s.") % {"address": data["address"]})
        return redirect("notice_channels")
    parked = Delivery.objects.filter(channel__user=request.user).exclude(parked_at=None)
    context = {
        "form": form,
        "channels": request.user.notice_channels.all(),
        "parked": parked.select_related("notice", "channel")[:20],
    }
    return render(request, "notices/channels.html", context)


@login_required
@require_POST
def switch_channel(request: HttpRequest, pk: int) -> HttpResponse:
    """Use a channel or rest it."""
    channel = get_object_or_404(Channel, pk=pk, user=request.user)
    channel.enabled = not channel.enabled
    channel.save(update_fields=["enabled"])
    return redirect("notice_channels")


@login_required
@require_POST
def retry_parked(request: HttpRequest) -> HttpResponse:
    """Try the own parked deliveries again."""
    count = services.unpark(Delivery.objects.filter(channel__user=request.user), at=timezone.now())
    messages.success(request, _("Will be tried again: %(n)s") % {"n": count})
    return redirect("notice_channels")
