"""The inbox, and the ways notices also reach their reader."""

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.core.validators import RegexValidator, URLValidator, validate_email
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from citysafety.accounts.doors import desk_page

from . import push, services
from .carriers import is_offered
from .forms import SigningForm
from .models import Channel, Delivery, Notice
from .topics import TOPICS, words

PER_PAGE = 30
PHONE = RegexValidator(
    r"^\+?\d{5,20}$", gettext_lazy("Expected a telephone number: 5 to 20 digits, + before them or not.")
)


@desk_page
def inbox(request: HttpRequest) -> HttpResponse:
    """List the own notices, newest first, each with what became of its deliveries; the filters are the address. Queries: 5."""
    own = request.user.notices.order_by("-id")
    unread = own.unread().count()
    rows = own.unread() if request.GET.get("unread") else own
    topic = request.GET.get("topic", "")
    if topic in TOPICS:
        rows = rows.filter(topic=topic)
    own_ways = Delivery.objects.filter(channel__user=request.user).select_related("channel").order_by("channel")
    rows = rows.prefetch_related(Prefetch("deliveries", own_ways))
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "unread_count": unread,
        "topics": TOPICS.values(),
        "topic": topic,
        "push_key": push.public_key(),
    }
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
def sign_for(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign for a notice: who has it, knows."""
    services.sign_for(get_object_or_404(Notice, pk=pk, recipient=request.user), at=timezone.now())
    return redirect("notices")


@login_required
@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    """Mark all own notices read."""
    services.mark_read(request.user.notices.all(), at=timezone.now())
    return redirect("notices")


class ChannelForm(SigningForm):
    """A new way out: an e-mail address, an http(s) address that takes JSON, a robot's, or a telephone number."""

    class Meta:
        model = Channel
        fields = ["kind", "address"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [choice for choice in Channel.Kind.choices if is_offered(choice[0])]
        self.fields["address"].help_text = gettext_lazy(
            "An e-mail address, an address that begins with https://, or a telephone number."
        )

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        kind, address = data.get("kind"), data.get("address", "")
        try:
            if kind == Channel.Kind.EMAIL:
                validate_email(address)
            elif kind == Channel.Kind.SMS:
                PHONE(address)
            elif kind:
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
    form = ChannelForm(request.POST or None, instance=Channel(user=request.user))
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        Channel.objects.update_or_create(
            user=request.user, kind=data["kind"], address=data["address"], defaults={"enabled": True, "keys": form.keys}
        )
        messages.success(request, _("Notices now also go to %(address)s.") % {"address": data["address"]})
        return redirect("notice_channels")
    parked = Delivery.objects.filter(channel__user=request.user).exclude(parked_at=None)
    context = {
        "form": form,
        "channels": request.user.notice_channels.exclude(kind=Channel.Kind.PUSH, keys={}),
        "push_key": push.public_key(),
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
def add_device(request: HttpRequest) -> HttpResponse:
    """Push notices to the device that asks: its browser's subscription comes as form fields. 400 with words for what is none."""
    if not push.is_offered():
        raise Http404
    given = {name: request.POST.get(name, "") for name in push.KEYS}
    try:
        keys = push.read_subscription(request.POST.get("endpoint", ""), given)
    except ValueError as refusal:
        return HttpResponse(str(refusal), status=400, content_type="text/plain; charset=utf-8")
    services.remember_device(request.user, endpoint=request.POST["endpoint"], keys=keys)
    return HttpResponse(status=204)


@login_required
@require_POST
def remove_device(request: HttpRequest, pk: int) -> HttpResponse:
    """Push to a device no more."""
    get_object_or_404(Channel, pk=pk, user=request.user, kind=Channel.Kind.PUSH)
    services.forget_devices(Channel.objects.filter(pk=pk))
    return redirect("notice_channels")


@never_cache
@require_GET
def push_worker(request: HttpRequest) -> HttpResponse:
    """Give the browser the script that shows pushes while no page is open. It lies at the root, so that it may open any page."""
    return render(request, "notices/push-worker.js", content_type="text/javascript; charset=utf-8")


@login_required
@require_POST
def retry_parked(request: HttpRequest) -> HttpResponse:
    """Try the own parked deliveries again."""
    count = services.unpark(Delivery.objects.filter(channel__user=request.user), at=timezone.now())
    messages.success(request, _("Will be tried again: %(n)s") % {"n": count})
    return redirect("notice_channels")
