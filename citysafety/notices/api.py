"""The own notices for programs."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from citysafety.filtering import Switch
from citysafety.viewsets import CountTwin

from . import services
from .models import Notice
from .topics import words


class NoticeFilter(django_filters.FilterSet):
    unread = Switch(field_name="read_at", lookup_expr="isnull")

    class Meta:
        model = Notice
        fields = ["topic", "level", "kind", "subject_id"]


class NoticeShape(serializers.ModelSerializer):
    """A notice in the words of the caller's language."""

    title = serializers.SerializerMethodField()
    body = serializers.SerializerMethodField()
    path = serializers.SerializerMethodField()

    class Meta:
        model = Notice
        fields = [
            "id", "topic", "kind", "subject_id", "level", "title", "body", "path", "created_at", "read_at",
            "signed_at",
        ]  # fmt: skip

    def get_title(self, notice: Notice) -> str:
        return words(notice).title

    def get_body(self, notice: Notice) -> str:
        return words(notice).body

    def get_path(self, notice: Notice) -> str:
        return words(notice).path


class NoticeViews(CountTwin, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """The caller's own notices; other people's do not exist here."""

    queryset = Notice.objects.none()
    serializer_class = NoticeShape
    filterset_class = NoticeFilter
    ordering = "-id"

    def get_queryset(self) -> QuerySet:
        if getattr(self, "swagger_fake_view", False):
            return Notice.objects.none()
        return Notice.objects.filter(recipient=self.request.user).order_by("-id")

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def read(self, request: Request, pk: Any = None) -> Response:
        """Mark one as read; a second time changes nothing."""
        notice = self.get_object()
        services.mark_read(Notice.objects.filter(pk=notice.pk), at=timezone.now())
        notice.refresh_from_db()
        return Response(self.get_serializer(notice).data)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def sign(self, request: Request, pk: Any = None) -> Response:
        """Sign for one; a second time changes nothing."""
        notice = self.get_object()
        services.sign_for(notice, at=timezone.now())
        notice.refresh_from_db()
        return Response(self.get_serializer(notice).data)
