from django.urls import path

from . import pages

urlpatterns = [
    path("verify/", pages.verify, name="verify"),
    path("verify/<str:code>/", pages.verify, name="verify-code"),
]
