"""What the phone shows: lists by who must move, one case, one step."""

from .lists import PAGE, ROLES, Cases, Home, Kind, cases, home, kinds_of, own_cells, recent_matters
from .one_case import Case, StepForm, case, hazard_of, photos_of, step_form

__all__ = [
    "PAGE",
    "ROLES",
    "Case",
    "Cases",
    "Home",
    "Kind",
    "StepForm",
    "case",
    "cases",
    "hazard_of",
    "home",
    "kinds_of",
    "own_cells",
    "photos_of",
    "recent_matters",
    "step_form",
]
