"""Who hears what. The one page to read when you ask "and then what happens?".

Projections see each batch of facts as a whole; listeners hear one fact each, or with ``at_once`` those of a batch. Both write rows in the relay's
transaction and send nothing: mail, messages and screens come after commit.
"""

from citysafety.outbox.relay import Listener, Projection
from citysafety.tallies.services import fold
from hazards import listeners as hazards
from hazards.inspections import listeners as inspections
from hazards.listings import news as listings
from hazards.rechecks import listeners as rechecks
from monitoring import listeners as alarms
from projects import listeners as supervision

PROJECTIONS: list[Projection] = [fold]

LISTENERS: dict[str, list[Listener]] = {
    "hazard.reported": [hazards.tell_of_major, hazards.tell_of_dedicated],
    "hazard.refuse": [hazards.tell_of_refusal, inspections.follow_hazard],
    "hazard.contest": [hazards.tell_of_contest, inspections.follow_hazard],
    "hazard.dispatch": [hazards.tell_department],
    "hazard.return": [hazards.tell_of_return],
    "hazard.rectify": [hazards.tell_verifiers],
    "hazard.handle_on_spot": [hazards.tell_verifiers],
    "hazard.fail": [hazards.tell_of_failure],
    "hazard.write_off": [hazards.tell_of_write_off, inspections.follow_hazard, alarms.note_write_off],
    "hazard.reopen": [hazards.tell_of_reopening, inspections.follow_hazard, rechecks.follow_reopening],
    "hazard.ask_reopening": [hazards.tell_of_asked_reopening],
    "hazard.grant_reopening": [hazards.tell_of_reopening, inspections.follow_hazard, rechecks.follow_reopening],
    "hazard.mark_overdue": [hazards.tell_of_overdue],
    "hazard.ask_extension": [hazards.tell_who_decides],
    "hazard.ask_pause": [hazards.tell_who_decides],
    "hazard.deny_extension": [hazards.tell_of_decision],
    "hazard.deny_pause": [hazards.tell_of_decision],
    "hazard.pause": [hazards.tell_of_decision],
    "hazard.lapse": [hazards.tell_who_asked],
    "hazard.grant_extension": [hazards.tell_of_limit],
    "hazard.resume": [hazards.tell_of_limit],
    "hazard.pin": [hazards.tell_of_limit],
    "hazard.merge": [hazards.tell_of_merge, inspections.follow_hazard],
    "hazard.unmerge": [hazards.tell_of_merge, inspections.follow_hazard],
    "hazard.remark": [hazards.tell_of_remark],
    "hazard.raise": [hazards.tell_of_major],
    "hazard.lower": [hazards.tell_of_major_step],
    "hazard.plan": [hazards.tell_of_plan],
    "hazard.approve_plan": [hazards.tell_of_major_step],
    "hazard.return_plan": [hazards.tell_of_major_step],
    "hazard.stop_work": [hazards.tell_of_major_step],
    "hazard.resume_work": [hazards.tell_of_major_step],
    "listing.propose": [listings.tell_signers],
    "listing.list_it": [listings.tell_unit],
    "listing.ask_extension": [listings.tell_of_request],
    "listing.grant_extension": [listings.tell_of_decision],
    "listing.deny_extension": [listings.tell_of_decision],
    "listing.clear": [listings.tell_of_clearing],
    "listing.withdraw": [listings.tell_of_withdrawal],
    "listing.miss": [listings.tell_of_miss],
    "supervision.submit": [supervision.tell_second_signers],
    "supervision.issue": [supervision.tell_unit],
    "supervision.answer": [supervision.tell_of_answer],
    "supervision.reject_answer": [supervision.tell_of_rejection],
    "supervision.withdraw": [supervision.tell_of_withdrawal],
    "supervision.mark_unanswered": [supervision.remind],
    "supervision.climb": [supervision.report_silence],
    "grid.version_activated": [hazards.follow_grid],
    "worker.away": [hazards.hand_over],
    "worker.left": [hazards.hand_over],
    "worker.posting_ended": [hazards.hand_over_posting],
    "calendar.changed": [hazards.follow_calendar],
    "alarm.raised": [alarms.tell_of_alarm],
    "alarm.changed": [alarms.tell_of_change],
    "ladder.changed": [alarms.follow_ladder],
}
