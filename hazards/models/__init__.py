"""The tables of hazards, split by noun. Those of packages inside the app are found by Django through the lines here."""

from ..bulk.models import BulkRun
from ..evaluation.models import Detector, EvaluationRule, Finding, FormerPlace, Indicator, SetAside
from ..inspections import models as inspections
from ..public import models as public
from ..rechecks import models as rechecks
from ..writeoffs import models as writeoffs
from .cases import ASKED, NOT_BY_AREA, WEIGHED, Hazard, HazardQuerySet, Severity, Step, inside
from .climbs import Climb, Climbed, Followed
from .clocks import Clock, ClockChange, LimitRule, Mark, PauseCause
from .majors import Criterion, Level, Listing, ListingClock, ListingRule, ListingStep, Plan, StopWork
from .mergers import Merger

__all__ = [
    "ASKED", "NOT_BY_AREA", "WEIGHED", "BulkRun", "Climb", "Climbed", "Clock", "ClockChange", "Criterion", "Detector",
    "EvaluationRule", "Finding", "Followed", "FormerPlace", "Hazard", "HazardQuerySet", "Indicator", "Level", "LimitRule", "Listing",
    "ListingClock", "ListingRule", "ListingStep", "Mark", "Merger", "PauseCause", "Plan", "SetAside", "Severity", "Step",
    "StopWork", "inside", "inspections", "public", "rechecks", "writeoffs",
]  # fmt: skip
