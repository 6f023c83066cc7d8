"""What the public types: read, bounded, and given back where something is wrong."""

import uuid
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from citysafety.coordinates import BadPosition, to_wgs84
from citysafety.evidence.services import NotAPicture, open_picture
from grid.locate import in_frame
from grid.models import Matter

MOST_PHOTOS = 3
PHONE = RegexValidator(r"^[0-9+() -]{5,32}$", _("5 to 32 digits, with + - ( ) and blanks between them."))
DATUM_CHOICES = (
    ("wgs84", _("GPS, this phone (WGS 84)")),
    ("gcj02", _("Amap, Tencent maps (GCJ-02)")),
    ("bd09", _("Baidu map (BD-09)")),
)
GRADES = (
    (5, _("Very satisfied")),
    (4, _("Satisfied")),
    (3, _("Neither")),
    (2, _("Not satisfied")),
    (1, _("Not at all")),
)


class Photos(forms.FileInput):
    """Several files in one field."""

    allow_multiple_selected = True


class PhotosField(forms.FileField):
    """Up to three pictures, given on as their bytes. What is wrong with one is said with its name."""

    def __init__(self, **more: Any) -> None:
        attrs = {"accept": "image/jpeg,image/png,image/webp", "multiple": True}
        super().__init__(widget=Photos(attrs=attrs), required=False, **more)

    def clean(self, data: Any, initial: Any = None) -> list[bytes]:
        files = [one for one in (data if isinstance(data, Sequence) else [data]) if one]
        if len(files) > MOST_PHOTOS:
            words = _("%(seen)s photos were chosen; expected at most %(most)s.")
            raise forms.ValidationError(words % {"seen": len(files), "most": MOST_PHOTOS})
        return [self._picture(one) for one in files]

    def _picture(self, file: UploadedFile) -> bytes:
        if (file.size or 0) > settings.PHOTO_MAX_BYTES:
            sizes = {"name": (file.name or "")[:60], "most": settings.PHOTO_MAX_BYTES // 1024**2}
            raise forms.ValidationError(_("“%(name)s” is larger than %(most)s MB.") % sizes)
        data: bytes = file.read()
        try:
            open_picture(data)
        except NotAPicture as error:
            words = {"name": (file.name or "")[:60], "why": str(error)}
            raise forms.ValidationError(_("“%(name)s”: %(why)s") % words) from error
        return data


class Guarded(forms.Form):
    """A form with a field that people do not see: what is typed there was typed by a program."""

    website = forms.CharField(
        required=False, label=_("Leave this empty"), widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"})
    )  # fmt: skip

    def clean_website(self) -> str:
        if self.cleaned_data["website"]:
            raise forms.ValidationError(
                _("This field stays empty; a program fills it, or an extension of the browser.")
            )
        return ""


class PlaceForm(forms.Form):
    """What it is about and where: the first page, asked by its address, so that it may be begun by a link."""

    matter = forms.ChoiceField(label=_("What is it about?"))
    lat = forms.FloatField(label=_("Latitude"), min_value=-90, max_value=90)
    lon = forms.FloatField(label=_("Longitude"), min_value=-180, max_value=180)
    datum = forms.ChoiceField(label=_("Where the numbers come from"), choices=DATUM_CHOICES, required=False)

    def __init__(self, data: Any, matters: list[Matter]) -> None:
        super().__init__(data)
        self.matters = {matter.code: matter for matter in matters}
        choices: list[Any] = [(name, [(one.code, one.name) for one in group]) for name, group in by_class(matters)]
        self.fields["matter"].choices = [("", _("Choose …")), *choices]
        for name in ("lat", "lon"):
            self.fields[name].widget = forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"})

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if "lat" in given and "lon" in given:
            try:
                lon, lat = to_wgs84(given["lon"], given["lat"], given.get("datum") or "wgs84")
            except BadPosition as error:
                raise forms.ValidationError(_("These numbers are no position on the earth.")) from error
            if not in_frame(lon, lat):
                words = _("%(lon).5f, %(lat).5f lies outside the city.") % {"lon": lon, "lat": lat}
                self.add_error("lat", words)
            given["lon"], given["lat"] = round(lon, 6), round(lat, 6)
        return given


class ReportForm(Guarded):
    """What was seen: the second page. What it is about and where was asked before and is carried along."""

    secret = forms.UUIDField(widget=forms.HiddenInput)
    description = forms.CharField(
        label=_("What is wrong?"), max_length=1500, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("What you see, and what could happen. Please name no persons."),
    )  # fmt: skip
    address = forms.CharField(
        label=_("Address or landmark"), max_length=200, required=False,
        help_text=_("If it helps to find it: house, floor, next to what."),
    )  # fmt: skip
    criterion = forms.CharField(label=_("What makes it so dangerous?"), max_length=200)
    photos = PhotosField(label=_("Photos"), help_text=_("Up to three, each up to 10 MB; JPEG, PNG or WebP."))
    name = forms.CharField(label=_("Your name"), max_length=60, required=False)
    phone = forms.CharField(label=_("Your telephone"), max_length=32, required=False, validators=[PHONE])

    def __init__(self, matter: Matter, *args: Any, asks_criterion: bool, **more: Any) -> None:
        super().__init__(*args, **more)
        self.matter = matter
        if not asks_criterion:
            del self.fields["criterion"]
        self.fields["phone"].widget.attrs |= {"inputmode": "tel", "autocomplete": "tel"}
        self.fields["name"].widget.attrs["autocomplete"] = "name"


class FollowForm(forms.Form):
    """A number and the code that came with it."""

    number = forms.CharField(label=_("Number"), max_length=24, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    code = forms.CharField(
        label=_("Follow-up code"), max_length=40, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


class ContestForm(Guarded):
    """Why a closed case is not solved."""

    id = forms.UUIDField(widget=forms.HiddenInput)
    words = forms.CharField(label=_("What is not solved?"), max_length=1500, widget=forms.Textarea(attrs={"rows": 3}))
    photos = PhotosField(label=_("Photos"), help_text=_("Up to three, each up to 10 MB; JPEG, PNG or WebP."))


class RateForm(Guarded):
    """How satisfied the reporter is."""

    satisfaction = forms.TypedChoiceField(
        label=_("How satisfied are you?"), choices=GRADES, coerce=int, widget=forms.RadioSelect
    )


class VoiceForm(Guarded):
    """It is this one: the case that is known already."""

    id = forms.UUIDField(widget=forms.HiddenInput)
    number = forms.CharField(max_length=24, widget=forms.HiddenInput)


def by_class(matters: list[Matter]) -> list[tuple[str, list[Matter]]]:
    """Return matters, that come in the order of their classes, under the names of these."""
    return [(name, list(group)) for name, group in groupby(matters, key=lambda matter: matter.matter_class.name)]


def fresh_id() -> uuid.UUID:
    """Return an id for a form, so that sending it twice is sending it once."""
    return uuid.uuid4()
