"""The life of a re-check (随机复核), from the draw to its result: one row per lawful step."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from citysafety.lifecycle import Lifecycle, Step


class RecheckState(models.TextChoices):
    """Where a re-check stands."""

    DUE = "due", _("To be checked again")
    HOLDS = "holds", _("Still holds")
    FAILS = "fails", _("Does not hold")
    LAPSED = "lapsed", _("Lapsed: reopened before")


S = RecheckState

CHECKER = ("grid_worker:checker,no_party", "dispatcher:checker,no_party")
SUPERVISOR = ("supervisor:area",)

LIFECYCLE = Lifecycle(
    Step(
        S.DUE, "holds", S.HOLDS, gettext_noop("sampled re-check on site: what was rectified holds"), CHECKER,
        requires=("location", "photo:after"), label=_("It holds"),
    ),
    Step(
        S.DUE, "fails", S.FAILS, gettext_noop("sampled re-check on site: it does not hold, the case is reopened"), CHECKER,
        requires=("reason", "location", "photo:after"), label=_("It does not hold"),
    ),
    Step(
        S.DUE, "assign", S.DUE, gettext_noop("given to another who took no step in the case"), SUPERVISOR,
        requires=("checker",), label=_("Give to another"),
    ),
)  # fmt: skip

LABELS = {
    "draw": _("Drawn by lot"),
    "lapse": _("Lapsed: reopened before"),
    **{step.action: step.label for step in LIFECYCLE.steps},
}
