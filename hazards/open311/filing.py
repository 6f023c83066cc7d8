"""POST Service Request: what a form says, and how it is filed once."""

import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.http import QueryDict
from django.utils.translation import gettext as _
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound, ValidationError

from citysafety.calendars.services import calendar
from citysafety.outbox import receipts
from grid.models import Matter

from .. import services
from ..desk import reason_words
from ..models import Hazard
from ..services.clocks import first_clocks
from ..services.reporting import Filing
from ..standing import CITY_TIME
from . import present, selectors

ATTRIBUTE = re.compile(r"attribute\[([^\[\]]{1,40})\](?:\[\])?")
A_MINUTE = timedelta(minutes=1)
NAMESPACE = uuid.UUID("5a1f6d3e-0d0b-5c8a-9a53-6d1c0f4f3111")  # of ids made of what a form says
TO = "open311/requests"
ANSWERED = ("service_request_id", "service_notice", "account_id")
# A field of a filing and what the standard calls it.
CALLED = {
    "matter": "service_code",
    "location": "lat, long",
    "cell": "address_id",
    "criterion": f"attribute[{present.CRITERION}]",
}


class RequestInput(serializers.Serializer):
    """The form's fields that count. What it says of the person who reports is read by nobody and kept nowhere."""

    id = serializers.UUIDField(required=False)
    service_code = serializers.CharField(max_length=40)
    lat = serializers.FloatField(min_value=-90, max_value=90, required=False)
    long = serializers.FloatField(min_value=-180, max_value=180, required=False)
    address_id = serializers.CharField(max_length=15, required=False)
    address_string = serializers.CharField(max_length=300, required=False)
    description = serializers.CharField(max_length=4000, required=False)
    media_url = serializers.CharField(max_length=500, required=False)

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        """Ask for a place that can be found: the city keeps no register of addresses in words."""
        if ("lat" in given) != ("long" in given):
            raise serializers.ValidationError({"lat, long": _("Both are needed, in degrees of WGS 84.")})
        if "lat" not in given and "address_id" not in given:
            raise serializers.ValidationError(
                {
                    "lat, long": _(
                        "A place is needed: lat and long in WGS 84, or address_id with the code of a cell. "
                        "An address in words alone cannot be found here."
                    )
                }
            )
        return given


def request_in(form: QueryDict, files: Any) -> tuple[dict[str, Any], Matter, str]:
    """Return the fields of a form, its matter and criterion. Queries: 1.

    :raises ValidationError: fields are missing or wrong, an attribute is missing or unknown, a file came with it.
    :raises NotFound: there is no such service.
    """
    if files:
        words = _("Files are not taken here; photos go to /api/v1/hazards/<id>/photos/ after the report.")
        raise ValidationError({name: [words] for name in files})
    given = RequestInput(data={name: value for name, value in form.items() if value.strip()})
    given.is_valid(raise_exception=True)
    fields = dict(given.validated_data)
    try:
        matter = selectors.service(fields["service_code"])
    except selectors.UnknownService as error:
        raise NotFound(_("There is no service %(code)s.") % {"code": error}) from error
    return fields, matter, _criterion(form, matter)


def _criterion(form: QueryDict, matter: Matter) -> str:
    """Return the criterion among the attributes; each attribute of the form must be one of the service's."""
    sent = {found[1]: form.get(name, "").strip() for name in form if (found := ATTRIBUTE.fullmatch(name))}
    defined = {attribute["code"] for attribute in present.attributes_of(matter)}
    faults = {
        f"attribute[{code}]": [_("The service %(code)s has no such attribute.") % {"code": matter.code}]
        for code in sent
        if code not in defined
    }
    for code in sorted(defined):
        value = sent.get(code, "")
        if not value or len(value) > 200 or "\0" in value:
            faults[f"attribute[{code}]"] = [_("1 to 200 characters are needed: the criterion of a major hazard.")]
    if faults:
        raise ValidationError(faults)
    return sent.get(present.CRITERION, "")


