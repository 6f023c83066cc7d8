"""Three tables of its own for filing; for lists the very rows that ours shows."""

from django.contrib.gis.db import models


class Named(models.Model):
    code = models.CharField(max_length=32)
    name_zh = models.CharField(max_length=200)

    class Meta:
        abstract = True


class Cell(Named):
    kind = models.CharField(max_length=9)
    geometry = models.MultiPolygonField(srid=4326)

    class Meta:
        managed = False
        db_table = "grid_cell"


class Category(Named):
    class Meta:
        managed = False
        db_table = "grid_matterclass"


class Matter(Named):
    matter_class = models.ForeignKey(Category, models.DO_NOTHING)

    class Meta:
        managed = False
        db_table = "grid_matter"


class Department(Named):
    class Meta:
        managed = False
        db_table = "accounts_department"


class Hazard(models.Model):
    id = models.UUIDField(primary_key=True)
    number = models.CharField(max_length=24)
    state = models.CharField(max_length=12)
    severity = models.CharField(max_length=8)
    description = models.TextField()
    location = models.PointField(srid=4326)
    accuracy_m = models.FloatField(null=True)
    area_code = models.CharField(max_length=15)
    matter = models.ForeignKey(Matter, models.DO_NOTHING)
    cell = models.ForeignKey(Cell, models.DO_NOTHING, null=True)
    department = models.ForeignKey(Department, models.DO_NOTHING, null=True)
    due_stage = models.CharField(max_length=7)
    due_at = models.DateTimeField(null=True)
    overdue = models.BooleanField()
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "hazards_hazard"


class Report(models.Model):
    id = models.UUIDField(primary_key=True)
    category = models.CharField(max_length=16)
    text = models.TextField()
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField(auto_now_add=True)


class Place(models.Model):
    report = models.ForeignKey(Report, models.CASCADE)
    point = models.PointField(srid=4326)
    cell = models.ForeignKey(Cell, models.DO_NOTHING, null=True, db_constraint=False)


class Status(models.Model):
    report = models.ForeignKey(Report, models.CASCADE)
    state = models.CharField(max_length=12)
    at = models.DateTimeField(auto_now_add=True)
