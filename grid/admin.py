"""The grid in the admin. Writing goes through services where news and figures hang on it."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.gis.geos import Point
from django.core.validators import MinValueValidator
from django.db.models import Count, QuerySet
from django.forms import BooleanField, FloatField, ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from citysafety.accounts.admin import NamedHistoryAdmin

from . import services
from .locate import in_frame
from .models import (
    Cell,
    Centre,
    City,
    ComponentClass,
    Division,
    GridVersion,
    Matter,
    MatterClass,
    Posting,
    Premises,
    PremisesKind,
    Worker,
)
from .models.matters import STAGES, Unit

MatterHistory, MatterClassHistory = Matter.pgh_event_model, MatterClass.pgh_event_model


@admin.register(City)
class CityAdmin(admin.ModelAdmin):
    list_display = ("code", "name_zh", "name_en")
    exclude = ("frame",)


@admin.register(Division)
class DivisionAdmin(admin.ModelAdmin):
    list_display = ("code", "name_zh", "name_en", "level", "parent")
    list_filter = ("level", "statistical")
    list_select_related = ("parent",)
    search_fields = ("code", "name_zh", "name_en")
    raw_id_fields = ("parent",)
    exclude = ("outline",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Division]:
        return super().get_queryset(request).defer("outline")


@admin.register(GridVersion)
class GridVersionAdmin(admin.ModelAdmin):
    """Versions come by ``load_city``; here they are only looked at."""

    list_display = ("number", "activated_at", "note")


@admin.register(Cell)
class CellAdmin(admin.ModelAdmin):
    """Names and standing of cells; outlines come by ``load_city``."""

    list_display = ("code", "name_zh", "name_en", "kind", "active", "area")
    list_filter = ("kind", "active", ("focus", admin.EmptyFieldListFilter))
    search_fields = ("code", "name_zh", "name_en")
    fields = ("code", "name_zh", "name_en", "kind", "division", "focus", "active", "synthetic")
    readonly_fields = ("code", "kind", "division")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Cell]:
        return super().get_queryset(request).shapeless()

    @admin.display(description=_("area in km²"), ordering="area_km2")
    def area(self, cell: Cell) -> str:
        return f"{cell.area_km2:.2f}"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Cell, form: ModelForm, change: bool) -> None:
        services.save_cell(obj, at=timezone.now())


@admin.register(Centre)
class CentreAdmin(admin.ModelAdmin):
    list_display = ("code", "name_zh", "name_en", "level", "posts")
    list_filter = ("level",)
    search_fields = ("code", "name_zh", "name_en")
    raw_id_fields = ("division",)
    exclude = ("location",)


@admin.register(Worker)
class WorkerAdmin(admin.ModelAdmin):
    list_display = ("number", "user", "centre", "state", "area_code", "training_valid_until")
    list_filter = ("state", "centre__level")
    list_select_related = ("user", "centre")
    search_fields = ("number", "user__name_zh", "user__name_en")
    raw_id_fields = ("user",)
    autocomplete_fields = ("centre",)
    readonly_fields = ("area_code",)

    def save_model(self, request: HttpRequest, obj: Worker, form: ModelForm, change: bool) -> None:
        """Write the row; a change of state goes through its own verb, which hands over open work."""
        wanted = obj.state
        if change and "state" in form.changed_data:
            obj.state = form.initial["state"]
        if not change:
            obj.area_code = obj.centre.division_id
        super().save_model(request, obj, form, change)
        if wanted != obj.state:
            try:
                services.set_worker_state(worker_id=obj.pk, state=wanted, at=timezone.now())
            except services.WorkerHasLeft:
                messages.error(request, _("Who left the service takes a new number to come back."))
            obj.refresh_from_db()


class OpenPosting(admin.SimpleListFilter):
    """Postings that hold, or held."""

    title = _("standing")
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("current")), ("0", _("ended"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Posting]) -> QuerySet[Posting]:
        return queryset.filter(until__isnull=self.value() == "1") if self.value() else queryset


@admin.register(Posting)
class PostingAdmin(admin.ModelAdmin):
    list_display = ("worker", "cell", "role", "since", "until")
    list_filter = (OpenPosting, "role")
    list_select_related = ("worker", "cell")
    search_fields = ("worker__number", "cell__code", "cell__name_zh")
    raw_id_fields = ("worker", "cell")

    def get_readonly_fields(self, request: HttpRequest, obj: Posting | None = None) -> tuple[str, ...]:
        return ("worker", "cell", "role", "since") if obj else ("until",)

    def has_change_permission(self, request: HttpRequest, obj: Posting | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.until is None)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "cell":
            kwargs["queryset"] = Cell.objects.active().shapeless()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Add a posting; say why where the service refuses it."""
        try:
            return super().add_view(request, form_url, extra_context)
        except (services.CellTaken, services.WorkerHasLeft) as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: Posting, form: ModelForm, change: bool) -> None:
        at = timezone.now()
        if change:
            if obj.until:
                services.end_posting(posting_id=obj.pk, until=obj.until, at=at)
            return
        posting = services.post_worker(
            worker_id=obj.worker_id, cell_id=obj.cell_id, role=obj.role, since=obj.since, at=at
        )
        obj.pk, obj._state.adding = posting.pk, False


@admin.register(MatterClass)
class MatterClassAdmin(admin.ModelAdmin):
    list_display = ("code", "name_zh", "name_en", "icon", "number_of_matters")

    def get_queryset(self, request: HttpRequest) -> QuerySet[MatterClass]:
        return super().get_queryset(request).annotate(n=Count("matters"))

    @admin.display(description=_("matters"), ordering="n")
    def number_of_matters(self, row: MatterClass) -> int:
        return row.n


