from django.urls import path

from . import pages
from .bulk import pages as bulk
from .evaluation import pages as evaluation
from .listings import pages as listings
from .listings import public
from .public import maps as public_maps
from .public import pages as public_side
from .rechecks import pages as rechecks
from .writeoffs import pages as writeoffs

urlpatterns = [
    path("hazards/", pages.hazards, name="hazards"),
    path("hazards/export.<sheet:kind>", pages.hazards_sheet, name="hazards-sheet"),
    path("hazards/bulk/", bulk.bulk, name="bulk"),
    path("hazards/bulk/<uuid:run_id>/", bulk.bulk_run, name="bulk-run"),
    path("hazards/evaluation/", evaluation.evaluation, name="evaluation"),
    path("hazards/evaluation/export.<sheet:kind>", evaluation.evaluation_sheet, name="evaluation-sheet"),
    path("hazards/evaluation/doubts/", evaluation.doubts, name="evaluation-doubts"),
    path("hazards/evaluation/doubts/<int:pk>/set-aside/", evaluation.set_aside, name="evaluation-set-aside"),
    path("hazards/listed/", listings.listings, name="listings"),
    path("hazards/listed/<uuid:listing_id>/", listings.listing, name="listing-page"),
    path("hazards/<uuid:hazard_id>/list/", listings.propose, name="listing-propose"),
    path("hazards/rechecks/", rechecks.rechecks, name="rechecks"),
    path("hazards/rechecks/<uuid:recheck_id>/", rechecks.recheck, name="recheck-page"),
    path("hazards/writeoffs/", writeoffs.lists, name="writeoffs"),
    path("hazards/writeoffs/new/", writeoffs.new, name="writeoff-new"),
    path("hazards/writeoffs/<uuid:list_id>/", writeoffs.one_list, name="writeoff-page"),
    path("hazards/writeoffs/<uuid:list_id>/print/", writeoffs.printed, name="writeoff-print"),
    path("hazards/writeoffs/<uuid:list_id>/export.<sheet:kind>", writeoffs.list_sheet, name="writeoff-sheet"),
    path("hazards/writeoffs/<uuid:list_id>/<slug:verb>/", writeoffs.act, name="writeoff-act"),
    path("public/listed/", public.listed, name="public-listed"),
    path("public/listed.json", public.listed_json, name="public-listed-json"),
    path("public/report/", public_side.report, name="public-report"),
    path("public/report/same/", public_side.same, name="public-same"),
    path("public/follow/", public_side.follow, name="public-follow"),
    path("public/cases/", public_side.cases, name="public-cases"),
    path("public/cases/<str:code>/", public_side.case, name="public-case"),
    path("public/cases/<str:code>/photos/<int:number>.jpg", public_side.photo, name="public-photo"),
    path("public/map/<int:version>/<slug:layer>.geojson", public_maps.layer, name="public-map-layer"),
    path("public/cases/<str:code>/not-solved/", public_side.contest, name="public-contest"),
    path("public/cases/<str:code>/solved/", public_side.rate, name="public-rate"),
    path("hazards/<uuid:hazard_id>/", pages.hazard, name="hazard-page"),
]
