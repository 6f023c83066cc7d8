from django.urls import path

from . import pages

urlpatterns = [
    path("supervision/", pages.supervision, name="supervision"),
    path("supervision/notices/<uuid:notice_id>/", pages.notice, name="supervision-notice"),
    path("supervision/register/", pages.register, name="supervision-register"),
]
