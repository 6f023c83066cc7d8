from django.urls import path

from . import pages

urlpatterns = [
    path("evidence/look-closer/", pages.look_closer, name="evidence-look-closer"),
    path("evidence/<int:attachment_id>/<str:size>.jpg", pages.picture, name="evidence"),
    path("evidence/<int:attachment_id>/original", pages.original, name="evidence-original"),
]
