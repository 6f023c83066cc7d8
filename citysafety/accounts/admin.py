"""People, tokens and lock-outs in the admin. Who may do what there is the table in ``roles``."""

from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.db.models import BigIntegerField, OuterRef, QuerySet, Subquery
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from citysafety.names import chosen

from .models import AccessToken, Department, DepartmentHistory, ExportRecord, Role, User, UserHistory
from .tokens import issue, revoke

admin.site.site_title = admin.site.site_header = _("Administration")
admin.site.site_url = "/"
admin.site.unregister(Group)  # rights follow from the role; there are no groups


class ReadOnly(admin.ModelAdmin):
    """Rows for looking: nobody adds, changes or deletes them here."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class PersonForm(UserChangeForm):
    class Meta:
        model = User
        fields = "__all__"


class NewPersonForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("username", "role", "area_code", "department")


@admin.register(User)
class PersonAdmin(UserAdmin):
    """Users: the security officer makes them, gives role and area, and switches them off."""

    form = PersonForm
    add_form = NewPersonForm
    list_display = ("username", "name_zh", "role", "area_code", "department", "is_active", "last_login")
    list_filter = ("role", "is_active", "level")
    search_fields = ("username", "name_zh", "name_en")
    filter_horizontal = ()
    ordering = ("username",)
    list_select_related = ("department",)
    autocomplete_fields = ("department",)
    show_full_result_count = False
    readonly_fields = ("last_login", "date_joined")
    actions = ("switch_off", "issue_screen_token")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("name_zh", "name_en", "phone", "email", "language")}),
        (_("Rights"), {"fields": ("is_active", "role", "area_code", "department", "level", "may_sign")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "usable_password", "password1", "password2")}),
        (_("Rights"), {"fields": ("role", "area_code", "department")}),
    )

    @admin.action(description=_("Switch off: sessions and tokens end at once"), permissions=["change"])
    def switch_off(self, request: HttpRequest, people: QuerySet) -> None:
        for person in people.exclude(pk=request.user.pk):
            person.is_active = False
            person.save(update_fields=["is_active"])
        messages.success(request, _("Switched off."))

    @admin.action(description=_("Issue a device token for a wall screen"), permissions=["change"])
    def issue_screen_token(self, request: HttpRequest, people: QuerySet) -> None:
        """Only for wall screens: a token of a person would let the officer act in that person's name."""
        for person in people:
            if person.role != Role.KIOSK:
                messages.error(request, _("%(who)s is a person: people make their own tokens.") % {"who": person})
                continue
            plain = issue(person, f"{_('Wall screen')} {timezone.localdate():%Y-%m-%d}", at=timezone.now())
            messages.warning(
                request, _("Open /wall/?kiosk=%(token)s on the screen. Shown only now.") % {"token": plain}
            )


@admin.register(Department)
class DepartmentAdmin(admin.ModelAdmin):
    list_display = ("code", "name_zh", "name_en", "area_code", "parent")
    list_select_related = ("parent",)
    search_fields = ("code", "name_zh", "name_en", "area_code")
    autocomplete_fields = ("parent",)


@admin.register(AccessToken)
class AccessTokenAdmin(admin.ModelAdmin):
    """Tokens are listed and revoked; what they are is known to nobody."""

    list_display = ("label", "user", "created_at", "last_used_at", "revoked_at")
    list_filter = ("user__role", ("revoked_at", admin.EmptyFieldListFilter))
    list_select_related = ("user",)
    search_fields = ("label", "user__username")
    readonly_fields = ("user", "label", "created_at", "last_used_at", "revoked_at")
    actions = ("revoke",)

    @admin.action(description=_("Revoke"), permissions=["change"])
    def revoke(self, request: HttpRequest, tokens: QuerySet) -> None:
        at = timezone.now()
        for token in tokens:
            revoke(token, at=at)
        messages.success(request, _("Revoked."))


CHANGES = {"insert": _("row added"), "update": _("row changed"), "delete": _("row deleted")}


class ChangeFilter(admin.SimpleListFilter):
    title = _("change")
    parameter_name = "pgh_label"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(CHANGES.items())

    def queryset(self, request: HttpRequest, rows: QuerySet) -> QuerySet:
        return rows.filter(pgh_label=self.value()) if self.value() else rows


class WhenFilter(admin.DateFieldListFilter):
    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.title = _("time")


class HistoryAdmin(ReadOnly):
    """Every change of a row, as the database itself wrote it down: when, what kind, by whom, and what the row said then."""

    told = ("at", "change", "by", "through")
    list_filter = (ChangeFilter, ("pgh_created_at", WhenFilter))
    show_full_result_count = False
    list_select_related = ("pgh_context",)
    ordering = ("-pgh_id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """Add who made each change: the account of the request that made it; none for the system's own work."""
        user = Cast(KeyTextTransform("user", OuterRef("pgh_context__metadata")), BigIntegerField())
        who = User.objects.filter(pk=user).values("username")[:1]
        return super().get_queryset(request).annotate(who=Subquery(who))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Show what is told of every change, then the row as it was, less what is left out."""
        names = (field.name for field in self.opts.fields if not field.name.startswith("pgh_"))
        return [*self.told, *(name for name in names if name not in (self.exclude or ()))]

    @admin.display(description=_("time"), ordering="pgh_id")
    def at(self, row: Any) -> str:
        return f"{timezone.localtime(row.pgh_created_at):%F %T}"

    @admin.display(description=_("change"))
    def change(self, row: Any) -> str:
        return str(CHANGES.get(row.pgh_label, row.pgh_label))

    @admin.display(description=_("by"))
    def by(self, row: Any) -> str:
        return row.who or gettext("the system")

    @admin.display(description=_("through"))
    def through(self, row: Any) -> str:
        return row.pgh_context.metadata.get("url", "") if row.pgh_context else ""


class NamedHistoryAdmin(HistoryAdmin):
    """The history of rows that have a name in two languages."""

    @admin.display(description=_("name"))
    def named(self, row: Any) -> str:
        return chosen(row.name_zh, row.name_en)


@admin.register(UserHistory)
class UserHistoryAdmin(HistoryAdmin):
    list_display = ("at", "change", "by", "username", "role", "area_code", "is_active")
    search_fields = ("username",)


@admin.register(DepartmentHistory)
class DepartmentHistoryAdmin(NamedHistoryAdmin):
    list_display = ("at", "change", "by", "code", "named", "area_code")
    search_fields = ("code",)


@admin.register(AccessAttempt)
class AttemptAdmin(admin.ModelAdmin):
    """Counts of wrong passwords by person and address; deleting a row ends its lock-out."""

    list_display = ("username", "ip_address", "failures_since_start", "attempt_time")
    search_fields = ("username", "ip_address")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(AccessLog)
class SignInAdmin(ReadOnly):
    list_display = ("attempt_time", "username", "ip_address", "logout_time")
    search_fields = ("username", "ip_address")


@admin.register(AccessFailureLog)
class FailureAdmin(ReadOnly):
    list_display = ("attempt_time", "username", "ip_address", "locked_out")
    search_fields = ("username", "ip_address")


@admin.register(ExportRecord)
class ExportRecordAdmin(ReadOnly):
    """Which lists left the system as files: who took them, when, by which filter, how many rows."""

    list_display = ("at", "user", "title", "format", "rows", "query")
    list_filter = (("at", WhenFilter), "format", "title")
    list_select_related = ("user",)
    search_fields = ("user__username__exact",)
    search_help_text = _("the whole user name")
    show_full_result_count = False
    ordering = ("-at",)
