from django.urls import path

from . import pages, tiles

urlpatterns = [
    path("grid/", pages.cells, name="grid-cells"),
    path("grid/cells/<str:code>/", pages.cell, name="grid-cell"),
    path("grid/workers/", pages.workers, name="grid-workers"),
    path("grid/premises/", pages.premises, name="grid-premises"),
    path("grid/premises/<str:code>/", pages.place, name="grid-place"),
    path("tiles/<int:version>/cells/<int:z>/<int:x>/<int:y>.mvt", tiles.tile, name="grid-tile"),
    path("tiles/<int:version>/base/<slug:layer>.geojson", tiles.base, name="grid-base-layer"),
]
