"""S1: every route × every role × own and foreign records. Foreign records are not there, lists and counts leak nothing."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from django.test import Client

from citysafety.accounts.models import User
from citysafety.accounts.roles import ADMIN_TABLE, CONSOLE, Role, may_in_admin
from citysafety.accounts.tokens import issue
from citysafety.calendars.rosterwords import VIEWERS
from citysafety.calendars.shifts import PLANNERS
from citysafety.dashboard.rights import WATCHERS, WEIGHERS
from citysafety.field.selectors import ROLES as PHONE
from citysafety.live import door
from grid.components.pages import IMPORT_READERS
from grid.models.rezoning import VIEWERS as REZONING_VIEWERS
from hazards.evaluation.access import READERS as EVALUATED
from hazards.inspections.models import INSPECTORS, READERS
from hazards.inspections.models import VIEWERS as VIEWERS_OF_INSPECTIONS
from hazards.lifecycle import LIFECYCLE
from hazards.models import Hazard, Step
from hazards.rechecks.models import READERS as READERS_OF_RECHECKS
from hazards.rechecks.models import VIEWERS as VIEWERS_OF_RECHECKS
from hazards.writeoffs.models import MAKERS
from hazards.writeoffs.models import READERS as READERS_OF_WRITEOFFS
from hazards.writeoffs.models import VIEWERS as VIEWERS_OF_WRITEOFFS
from monitoring.models import READERS as READERS_OF_ALARMS
from tests.grid.conftest import relay
from tests.running import scales

from .routes import (
    ADMIN,
    CALLS,
    CELLS_ARE_NAMED,
    NUMBERS_ARE_PUBLIC,
    OBJECT,
    OWN,
    PUBLIC,
    Call,
    admin_calls,
    site_routes,
    unknown_admin_routes,
)
from .world import AWAY, CITY, HOME, ROLES, TOWNSHIP, Side, World, everyone, text_of

pytestmark = pytest.mark.django_db

PEOPLE = frozenset(ROLES) - {Role.KIOSK}
LOOKS_ONLY = {Role.LEADER, Role.AUDITOR, Role.OPERATOR, Role.SUPERVISOR}
SEES = {  # which roles see a record of their own area, by what is asked
    "area": frozenset(ROLES),
    "people": PEOPLE,
    "watch": frozenset(WATCHERS),
    "weigh": frozenset(WEIGHERS),
    "case": PEOPLE,
    "act": PEOPLE,
    "desk": PEOPLE,
    "phone": frozenset(PHONE),
    "notice": PEOPLE,  # one that was issued
    "supervision": frozenset({Role.SUPERVISOR, Role.LEADER, Role.AUDITOR}),
    "supervision page": frozenset({Role.SUPERVISOR, Role.LEADER, Role.AUDITOR, Role.DEPARTMENT_HANDLER}),
    "console": CONSOLE,
    "leader": frozenset({Role.LEADER}),
    "evaluation": EVALUATED,
    "supervisor": frozenset({Role.SUPERVISOR}),
    "duty": VIEWERS,
    "roster": VIEWERS - {Role.DEPARTMENT_HANDLER},  # a handler's are those of the department
    "planner": frozenset(PLANNERS),
    "giver": frozenset(),  # nobody who asks stands at the post
    "rezoning": REZONING_VIEWERS,
    "rezoning drafter": frozenset({Role.DISPATCHER, Role.SUPERVISOR}),
    "import": IMPORT_READERS,
    "importer": frozenset({Role.ADMINISTRATOR}),
    "inspection": VIEWERS_OF_INSPECTIONS,
    "inspected place": READERS,  # a handler's are those that the department closes
    "checklist": VIEWERS_OF_INSPECTIONS,
    "inspector": INSPECTORS,
    "rechecks": VIEWERS_OF_RECHECKS,
    "recheck": READERS_OF_RECHECKS,  # nobody who asks is its checker
    "write-offs": VIEWERS_OF_WRITEOFFS,
    "write-off": READERS_OF_WRITEOFFS,  # a handler's hold cases of the department
    "write-off maker": MAKERS,
    "device": PEOPLE,
    "device keeper": frozenset({Role.ADMINISTRATOR}),
    "alarms": READERS_OF_ALARMS,
    "alarm data": PEOPLE,
    "alarm": READERS_OF_ALARMS,  # a handler's are those of the department's devices
    "original": frozenset({Role.AUDITOR, Role.SUPERVISOR, Role.DISPATCHER}),
}


def ask(client: Client, call: Call, side: Side) -> Any:
    """Make the call for the record of a side."""
    path = call.path(side)
    if call.method == "GET":
        return client.get(path)
    body = call.body
    if call.content_type == "application/json":
        return client.generic(call.method, path, json.dumps(body), content_type="application/json")
    if isinstance(body, bytes):
        return client.generic(call.method, path, body, content_type=call.content_type)
    return client.post(path, body)


class Matrix:
    """Goes through the table and notes what is wrong.

    Routes that take any step of a case are called for every step. The short form deals the steps out among the roles, and
    asks at each route for one of the two foreign records.
    """

    def __init__(self, world: World, area: str, *, short: bool) -> None:
        self.world, self.area, self.short = world, area, short
        self.cells = 0
        self.wrong: list[str] = []
        self.people = everyone(world.city, area)
        self.clients: dict[str, Client] = {}

    def client(self, role: str) -> Client:
        client = Client(raise_request_exception=False)
        if role:
            client.force_login(self.people[role])
        return client

    def run(self) -> None:
        for number, role in enumerate((*ROLES, "")):
            client = self.client(role)
            for place, (route, calls) in enumerate(CALLS.items()):
                by_step = self.short and len(calls) == len(LIFECYCLE.actions)
                for call in calls[number % 4 :: 4] if by_step else calls:
                    for side in self._sides(call, number + place):
                        self._judge(role, route, call, side, ask(client, call, side))
                if route == "logout/":
                    client = self.client(role)

    def _sides(self, call: Call, turn: int) -> list[Side]:
        """Return the sides whose calls differ; in the short form the own one and, in turns, one of the others."""
        strangers = [self.world.foreign, self.world.elsewhere]
        sides = [self.world.own, *(strangers[turn % 2 :][:1] if self.short else strangers)]
        return list({call.path(side): side for side in reversed(sides)}.values())

    def _judge(self, role: str, route: str, call: Call, side: Side, answer: Any) -> None:
        self.cells += 1
        status, text = answer.status_code, text_of(answer)
        where = f"{role or 'anonymous'} {call.method} {call.path(side)}: {status}"
        if status >= 500:
            self.wrong.append(f"{where} broke")
        strangers = [self.world.own, self.world.foreign, self.world.elsewhere] if not role else self._strangers(role)
        for other in strangers:
            for secret in other.secrets:
                asked = secret in call.path(side) or (secret == other.cell.code and route.startswith(CELLS_ARE_NAMED))
                asked = asked or (
                    secret in (other.hazard.number, other.recheck.hazard.number)
                    and route.startswith(NUMBERS_ARE_PUBLIC)
                )
                if secret in text and not asked:
                    self.wrong.append(f"{where} shows {secret}")
        if call.kind == PUBLIC:
            return
        if not role:
            if status not in (401, 302) or (status == 302 and "/login/" not in answer["Location"]):
                self.wrong.append(f"{where}, expected 401 or the way to sign in")
        elif call.kind == OWN:
            refused = (404,) if role != Role.KIOSK else (404, 403)  # a screen may not write at all
            if status not in refused:
                self.wrong.append(f"{where}, expected 404: it is somebody else's")
        elif call.kind == OBJECT:
            self._judge_object(role, call, side, status, where)

    def _strangers(self, role: str) -> list[Side]:
        """Return the sides whose persons and cases a role must not learn of."""
        return [
            side for side in (self.world.own, self.world.foreign, self.world.elsewhere) if self._is_foreign(role, side)
        ]

    def _is_foreign(self, role: str, side: Side) -> bool:
        return not side.cell.code.startswith(self.area)

    def _judge_object(self, role: str, call: Call, side: Side, status: int, where: str) -> None:
        sees = role in SEES[call.seen]
        of_case = call.seen in ("case", "act", "desk", "phone", "original", "notice", "device", "alarm", "alarm data")
        if of_case and role == Role.DEPARTMENT_HANDLER:
            # A handler's cases are the department's, wherever they lie.
            here = side.hazard.department_id == self.people[role].department_id
        else:
            here = not self._is_foreign(role, side)
        if not here:
            # A role that has no part in the page at all is told so of every record alike; that tells nothing.
            expected = (404,) if sees else (404, 403)
            if status not in expected:
                self.wrong.append(f"{where}, expected {expected}")
        elif sees and (status == 404 or (call.method == "GET" and status != 200)):
            self.wrong.append(f"{where}, expected to be seen")
        elif not sees and status not in (403, 404):
            self.wrong.append(f"{where}, expected to be refused")


def admin_matrix(world: World, area: str, roles: Iterable[str] = ROLES) -> tuple[int, list[str]]:
    """Go through the admin: only roles of the whole city come in, each to its own tables."""
    cells, wrong = 0, []
    people = {role: user for role, user in everyone(world.city, area).items() if role in roles}
    asked = list(admin_calls())
    for role, user in people.items():
        client = Client(raise_request_exception=False)
        client.force_login(user)
        for perm, method, path in asked:
            cells += 1
            answer = client.get(path) if method == "GET" else client.post(path, {})
            allowed = may_in_admin(role, perm) if "." in perm else user.has_module_perms(perm)
            allowed = allowed and user.is_staff
            if answer.status_code >= 500:
                wrong.append(f"{role} {method} {path}: {answer.status_code} broke")
            if not allowed and answer.status_code == 200:
                wrong.append(f"{role} {method} {path}: 200 without {perm}")
            if not user.is_staff and answer.status_code != 302:
                wrong.append(f"{role} {method} {path}: {answer.status_code}, expected the way to sign in")
    return cells, wrong


def refusal(headers: list[tuple[bytes, bytes]], query: bytes) -> int:
    """Return the code that the door of the sockets refuses with; 0: it lets in."""
    try:
        door.welcome(headers, query)
    except door.Refused as refused:
        return refused.code
    return 0


def socket_matrix(world: World, area: str) -> tuple[int, list[str]]:
    """Ask the door of the sockets for every role × area."""
    cells, wrong = 0, []
    for role, user in everyone(world.city, area).items():
        headers = [(b"authorization", f"Token {issue(user, 'socket')}".encode())]
        for asked in (area, world.own.cell.code, world.foreign.cell.code, AWAY, HOME, CITY, "", "37", "x"):
            cells += 1
            code = refusal(headers, f"area={asked}".encode() if asked else b"")
            came_in = code == 0
            if code not in (0, door.NOT_YOUR_AREA):
                wrong.append(f"{role} of {area} at the socket of {asked!r}: {code}")
            if came_in != (not asked or (asked.startswith(area) and asked not in ("37", "x"))):
                wrong.append(f"{role} of {area} at the socket of {asked!r}: {'let in' if came_in else 'refused'}")
    return cells, wrong


def test_every_route_is_known_to_the_matrix() -> None:
    routes = site_routes()
    assert sorted(set(routes) - set(CALLS)) == [], "say in tests/security/routes.py how to call them"
    assert sorted(set(CALLS) - set(routes)) == [], "these are gone"
    assert unknown_admin_routes() == set()
    assert not [route for route in routes if route.startswith(ADMIN) and route not in CALLS]


@scales(short=(HOME,), long=(HOME, TOWNSHIP, AWAY, CITY))
def test_s1_no_record_is_seen_across_areas(world: World, scale: tuple[str, ...], say) -> None:
    relay()
    before = Step.objects.count(), Hazard.objects.count()
    cells, wrong = 0, []
    for area in scale:
        matrix = Matrix(world, area, short=len(scale) == 1)
        matrix.run()
        counted, refused = socket_matrix(world, area)
        cells, wrong = cells + matrix.cells + counted, [*wrong, *matrix.wrong, *refused]
    # Of the whole city everybody tries; of a county those who would come in if they were of the whole city.
    for area, roles in ((CITY, ROLES), (HOME, tuple(ADMIN_TABLE))):
        counted, refused = admin_matrix(world, area, roles)
        cells, wrong = cells + counted, [*wrong, *refused]
    routes = len(CALLS) + len({path for _perm, _method, path in admin_calls()})
    say(f"S1: routes {routes}, roles {len(ROLES)} and nobody, areas {len(scale)}: cells {cells}, leaks {len(wrong)}")
    assert wrong == [], "\n".join(wrong[:60])
    assert (Step.objects.count(), Hazard.objects.count()) == before


def test_a_county_auditor_learns_nothing_of_other_counties_by_asking_why(world: World) -> None:
    auditor = everyone(world.city, HOME)[Role.AUDITOR]
    client = Client()
    client.force_login(auditor)
    path = f"/admin/accounts/why/?user={world.foreign.owner.username}&kind=hazard&record={world.foreign.hazard.number}"
    assert client.get(path).status_code == 403
    User.objects.filter(pk=auditor.pk).update(area_code=CITY)
    client.force_login(User.objects.get(pk=auditor.pk))
    assert world.foreign.hazard.number in client.get(path).content.decode()
