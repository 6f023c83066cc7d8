from django.urls import path

from . import pages, tiles
from .components import pages as components
from .rezoning import pages as rezoning

urlpatterns = [
    path("grid/", pages.cells, name="grid-cells"),
    path("grid/cells/<str:code>/", pages.cell, name="grid-cell"),
    path("grid/workers/", pages.workers, name="grid-workers"),
    path("grid/premises/", pages.premises, name="grid-premises"),
    path("grid/premises/<str:code>/", pages.place, name="grid-place"),
    path("grid/components/", components.components, name="grid-components"),
    path("grid/components/export.<sheet:kind>", components.components_sheet, name="grid-components-sheet"),
    path("grid/components/import/", components.imports, name="grid-component-imports"),
    path("grid/components/import/<uuid:pk>/", components.component_import, name="grid-component-import"),
    path("grid/components/import/<uuid:pk>/apply/", components.apply, name="grid-component-apply"),
    path("grid/components/import/<uuid:pk>/wrong.csv", components.wrong_rows, name="grid-component-wrong"),
    path("grid/components/<str:code>/", components.component, name="grid-component"),
    path("grid/rezoning/", rezoning.rezonings, name="grid-rezonings"),
    path("grid/rezoning/new/", rezoning.new, name="grid-rezoning-new"),
    path("grid/rezoning/<uuid:pk>/", rezoning.rezoning, name="grid-rezoning"),
    path("grid/rezoning/<uuid:pk>/draw/", rezoning.redraw, name="grid-rezoning-draw"),
    path("grid/rezoning/<uuid:pk>/<slug:verb>/", rezoning.take, name="grid-rezoning-step"),
    path("tiles/<int:version>/cells/<int:z>/<int:x>/<int:y>.mvt", tiles.tile, name="grid-tile"),
    path("tiles/<int:version>/base/<slug:layer>.geojson", tiles.base, name="grid-base-layer"),
]
