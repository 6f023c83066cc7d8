"""Forms of the register."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from citysafety import areas
from citysafety.accounts.models import Department

from ..models import Connection, Device, DeviceKind, Protocol
from .services import Given


class DeviceForm(forms.Form):
    """What an administrator says of a device. With a place, cell and area follow from it."""

    code = forms.RegexField(
        r"^[0-9A-Za-z][0-9A-Za-z._-]*$", max_length=40, label=_("Number"),
        error_messages={"invalid": _("Letters, digits, dots, dashes and underscores are expected.")},
    )  # fmt: skip
    kind = forms.ModelChoiceField(DeviceKind.objects.select_related("system"), label=_("Kind"))
    name_zh = forms.CharField(max_length=120, label=_("Chinese name"))
    name_en = forms.CharField(max_length=160, required=False, label=_("English name"))
    protocol = forms.ChoiceField(choices=Protocol.choices, label=_("Protocol"))
    address = forms.CharField(
        max_length=64, label=_("Address"), help_text=_("As the device says it: phone number, MN, MMSI, topic.")
    )
    company = forms.CharField(max_length=120, required=False, label=_("Company"))
    department = forms.ModelChoiceField(
        Department.objects.order_by("code"), required=False, label=_("Department in charge")
    )
    lon = forms.FloatField(min_value=-180, max_value=180, required=False, label=_("Longitude (WGS 84)"))
    lat = forms.FloatField(min_value=-90, max_value=90, required=False, label=_("Latitude (WGS 84)"))
    area_code = forms.CharField(
        max_length=15,
        required=False,
        label=_("Area"),
        help_text=_("The home of what moves; a place decides it by itself."),
    )

    def clean_area_code(self) -> str:
        given = self.cleaned_data["area_code"].strip()
        try:
            return areas.normal(given) if given else ""
        except areas.UnknownArea as error:
            raise forms.ValidationError(_("“%(seen)s” is no code of an area."), params={"seen": given}) from error

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        has_lon, has_lat = given.get("lon") is not None, given.get("lat") is not None
        if has_lon != has_lat:
            self.add_error("lat" if has_lon else "lon", _("A place is a longitude and a latitude."))
        if not has_lon and not given.get("area_code") and "area_code" not in self.errors:
            self.add_error("area_code", _("A place or an area is expected."))
        return given

    def given(self, options: dict[str, Any] | None = None) -> Given:
        return Given(**self.cleaned_data, options=options or {})


def said_of(device: Device) -> dict[str, Any]:
    """Return what the form shows of a device."""
    names = ("code", "name_zh", "name_en", "protocol", "address", "company", "area_code")
    place = device.location
    return {name: getattr(device, name) for name in names} | {
        "kind": device.kind_id, "department": device.department_id, "lon": place.x if place else None,
        "lat": place.y if place else None,
    }  # fmt: skip


class MoveForm(forms.Form):
    """A step of a device, and why."""

    action = forms.ChoiceField(choices=[(one, one) for one in ("take_out", "put_back", "retire")])
    words = forms.CharField(max_length=500, required=False)


class StationForm(forms.Form):
    """The station that a system reached, and what was agreed or seen."""

    target = forms.ChoiceField(choices=Connection.choices, label=_("Station"))
    words = forms.CharField(max_length=2000, label=_("What was agreed or seen"), widget=forms.Textarea({"rows": 3}))


class KindForm(forms.Form):
    """As which kind an unknown address is registered."""

    kind = forms.ModelChoiceField(DeviceKind.objects.all())
