"""Forms of rosters. Times are the city's wall clock; what the services refuse comes back at its field."""

import uuid
from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from citysafety.accounts.models import User

from .models import Leave, Post, Shift
from .rosters import candidates
from .shifts import PLANNERS

WALL = "%Y-%m-%dT%H:%M"
DEFAULT_SLOTS = "08:00-20:00 20:00-08:00"
FIRST_TEAMS = 4


class Moment(forms.DateTimeField):
    """A moment by the city's wall clock, as browsers ask for it."""

    def __init__(self, **more: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=WALL)
        super().__init__(widget=widget, **more)


class PersonField(forms.ModelChoiceField):
    """One of the people who may be chosen, by name; the account's name tells namesakes apart."""

    def label_from_instance(self, person: User) -> str:
        return f"{person.name} · {person.username}"


class OnceForm(forms.Form):
    """A form that is acted on once, however often its button is pressed."""

    id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)


class ShiftForm(OnceForm):
    """A person at a post from a moment to another."""

    person = PersonField(queryset=User.objects.none(), label=gettext_lazy("Person"))
    deputy = PersonField(
        queryset=User.objects.none(), required=False, label=gettext_lazy("Deputy"), empty_label=gettext_lazy("none")
    )
    begins = Moment(label=gettext_lazy("Begins"))
    ends = Moment(label=gettext_lazy("Ends"), help_text=gettext_lazy("May lie after midnight; a week later at most."))
    kind = forms.ChoiceField(choices=Shift.Kind.choices, label=gettext_lazy("Kind"))
    note = forms.CharField(max_length=200, required=False, label=gettext_lazy("Note"))

    def __init__(self, post: Post, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = candidates(post)
        self.fields["person"].queryset = self.fields["deputy"].queryset = people


class PatternForm(OnceForm):
    """Teams that take turns through the slots of a day: each person gets the number of a team."""

    slots = forms.CharField(
        max_length=120,
        initial=DEFAULT_SLOTS,
        label=gettext_lazy("Slots of a day"),
        help_text=gettext_lazy("Such as 08:00-20:00 20:00-08:00; a single 08:00-08:00 is a whole day and night."),
    )
    first = forms.DateField(
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), label=gettext_lazy("From")
    )
    last = forms.DateField(
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), label=gettext_lazy("To, that day included")
    )

    def __init__(self, post: Post, people: Iterable[User], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people = {f"team-{person.pk}": person for person in people}
        for n, (name, person) in enumerate(self.people.items(), 1):
            is_own = person.area_code == post.area_code and n <= FIRST_TEAMS  # those of the post's own area come first
            self.fields[name] = forms.IntegerField(
                min_value=1, max_value=12, required=False, initial=n if is_own else None, label=person.name
            )

    @property
    def team_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.people]

    @property
    def own_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("slots", "first", "last")]

    @property
    def teams(self) -> list[list[User]]:
        """Return the people of the teams in the order of their numbers."""
        numbered: dict[int, list[User]] = {}
        for name, person in self.people.items():
            if number := self.cleaned_data.get(name):
                numbered.setdefault(number, []).append(person)
        return [numbered[number] for number in sorted(numbered)]


class CopyForm(OnceForm):
    """The week before a week's Monday, once more in that week."""

    target = forms.DateField(
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        label=gettext_lazy("Into the week of"),
        help_text=gettext_lazy("The week before it is copied."),
    )


class SwapForm(OnceForm):
    """Another's shift to change places with."""

    second = forms.ModelChoiceField(queryset=Shift.objects.none(), label=gettext_lazy("With the shift"))
    words = forms.CharField(max_length=200, required=False, label=gettext_lazy("Words to the other"))

    def __init__(self, shifts: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["second"].queryset = shifts
        self.fields["second"].label_from_instance = shift_words


class LeaveForm(OnceForm):
    """From when to when somebody will not be there, and why."""

    person = PersonField(queryset=User.objects.none(), label=gettext_lazy("Person"))
    begins = Moment(label=gettext_lazy("From"))
    ends = Moment(label=gettext_lazy("To"))
    reason = forms.CharField(
        max_length=Leave._meta.get_field("reason").max_length,
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("Read by you and by those who plan; write no more than they need."),
    )

    def __init__(self, by: User, people: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"].queryset = people
        self.fields["person"].initial = by.pk
        if by.role not in PLANNERS:
            self.fields["person"].empty_label = None


class HandoverForm(OnceForm):
    """What the next shift must know."""

    matters = forms.CharField(
        max_length=4000, widget=forms.Textarea(attrs={"rows": 5}), label=gettext_lazy("Open matters")
    )
    cases = forms.CharField(
        max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 2}), label=gettext_lazy("Important cases"),
        help_text=gettext_lazy("Write their numbers: each becomes a link to its case."),
    )  # fmt: skip
    equipment_ok = forms.BooleanField(required=False, initial=True, label=gettext_lazy("Equipment in order"))
    equipment = forms.CharField(max_length=400, required=False, label=gettext_lazy("What is not in order"))


class ReceiptForm(OnceForm):
    """The signature, and a remark if there is one."""

    words = forms.CharField(max_length=400, required=False, label=gettext_lazy("Remark"))


class PostForm(forms.ModelForm):
    """A post in a planner's area: neither its role nor its area change once it has shifts."""

    class Meta:
        model = Post
        fields = [
            "name_zh", "name_en", "role", "area_code", "department", "phone", "minimum", "staffed", "begins", "ends",
            "warn_hours", "receipt_minutes", "active",
        ]  # fmt: skip
        widgets = {name: forms.TimeInput(attrs={"type": "time"}, format="%H:%M") for name in ("begins", "ends")}

    def __init__(self, by: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by = by
        offices = self.fields["department"].queryset
        self.fields["department"].queryset = offices.filter(area_code__startswith=by.area_code or "-")
        if self.instance.pk and self.instance.shifts.exists():
            for name in ("role", "area_code", "department"):
                self.fields[name].disabled = True

    def clean_area_code(self) -> str:
        code = self.cleaned_data["area_code"]
        if not self.by.covers(code):
            words = {"seen": code, "expected": self.by.area_code}
            raise forms.ValidationError(
                _("“%(seen)s” lies outside your area; expected a code that begins with %(expected)s.") % words
            )
        return code


def shift_words(shift: Shift) -> str:
    """Return a shift as a list of choices tells it."""
    begins, ends = timezone.localtime(shift.begins), timezone.localtime(shift.ends)
    until = f"{ends:%H:%M}" if ends.date() == begins.date() else f"{ends:%m-%d %H:%M}"
    return f"{begins:%m-%d %H:%M} – {until} · {shift.person.name} · {shift.post.name}"
