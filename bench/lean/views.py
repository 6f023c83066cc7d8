"""File a report with one polygon look-up and three inserts; list hazards, fifty a page."""

import django_filters
from django.contrib.gis.geos import Point, Polygon
from django.db import transaction
from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import generics, serializers
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from .models import Category, Cell, Department, Hazard, Matter, Place, Report, Status


class ReportInput(serializers.Serializer):
    id = serializers.UUIDField()
    category = serializers.CharField(max_length=16)
    text = serializers.CharField(max_length=2000)
    lon = serializers.FloatField(min_value=-180, max_value=180)
    lat = serializers.FloatField(min_value=-90, max_value=90)
    occurred_at = serializers.DateTimeField()


class Reports(APIView):
    def post(self, request: Request) -> Response:
        given = ReportInput(data=request.data)
        given.is_valid(raise_exception=True)
        said = given.validated_data
        point = Point(said.pop("lon"), said.pop("lat"), srid=4326)
        with transaction.atomic():
            cell = Cell.objects.filter(kind="base", geometry__contains=point).only("code").first()
            report = Report.objects.create(**said)
            Place.objects.create(report=report, point=point, cell=cell)
            Status.objects.create(report=report, state="reported")
        return Response({"id": str(report.pk), "cell": cell.code if cell else None, "state": "reported"}, status=201)


class CategoryOutput(serializers.ModelSerializer):
    class Meta:
        model = Category
        fields = ["code", "name_zh"]


class MatterOutput(serializers.ModelSerializer):
    matter_class = CategoryOutput()

    class Meta:
        model = Matter
        fields = ["code", "name_zh", "matter_class"]


class CellOutput(serializers.ModelSerializer):
    class Meta:
        model = Cell
        fields = ["code", "name_zh"]


class DepartmentOutput(serializers.ModelSerializer):
    class Meta:
        model = Department
        fields = ["code", "name_zh"]


class HazardOutput(serializers.ModelSerializer):
    matter = MatterOutput()
    cell = CellOutput()
    department = DepartmentOutput()
    location = serializers.SerializerMethodField()

    class Meta:
        model = Hazard
        fields = [field.name for field in Hazard._meta.fields]

    def get_location(self, hazard: Hazard) -> list[float]:
        return [hazard.location.x, hazard.location.y]


class HazardFilter(django_filters.FilterSet):
    state = django_filters.CharFilter()
    category = django_filters.CharFilter(field_name="matter__matter_class__code")
    area = django_filters.CharFilter(field_name="area_code", lookup_expr="startswith")
    received_after = django_filters.DateFilter(field_name="received_at", lookup_expr="date__gte")
    received_before = django_filters.DateFilter(field_name="received_at", lookup_expr="date__lte")
    box = django_filters.CharFilter(method="in_box")

    class Meta:
        model = Hazard
        fields: list[str] = []

    def in_box(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        return rows.filter(location__within=Polygon.from_bbox([float(number) for number in value.split(",")]))


class Newest(CursorPagination):
    page_size = 50
    ordering = ("-received_at", "id")


class Hazards(generics.ListAPIView):
    queryset = Hazard.objects.select_related("matter__matter_class", "cell", "department").defer("cell__geometry").all()
    serializer_class = HazardOutput
    filter_backends = [DjangoFilterBackend]
    filterset_class = HazardFilter
    pagination_class = Newest