def file_request(
    fields: dict[str, Any], matter: Matter, criterion: str, *, user: Any, at: datetime
) -> tuple[int, list[dict[str, Any]]]:
    """File a report once and return status and rows: 201, or 200 with the same rows for a repeat.

    With ``id`` a repeat is known for ever. Without one, the same form from the same account counts as a repeat when it
    comes within a minute. Queries: those of filing and its receipt; without ``id`` 2 more and a transaction around all.

    :raises ValidationError: it cannot be taken, or the id was used for something else.
    """
    body = {"to": TO, **{name: str(value) for name, value in fields.items() if name != "id"}, "criterion": criterion}
    filed = _Once(fields, matter, criterion, user, at, body)
    try:
        answer = filed.under(fields["id"]) if "id" in fields else filed.within_a_minute()
    except services.FilingRefused as refusal:
        raise ValidationError({CALLED.get(refusal.field, refusal.field): [str(refusal)]}) from refusal
    except receipts.RepeatDiffers as error:
        raise ValidationError({"id": [_("This id was used for something else.")]}) from error
    rows = [{name: row[name] for name in ANSWERED} for row in answer.body]  # kept in an order of PostgreSQL's own
    return (status.HTTP_200_OK if answer.repeated else answer.status), rows


@dataclass(frozen=True, slots=True)
class _Once:
    """One report that may come several times; ``body`` is what makes it the same."""

    fields: dict[str, Any]
    matter: Matter
    criterion: str
    user: Any
    at: datetime
    body: dict[str, str]

    def under(self, claimed: uuid.UUID) -> receipts.Answer:
        """Answer under an id. An id that has no receipt, but a hazard, is of imported history: somebody else's."""
        try:
            return receipts.answer_once(
                id=claimed, account_id=self.user.pk, body=self.body, act=lambda: self._file(claimed)
            )
        except IntegrityError as error:
            if Hazard.objects.filter(pk=claimed).exists():
                raise receipts.RepeatDiffers from error
            raise

    @transaction.atomic
    def within_a_minute(self) -> receipts.Answer:
        """Answer under an id made of account, form and minute. The last minute is asked first, repeats one by one."""
        now, before = (self._made_in(int(self.at.timestamp()) // 60 - minutes) for minutes in (0, 1))
        with connection.cursor() as cursor:
            one_by_one = self._made_in(0).int % 2**63
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [one_by_one])
        earlier = Hazard.objects.filter(pk=before, received_at__gt=self.at - A_MINUTE).exists()
        return self.under(before if earlier else now)

    def _made_in(self, minute: int) -> uuid.UUID:
        return uuid.uuid5(NAMESPACE, f"{self.user.pk}:{minute}:{receipts.fingerprint(self.body)}")

    def _file(self, claimed: uuid.UUID) -> tuple[int, list[dict[str, Any]]]:
        lon, lat = self._place()
        filing = Filing(
            id=claimed,
            matter=self.matter.code,
            description="\n".join(self._words()),
            lon=lon,
            lat=lat,
            accuracy_m=None,
            occurred_at=self.at,
            criterion=self.criterion,
            cell=self.fields.get("address_id"),
        )
        hazard, _cells = services.report_hazard(filing=filing, reporter=self.user, at=self.at)
        row = dict(zip(ANSWERED, (hazard.number, _notice(hazard), None), strict=True))
        return status.HTTP_201_CREATED, [row]

    def _place(self) -> tuple[float, float]:
        if "lat" in self.fields:
            return self.fields["long"], self.fields["lat"]
        code = self.fields["address_id"]
        if (place := selectors.place_of(code)) is None:
            raise services.FilingRefused("cell", _("There is no cell %(code)s.") % {"code": code})
        return place

    def _words(self) -> list[str]:
        """Return the description's lines; an address in words and the address of a picture are kept as words."""
        lines = [self.fields.get("description", "")]
        if address := self.fields.get("address_string"):
            lines.append(_("Address given: %(words)s") % {"words": address})
        if media := self.fields.get("media_url"):
            lines.append(_("Picture named, not fetched: %(address)s") % {"address": media})
        return [line for line in lines if line]


def _notice(hazard: Hazard) -> str:
    """Say what can be expected of a case that was filed just now, by its first clocks. Queries: none."""
    due = present.promise(hazard, hazard.matter, calendar(), first_clocks(hazard, at=hazard.received_at))
    if due.at is None:
        return _("No time can be promised: %(reason)s") % {"reason": reason_words(due.reason)}
    return _("To be put right and checked by %(time)s.") % {"time": f"{due.at.astimezone(CITY_TIME):%F %H:%M}"}
