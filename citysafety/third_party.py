"""Texts of libraries that speak no Chinese and that our pages show; named here so that the catalogue has them."""

from django.utils.translation import gettext_noop as _

AXES = (
    _("access attempt"),
    _("access attempts"),
    _("access failure"),
    _("access failures"),
    _("access log"),
    _("access logs"),
    _("Access lock out"),
    _("Attempt Time"),
    _("Failed Logins"),
    _("GET Data"),
    _("HTTP Accept"),
    _("IP Address"),
    _("Logout Time"),
    _("Path"),
    _("POST Data"),
    _("Session key hash (sha256)"),
    _("User Agent"),
    _("Username"),
)
ADMIN = (_("Add link"), _("Change or view list link"), _("Model name"))
REST = (_("No data provided"),)
PERIODIC_TASKS = (_("Task Name"),)
