"""Forms of re-zonings: what is drawn, and what is settled about it."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from citysafety.calendars.forms import Moment, OnceForm

from .sketch import FILES, Drawing

OPERATIONS = (
    ("split", gettext_lazy("Split a cell along a line")),
    ("join", gettext_lazy("Join two cells that touch")),
    ("outlines", gettext_lazy("New outlines from a file")),
)
BASIS = "GB/T 30428.2"


class DrawForm(OnceForm):
    """One drawing: only the fields of the operation that is chosen are read."""

    operation = forms.ChoiceField(choices=OPERATIONS, label=gettext_lazy("What is done"))
    cell = forms.CharField(max_length=15, required=False, label=gettext_lazy("Cell"))
    other = forms.CharField(
        max_length=15, required=False, label=gettext_lazy("Second cell"), help_text=gettext_lazy("To join.")
    )
    line = forms.CharField(
        required=False, max_length=8000, label=gettext_lazy("Line"), widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy(
            "To split: longitude and latitude (WGS 84) of two points or more, one a row; or click them on the map."
        ),
    )  # fmt: skip
    file = forms.FileField(
        required=False, label=gettext_lazy("File"), widget=forms.FileInput(attrs={"accept": ",".join(FILES)}),
        help_text=gettext_lazy(
            "GeoJSON, GeoPackage or a zipped Shapefile, 10 MB at most. A feature with the code of a cell takes its place;"
            " one without a code is a new cell."
        ),
    )  # fmt: skip

    def clean_line(self) -> tuple[tuple[float, float], ...]:
        points = []
        for n, row in enumerate(self.cleaned_data["line"].splitlines(), 1):
            if not row.strip():
                continue
            try:
                lon, lat = (float(part) for part in row.replace(",", " ").split())
                if not (-180 <= lon <= 180 and -90 <= lat <= 90):
                    raise ValueError(row)
            except ValueError as error:
                words = _("Row %(n)s: “%(seen)s” was not understood; expected a longitude and a latitude.")
                raise forms.ValidationError(words % {"n": n, "seen": row[:40]}) from error
            points.append((lon, lat))
        return tuple(points)

    def drawing(self) -> Drawing:
        data = self.cleaned_data
        cells = tuple(code for code in (data["cell"].strip(), data["other"].strip()) if code)
        return Drawing(operation=data["operation"], cells=cells, line=data["line"], file=data["file"])

    # Where the services' refusals are shown.
    FIELDS = {"cells": "cell", "first_cell": "cell", "second_cell": "other"}


class NewForm(DrawForm):
    """A draft: the drawing, why, on what basis, from when."""

    reason = forms.CharField(max_length=1000, label=gettext_lazy("Reason"), widget=forms.Textarea(attrs={"rows": 2}))
    basis = forms.CharField(max_length=200, label=gettext_lazy("Basis"), initial=BASIS)
    effective_at = Moment(
        label=gettext_lazy("Effective from"), required=False,
        help_text=gettext_lazy("Empty: as soon as it is approved."),
    )  # fmt: skip


class VersionedForm(OnceForm):
    """A step from a page that shows a version."""

    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    words = forms.CharField(max_length=2000, required=False, label=gettext_lazy("Reason"))


class SettleForm(VersionedForm):
    """Why and from when; and for each drafted cell its names and who answers for it."""

    reason = NewForm.base_fields["reason"]
    basis = NewForm.base_fields["basis"]
    effective_at = NewForm.base_fields["effective_at"]

    def __init__(self, drafts: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.drafts = list(drafts)
        del self.fields["words"]
        for draft in self.drafts:
            self.fields[f"name_zh-{draft.code}"] = forms.CharField(
                max_length=120, initial=draft.name_zh, label=_("Chinese name of %(code)s") % {"code": draft.code}
            )
            self.fields[f"name_en-{draft.code}"] = forms.CharField(
                max_length=160,
                required=False,
                initial=draft.name_en,
                label=_("English name of %(code)s") % {"code": draft.code},
            )
            self.fields[f"worker-{draft.code}"] = forms.CharField(
                max_length=16, required=False, initial=draft.worker.number if draft.worker else "",
                label=_("Worker of %(code)s") % {"code": draft.code}, widget=forms.TextInput(attrs={"list": "workers"}),
            )  # fmt: skip
            self.fields[f"nobody-{draft.code}"] = forms.BooleanField(
                required=False, initial=draft.nobody_yet, label=_("Nobody yet for %(code)s") % {"code": draft.code}
            )

    @property
    def own_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("reason", "basis", "effective_at")]

    @property
    def rows(self) -> list[tuple[Any, list[forms.BoundField]]]:
        names = ("name_zh", "name_en", "worker", "nobody")
        return [(draft, [self[f"{name}-{draft.code}"] for name in names]) for draft in self.drafts]

    def cells(self) -> list[dict[str, Any]]:
        """Return what the step is given of each cell."""
        data = self.cleaned_data
        return [
            {
                "code": draft.code, "name_zh": data[f"name_zh-{draft.code}"], "name_en": data[f"name_en-{draft.code}"],
                "worker": data[f"worker-{draft.code}"], "nobody_yet": data[f"nobody-{draft.code}"],
            }
            for draft in self.drafts
        ]  # fmt: skip
