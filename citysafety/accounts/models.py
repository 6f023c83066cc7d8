"""People, their offices, and the tokens of their programs and screens."""

import hashlib
from typing import Any, Self

import pghistory
import pgtrigger
from django.conf import settings
from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.utils.translation import gettext_lazy as _

from citysafety import areas
from citysafety.names import Named, chosen

from .roles import Role, may_in_admin, role_may


@pghistory.track(
    model_name="DepartmentHistory",
    meta={"verbose_name": _("change of a department"), "verbose_name_plural": _("history of departments")},
)
class Department(Named):
    """An office that hazards are dispatched to (责任单位)."""

    code = models.CharField(_("code"), max_length=32, unique=True)
    area_code = models.CharField(_("area"), max_length=15)
    parent = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        verbose_name=_("higher office"),
    )

    class Meta:
        ordering = ["code"]
        verbose_name = _("department")
        verbose_name_plural = _("departments")


class People(UserManager):
    """Makes users; what they may do follows from their role alone."""

    def _create_user_object(self, username: str, email: str | None, password: str | None, **fields: Any) -> "User":
        # Django's manager hands over flags that a role decides here.
        fields.pop("is_staff", None)
        fields.pop("is_superuser", None)
        return super()._create_user_object(username, email, password, **fields)

    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **fields: Any
    ) -> "User":
        """Make an administrator: master data, but neither users nor cases (三权分立)."""
        whole_city = {"role": Role.ADMINISTRATOR, "area_code": settings.CITY_CODE}
        return self.create_user(username, email, password, **{**whole_city, **fields})


class Level(models.TextChoices):
    """Where in the city an office works."""

    CITY = "city", _("City")
    COUNTY = "county", _("County")
    TOWNSHIP = "township", _("Township")


class Theme(models.TextChoices):
    """What a page looks like; empty = as the page was made for (office light, wall dark)."""

    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    pghistory.DeleteEvent(),
    fields=["username", "is_active", "role", "area_code", "department", "level", "may_sign", "name_zh", "name_en"],
    model_name="UserHistory",
    meta={"verbose_name": _("change of a user"), "verbose_name_plural": _("history of users")},
)
class User(AbstractUser):
    """A person or a screen. Role, area and department decide everything; there are no groups and no superusers."""

    first_name = last_name = groups = user_permissions = None
    is_superuser = False

    name_zh = models.CharField(_("full name"), max_length=60, blank=True, default="")
    name_en = models.CharField(_("English name"), max_length=120, blank=True, default="")
    phone = models.CharField(_("telephone"), max_length=32, blank=True, default="")
    role = models.CharField(_("role"), max_length=20, choices=Role)
    area_code = models.CharField(_("area of duty"), max_length=15, blank=True, default="")
    department = models.ForeignKey(
        Department,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="members",
        verbose_name=_("department"),
    )
    level = models.CharField(_("level"), max_length=8, choices=Level, blank=True, default="")
    may_sign = models.BooleanField(_("may sign for the department"), default=False)
    language = models.CharField(_("language"), max_length=8, blank=True, default="")
    theme = models.CharField(_("theme"), max_length=5, choices=Theme, blank=True, default="")
    columns = models.JSONField(_("columns of lists"), default=dict, blank=True)  # of each list, in their order

    objects = People()

    REQUIRED_FIELDS = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        indexes = [
            models.Index("role", "area_code", name="user_role_area"),
            models.Index("department", "role", name="user_department_role"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.username})" if self.name != self.username else self.username

    @property
    def name(self) -> str:
        return chosen(self.name_zh, self.name_en) or self.username

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name

    @property
    def is_staff(self) -> bool:
        """Test whether the admin is open: it knows no areas, so only to roles of the whole city."""
        whole_city = len(self.area_code) == areas.LEVELS[0]
        return bool(self.is_active and whole_city and role_may(self.role))

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Answer Django's admin from the table of roles; records of work are judged by ``rights.may``."""
        return self.is_staff and may_in_admin(self.role, perm)

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_staff and (
            self.role == Role.AUDITOR or any(perm.startswith(f"{app_label}.") for perm in role_may(self.role))
        )

    def covers(self, area_code: str) -> bool:
        """Test whether the area of duty contains a place. Nobody's area is empty by accident: empty covers nothing."""
        return areas.covers(self.area_code, area_code)

    @property
    def standing(self) -> str:
        """Return a stamp of everything that rights follow from: when it differs, sockets and sessions end."""
        parts = (self.password, self.role, self.area_code, self.department_id, self.may_sign, self.is_active)
        return hashlib.sha256("\n".join(str(part) for part in parts).encode()).hexdigest()[:32]

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        # A session lives as long as the rights it was opened with, not only as long as the password.
        opened_with = super()._get_session_auth_hash(secret)
        return hashlib.sha256(f"{opened_with}:{self.standing}".encode()).hexdigest()


class AccessToken(models.Model):
    """A key for a program, a phone or a wall screen. Only its SHA-256 is kept."""

    digest = models.CharField(max_length=64, unique=True, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="access_tokens", verbose_name=_("user"))
    label = models.CharField(_("used for"), max_length=80)
    created_at = models.DateTimeField(_("issued"))
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("access token")
        verbose_name_plural = _("access tokens")

    def __str__(self) -> str:
        return self.label


class SavedViewQuerySet(models.QuerySet):
    """Words to ask saved views with."""

    def visible_to(self, user: Any) -> Self:
        """The own ones, and those that colleagues share: of the same role, area of duty and department."""
        colleagues = models.Q(
            shared=True,
            owner__is_active=True,
            owner__role=user.role,
            owner__area_code=user.area_code,
            owner__department=user.department_id,
        )
        return self.filter(models.Q(owner=user) | colleagues)


class SavedView(models.Model):
    """An address of a list, filters and columns, under a name of its owner's."""

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_views", verbose_name=_("owner"))
    page = models.CharField(_("list"), max_length=32)
    name = models.CharField(_("name"), max_length=40)
    query = models.CharField(_("filters and columns"), max_length=2000, blank=True)
    shared = models.BooleanField(_("colleagues see it"), default=False)
    is_default = models.BooleanField(_("the list begins with it"), default=False)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        constraints = [
            models.UniqueConstraint(fields=["owner", "page", "name"], name="saved_view_name_once"),
            models.UniqueConstraint(
                fields=["owner", "page"], condition=models.Q(is_default=True), name="saved_view_one_default"
            ),
            models.CheckConstraint(condition=~models.Q(name=""), name="saved_view_has_name"),
        ]

    def __str__(self) -> str:
        return self.name


class ExportRecord(models.Model):
    """Who took a list out of the system, when and by which filter. Rows are never changed or deleted."""

    class Format(models.TextChoices):
        CSV = "csv", "CSV"
        XLSX = "xlsx", "XLSX"

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("user"), db_index=False)
    at = models.DateTimeField(_("time"))
    title = models.CharField(_("list"), max_length=120)
    path = models.CharField(_("page"), max_length=200)
    query = models.TextField(_("filters and columns"), blank=True)
    format = models.CharField(_("format"), max_length=4, choices=Format)
    rows = models.PositiveIntegerField(_("rows"))

    class Meta:
        verbose_name = _("export of a list")
        verbose_name_plural = _("exports of lists")
        indexes = [
            models.Index(fields=["user", "-at"], name="export_of_user"),
            models.Index(fields=["-at"], name="export_newest"),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.title} {self.at:%F %T}"
