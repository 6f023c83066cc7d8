from django.urls import re_path

from . import doors

FORMAT = r"\.(?P<format>xml|json)$"

urlpatterns = [
    re_path(rf"^discovery{FORMAT}", doors.Discovery.as_view(), name="open311-discovery"),
    re_path(rf"^services{FORMAT}", doors.Services.as_view(), name="open311-services"),
    re_path(rf"^services/(?P<code>[^/]+){FORMAT}", doors.Definition.as_view(), name="open311-definition"),
    re_path(rf"^requests{FORMAT}", doors.Requests.as_view(), name="open311-requests"),
    re_path(rf"^requests/(?P<number>[^/]+){FORMAT}", doors.OneRequest.as_view(), name="open311-request"),
    re_path(rf"^tokens/(?P<token>[^/]+){FORMAT}", doors.Token.as_view(), name="open311-token"),
    re_path(r"^(?P<rest>.*?)(?:\.(?P<format>xml|json))?$", doors.Nothing.as_view(), name="open311-nothing"),
]
