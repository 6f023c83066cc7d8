from django.urls import path

from . import pages

urlpatterns = [
    path("supervision/", pages.supervision, name="supervision"),
    path("supervision/overdue.<sheet:kind>", pages.overdue_sheet, name="supervision-overdue-sheet"),
    path("supervision/cases/<uuid:hazard_id>/", pages.overdue_case, name="supervision-case"),
    path("supervision/notices/", pages.notices, name="supervision-notices"),
    path("supervision/notices.<sheet:kind>", pages.notices_sheet, name="supervision-notices-sheet"),
    path("supervision/notices/<uuid:notice_id>/", pages.notice, name="supervision-notice"),
    path("supervision/register/", pages.register, name="supervision-register"),
]
