"""HTTP doors of GeoReport v2 under /open311/v2/: parse, one call, answer in XML or JSON as the address ends."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException, NotFound, PermissionDenied
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from citysafety import areas

from ..lifecycle import FILERS
from . import access, filing, present, rendering, selectors
from .asking import Asked, asked_of

STANDARD = "http://wiki.open311.org/GeoReport_v2"  # the token of the specification, as Service Discovery spells it


class GeoReport(APIView):
    """What all doors share. Reading is for everybody; a key shows more, and is needed to report."""

    root = "service_requests"
    schema = None  # the standard is its own description
    metadata_class = None
    authentication_classes = (access.KeyAuthentication,)
    permission_classes = ()
    throttle_classes = (access.PublicThrottle,)
    renderer_classes = (rendering.Xml, rendering.Json)
    parser_classes = (FormParser, MultiPartParser)
    content_negotiation_class = rendering.BySuffix

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Answer in the language that is asked for, rendered while it is spoken."""
        language = access.language_of(request)
        with translation.override(language):
            answer = super().dispatch(request, *args, **kwargs).render()
        answer["Content-Language"] = language
        patch_vary_headers(answer, ["Accept-Language", "Authorization"])
        if self.request.auth:  # what a key shows is for who has it
            answer["Cache-Control"] = "private, no-store"
        return answer

    def perform_authentication(self, request: Request) -> None:
        """Count those who come with a wrong key among those who come without one. No form is read that is none of ours."""
        access.check_size(request)
        try:
            super().perform_authentication(request)
        except APIException:
            self.check_throttles(request)
            raise

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.check_jurisdiction(request)

    def check_jurisdiction(self, request: Request) -> None:
        """Take the city's code as ``jurisdiction_id``; it may be left out, since there is one. :raises NotFound: another."""
        form = request.data if request.method == "POST" else {}
        asked = (request.query_params.get("jurisdiction_id") or form.get("jurisdiction_id") or "").strip()
        try:
            known = not asked or areas.normal(asked) == settings.CITY_CODE
        except areas.UnknownArea:
            known = False
        if not known:
            words = _("There is no jurisdiction %(seen)s here; expected %(code)s or none.")
            raise NotFound(words % {"seen": asked[:40], "code": settings.CITY_CODE})

    def get_exception_handler(self) -> Any:
        return access.refusal

    def absolute(self, path: str) -> str:
        """Return the whole address of one of our paths."""
        site = settings.SITE_URL.rstrip("/")
        return f"{site}{path}" if site else self.request.build_absolute_uri(path)


class Discovery(GeoReport):
    """GET discovery: where which version is, in which formats (Service Discovery, "Fields for All Versions")."""

    root = "discovery"

    def get(self, request: Request, format: str) -> Response:
        at = selectors.services_changed()
        changed = present.w3c(at) if at else ""
        endpoint = {
            "specification": STANDARD,
            "url": self.absolute(request.path.rpartition("/")[0]),
            "changeset": changed,
            "type": "production",
            "formats": [one.media_type for one in self.renderer_classes],
        }
        return Response(
            {
                "changeset": changed,
                "contact": _("The city's safety operation centre."),
                "key_service": _("A key is a token of an account: sign in and make one under “Account”."),
                "endpoints": [endpoint],
            }
        )


class Services(GeoReport):
    """GET services: the matters that may be reported."""

    root = "services"

    def get(self, request: Request, format: str) -> Response:
        return Response([present.service_answer(matter) for matter in selectors.services()])


class Definition(GeoReport):
    """GET service definition: what a report of a matter must say besides."""

    root = "service_definition"

    def get(self, request: Request, code: str, format: str) -> Response:
        try:
            return Response(present.definition_answer(selectors.service(code)))
        except selectors.UnknownService as error:
            raise _unknown(error) from error


class Requests(GeoReport):
    """GET and POST service requests."""

    def get(self, request: Request, format: str) -> Response:
        asked = asked_of(request.query_params, timezone.now())
        try:
            rows = selectors.page_of(asked)
        except selectors.UnknownService as error:
            raise _unknown(error) from error
        page = selectors.told(rows, request.user, notes=asked.extensions)
        return Response(_answers(self, page, extensions=asked.extensions))

    def post(self, request: Request, format: str) -> Response:
        if not request.user.is_authenticated:
            raise access.InvalidKey(_("An api_key is needed to report."))
        if request.user.role not in FILERS:
            raise PermissionDenied(_("Your role files no hazards."))
        fields, matter, criterion = filing.request_in(request.data, request.FILES)
        code, rows = filing.file_request(fields, matter, criterion, user=request.user, at=timezone.now())
        return Response(rows, status=code)


class OneRequest(GeoReport):
    """GET service request: one by its number, or by the id that its client made."""

    def get(self, request: Request, number: str, format: str) -> Response:
        asked = asked_of(request.query_params, timezone.now())
        rows = selectors.page_of(Asked(ids=(number,)))
        page = selectors.told(rows, request.user, notes=asked.extensions)
        if not page.lines:
            raise NotFound(_("There is no service request %(number)s.") % {"number": number[:40]})
        return Response(_answers(self, page, extensions=asked.extensions))


class Token(GeoReport):
    """GET service_request_id from a token: the token is the id that the client sent with its report.

    Numbers are given at once here, so no token is ever handed out; this is for who lost the answer.
    """

    def get(self, request: Request, token: str, format: str) -> Response:
        if (number := selectors.number_of_filing(token)) is None:
            raise NotFound(_("There is no token %(token)s.") % {"token": token[:40]})
        return Response([{"service_request_id": number, "token": token}])


class Nothing(GeoReport):
    """What is at no address of the standard is refused in its words too."""

    def get(self, request: Request, rest: str, format: str = "xml") -> Response:
        raise NotFound

    post = get


def _answers(view: GeoReport, page: selectors.Told, *, extensions: bool) -> list[dict[str, Any]]:
    answers = present.request_answers(page, view.absolute)
    if extensions:
        return [present.extended(one, line, page) for one, line in zip(answers, page.lines, strict=True)]
    return answers


def _unknown(error: selectors.UnknownService) -> NotFound:
    return NotFound(_("There is no service %(code)s.") % {"code": str(error)[:40]})