class MatterForm(ModelForm):
    """A matter whose clocks run; the database refuses a limit of nothing, the form says so first.

    That its cases may be verified from anywhere is chosen, not forgotten.
    """

    anywhere = BooleanField(
        label=_("verified from anywhere"),
        required=False,
        help_text=_("Only for what has no place, such as a vehicle on its way: nobody then has to go there."),
    )

    class Meta:
        model = Matter
        fields = ("code",)  # the fieldsets of the admin name the rest

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for stage in STAGES:
            if field := self.fields.get(f"{stage}_amount"):
                field.min_value = 1
                field.widget.attrs["min"] = 1
                field.validators.append(MinValueValidator(1))
        if field := self.fields.get("verify_within_m"):
            field.help_text = _(
                "How near to the place: 100 for a point, 300 for a site, 1000 for pipelines and the sea."
            )
        if self.instance.pk:
            self.initial.setdefault("anywhere", self.instance.verify_within_m is None)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if "verify_within_m" in self.fields and "verify_within_m" not in self.errors:
            within, anywhere = given.get("verify_within_m"), given.get("anywhere")
            if within is None and not anywhere:
                words = gettext(
                    "Say within how many metres of the place it is verified, or choose that it has no place."
                )
                self.add_error("verify_within_m", words)
            elif within is not None and anywhere:
                self.add_error("anywhere", gettext("It has a distance; expected one of the two."))
        return given


@admin.register(Matter)
class MatterAdmin(admin.ModelAdmin):
    """The catalogue: a department changes what it asks without code; phones take it at the next sync."""

    list_display = (
        "code", "name_zh", "name_en", "department", "severity", "clocks", "evidence_asked", "standard_code", "active",
    )  # fmt: skip
    list_filter = ("matter_class", "severity", "special", "active", "department")
    list_select_related = ("matter_class", "department")
    search_fields = ("code", "name_zh", "name_en", "pinyin", "standard_code")
    autocomplete_fields = ("department",)
    readonly_fields = ("pinyin",)
    fieldsets = (
        (None, {"fields": (("code", "active"), "name_zh", "name_en", "matter_class", "department", "severity", "icon", "pinyin")}),
        (_("Clocks"), {"fields": (("accept_amount", "accept_unit"), ("rectify_amount", "rectify_unit"), ("verify_amount", "verify_unit"), ("total_amount", "total_unit"))}),
        (_("Evidence"), {"fields": ("special", ("photos_before", "photos_after"), ("verify_within_m", "anywhere"), "near_m", "sample_recheck")}),
        (_("Source"), {"fields": ("standard_code", "basis")}),
    )  # fmt: skip
    form = MatterForm

    @admin.display(description=_("time to accept / rectify / verify"))
    def clocks(self, matter: Matter) -> str:
        return " / ".join(f"{amount} {Unit(unit).label}" for amount, unit in (matter.clock(stage) for stage in STAGES))

    @admin.display(description=_("photos before, after"))
    def evidence_asked(self, matter: Matter) -> str:
        return f"{matter.photos_before}, {matter.photos_after}"


class CatalogueHistoryAdmin(NamedHistoryAdmin):
    """Every change of the catalogue, who made it, and what the row said from then on."""

    search_fields = ("code", "name_zh", "name_en")


@admin.register(MatterHistory)
class MatterHistoryAdmin(CatalogueHistoryAdmin):
    list_display = (
        "at", "change", "by", "code", "named", "department", "severity", "accept_amount", "accept_unit",
        "rectify_amount", "rectify_unit", "verify_amount", "verify_unit", "active",
    )  # fmt: skip
    list_select_related = ("pgh_context", "department")


@admin.register(MatterClassHistory)
class MatterClassHistoryAdmin(CatalogueHistoryAdmin):
    list_display = ("at", "change", "by", "code", "named")


@admin.register(PremisesKind)
class PremisesKindAdmin(admin.ModelAdmin):
    list_display = ("code", "name_zh", "name_en", "nine_small", "measure", "limit", "source")
    list_filter = ("nine_small",)


class PremisesForm(ModelForm):
    """Premises with their place as two numbers, WGS 84: the map widget of Django fetches its scripts from elsewhere."""

    lon = FloatField(label=_("longitude (WGS 84)"), min_value=-180, max_value=180)
    lat = FloatField(label=_("latitude (WGS 84)"), min_value=-90, max_value=90)

    class Meta:
        model = Premises
        fields = (
            "code", "name_zh", "name_en", "kind", "size", "floor_area_m2", "responsible", "phone", "address", "active", "synthetic",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.location:
            self.initial.update(lon=self.instance.location.x, lat=self.instance.location.y)

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if "lon" in given and "lat" in given:
            if not in_frame(given["lon"], given["lat"]):
                self.add_error("lon", _("This place lies outside the city's frame."))
            self.instance.location = Point(given["lon"], given["lat"], srid=4326)
        return given


@admin.register(Premises)
class PremisesAdmin(admin.ModelAdmin):
    form = PremisesForm
    list_display = ("code", "name_zh", "kind", "area_code", "size", "floor_area_m2", "active")
    list_filter = ("kind", "active")
    list_select_related = ("kind",)
    search_fields = ("code", "name_zh", "name_en", "address")

    def save_model(self, request: HttpRequest, obj: Premises, form: ModelForm, change: bool) -> None:
        services.save_premises(obj, at=timezone.now())


@admin.register(ComponentClass)
class ComponentClassAdmin(admin.ModelAdmin):
    list_display = ("code", "name_zh", "name_en", "illustrative", "source", "active")
    list_filter = ("illustrative", "active")
    search_fields = ("code", "name_zh", "name_en")
