"""The page "why can or can't this person see this record": every rule tried, and the one that decided."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from citysafety.lifecycle import Step

from . import rights
from .models import Role, User

READERS = (Role.ADMINISTRATOR, Role.SECURITY_OFFICER, Role.AUDITOR)


class Question(forms.Form):
    """Who, what kind of record, which one."""

    user = forms.CharField(label=_("User name"))
    kind = forms.ChoiceField(label=_("Kind of record"))
    record = forms.CharField(label=_("Number or id"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [(kind.name, kind.label) for kind in rights.KINDS.values()]

    def clean_user(self) -> User:
        user = User.objects.select_related("department").filter(username=self.cleaned_data["user"]).first()
        if user is None:
            raise forms.ValidationError(_("There is no user of this name."))
        return user

    def clean(self) -> dict[str, Any]:
        kind = rights.KINDS.get(self.cleaned_data.get("kind", ""))
        given = self.cleaned_data.get("record", "").strip()
        if kind and given:
            self.cleaned_data["subject"] = subject = kind.find(given)
            if subject is None:
                self.add_error("record", _("There is no such record."))
        return self.cleaned_data


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step of the record's table, judged for the user."""

    step: Step
    is_open: bool
    verdict: rights.Verdict
    tried: list[rights.Tried]
    way: str  # from which state to which, in words

    @property
    def sentence(self) -> str:
        return rights.sentence(self.verdict.rule)


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything the page shows."""

    user: User
    kind: rights.Kind
    subject: Any
    seeing: list[rights.Seen]
    steps: list[StepRow]

    @property
    def deciding(self) -> rights.Seen | None:
        """Return the first rule that lets the user see the record; None = nothing does, so it answers 404."""
        return next((rule for rule in self.seeing if rule.allowed), None)


def answer(user: User, kind: rights.Kind, subject: Any) -> Answer:
    """Try every rule of seeing and every step for one user and one record."""
    state = getattr(subject, "state", None)
    steps = [
        StepRow(
            step,
            step.source == state,
            rights.may(user, step, subject),
            rights.tried(user, step, subject),
            " → ".join(str(kind.states.get(name, name)) for name in (step.source, step.target)),
        )
        for step in kind.steps
    ]
    steps.sort(key=lambda row: not row.is_open)
    return Answer(user, kind, subject, rights.visible_rule(kind.name, user, str(subject.pk)), steps)


@login_required
def page(request: HttpRequest) -> HttpResponse:
    """Ask and answer; nothing is changed, so the question stands in the address."""
    if request.user.role not in READERS or not request.user.is_staff:  # it knows no areas: the whole city's only
        raise PermissionDenied
    form = Question(request.GET if "user" in request.GET else None)
    found = None
    if form.is_bound and form.is_valid():
        data = form.cleaned_data
        found = answer(data["user"], rights.KINDS[data["kind"]], data["subject"])
    return render(request, "accounts/why.html", {"form": form, "answer": found})
