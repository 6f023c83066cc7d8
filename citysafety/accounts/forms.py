"""Forms of the account pages."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.utils.translation import gettext_lazy as _


class SignInForm(AuthenticationForm):
    """Name and password; pasting is allowed, password managers find their fields."""

    error_messages = {
        "invalid_login": _("User name or password is wrong. Both are case-sensitive."),
        "inactive": _("This account is switched off. Ask your security officer."),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("User name")
        self.fields["username"].widget.attrs |= {"autocapitalize": "none", "spellcheck": "false"}
        self.fields["password"].label = _("Password")


class TokenForm(forms.Form):
    """What a new token is for."""

    label = forms.CharField(label=_("Used for"), max_length=80)
