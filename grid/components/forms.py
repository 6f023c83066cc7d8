"""Forms of imports of components."""

from django import forms
from django.utils.translation import gettext_lazy as _

from citysafety.calendars.forms import OnceForm

DATUMS = (("wgs84", "WGS 84"), ("gcj02", "GCJ-02"), ("bd09", "BD-09"))


class FileForm(OnceForm):
    """A file of components, and in which datum its places are told."""

    file = forms.FileField(
        label=_("File"), widget=forms.FileInput(attrs={"accept": ".csv,.geojson,.json"}),
        help_text=_("CSV (UTF-8 or GB 18030) or GeoJSON; at most 100,000 components and 24 MB."),
    )  # fmt: skip
    datum = forms.ChoiceField(choices=DATUMS, label=_("Datum of the places"))


class ConfirmForm(forms.Form):
    """What was shown and is now to be done."""

    table_hash = forms.CharField(max_length=64, widget=forms.HiddenInput)
