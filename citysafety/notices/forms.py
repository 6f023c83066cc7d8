"""What the pages and the administration ask alike of a channel."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .models import Channel


class SigningForm(forms.ModelForm):
    """Asks for the secret of a robot that wants its calls signed; it is kept beside the address and never shown again."""

    secret = forms.CharField(
        label=gettext_lazy("secret for signing"),
        required=False,
        max_length=200,
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("The secret of a DingTalk robot with additional signature. Empty: not signed."),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        kind = data.get("kind") or self.instance.kind
        if data.get("secret") and kind and kind != Channel.Kind.DINGTALK:
            words = _("Only DingTalk robots are signed; this is %(kind)s.")
            self.add_error("secret", words % {"kind": Channel.Kind(kind).label})
        return data

    @property
    def keys(self) -> dict[str, str]:
        """Return what is to be kept of a new channel."""
        return {"secret": self.cleaned_data["secret"]} if self.cleaned_data.get("secret") else {}
