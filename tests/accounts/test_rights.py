"""Rights: role × area × state × four eyes, deny by default."""

import pytest

from citysafety.accounts import rights
from citysafety.accounts.models import Department, User
from citysafety.accounts.rights import may, sentence
from citysafety.lifecycle import Step

from .people import Record, person


def step(*roles: str) -> Step:
    return Step("reported", "act", "accepted", basis="test", roles=roles)


def someone(role: str, pk: int = 7, area: str = "370502", **fields: object) -> User:
    return User(pk=pk, username=f"u{pk}", role=role, area_code=area, **fields)


CHECKER = "grid_worker:area,not_rectifier,not_reporter_on_spot"


@pytest.mark.parametrize(
    ("user", "alternatives", "record", "allowed", "rule"),
    [
        (someone("dispatcher"), ["dispatcher:area"], Record(), True, "allowed.dispatcher.area"),
        (someone("dispatcher", area="3705"), ["dispatcher:area"], Record(), True, "allowed.dispatcher.area"),
        (someone("dispatcher", area="370503"), ["dispatcher:area"], Record(), False, "denied.area"),
        (someone("dispatcher", area=""), ["dispatcher:area"], Record(), False, "denied.area"),
        (someone("dispatcher", area="37050"), ["dispatcher:area"], Record(), False, "denied.area"),
        (someone("leader"), ["dispatcher:area"], Record(), False, "denied.role"),
        (someone("dispatcher"), [], Record(), False, "denied.role"),
        (someone("department_handler", department_id=3), ["department_handler:department"],
         Record(department_id=3), True, "allowed.department_handler.department"),
        (someone("department_handler", department_id=4), ["department_handler:department"],
         Record(department_id=3), False, "denied.department"),
        (someone("department_handler"), ["department_handler:department"], Record(), False, "denied.department"),
        (someone("grid_worker"), ["grid_worker:reporter"], Record(reporter_id=7), True, "allowed.grid_worker.reporter"),
        (someone("grid_worker"), ["grid_worker:reporter"], Record(reporter_id=8), False, "denied.reporter"),
        (someone("leader"), ["*:reporter"], Record(reporter_id=7), True, "allowed.anyone.reporter"),
        (someone("grid_worker"), [CHECKER], Record(rectified_by_id=8), True,
         "allowed.grid_worker.area.not_rectifier.not_reporter_on_spot"),
        (someone("grid_worker"), [CHECKER], Record(rectified_by_id=7), False, "denied.four_eyes"),
        (someone("grid_worker"), [CHECKER], Record(reporter_id=7), True,
         "allowed.grid_worker.area.not_rectifier.not_reporter_on_spot"),
        (someone("grid_worker"), [CHECKER], Record(reporter_id=7, handled_on_spot=True), False,
         "denied.four_eyes_on_spot"),
        (someone("dispatcher", area="370503"), ["dispatcher:area", "*:reporter"], Record(reporter_id=7), True,
         "allowed.anyone.reporter"),
        (someone("dispatcher", is_active=False), ["dispatcher:area"], Record(), False, "denied.inactive"),
    ],
)  # fmt: skip
def test_a_verdict_names_the_rule_that_decided(user, alternatives, record, allowed, rule):
    verdict = may(user, step(*alternatives), record)
    assert (verdict.allowed, verdict.rule) == (allowed, rule)
    assert sentence(rule) not in ("", rule), "every rule has a sentence"


@pytest.mark.parametrize("slip", ["dispatchr:area", "dispatcher:aera", "boss"])
def test_a_slip_in_a_table_of_steps_is_an_error_and_opens_nothing(slip):
    with pytest.raises(ValueError, match="there is no"):
        may(someone("dispatcher"), step(slip), Record())


@pytest.mark.django_db
def test_area_q_finds_what_the_area_covers_and_nothing_without_an_area():
    for code in ("3705", "370502", "370502001", "370503"):
        Department.objects.create(code=code, area_code=code, name_zh=code)

    def seen(area: str) -> set[str]:
        user = someone("dispatcher", area=area)
        return set(Department.objects.filter(rights.area_q(user)).values_list("code", flat=True))

    assert seen("370502") == {"370502", "370502001"}
    assert seen("3705") == {"3705", "370502", "370502001", "370503"}
    assert seen("") == set()
    assert seen("37") == set()


@pytest.mark.django_db
def test_rights_follow_the_role_in_the_admin_and_the_admin_is_for_the_whole_city():
    administrator, officer, auditor = (
        person(role, area="3705") for role in ("administrator", "security_officer", "auditor")
    )
    assert administrator.has_perm("grid.change_matter")
    assert not administrator.has_perm("accounts.change_user")
    assert officer.has_perm("accounts.change_user")
    assert not officer.has_perm("grid.change_matter")
    assert auditor.has_perm("accounts.view_userhistory")
    assert auditor.has_perm("grid.view_matter")
    assert not auditor.has_perm("grid.change_matter")
    assert not auditor.has_perm("accounts.change_user")
    for role in ("grid_worker", "department_handler", "dispatcher", "operator", "supervisor", "leader", "kiosk"):
        assert not person(role, area="3705").is_staff
    assert not person("auditor", area="370502").is_staff, "the admin knows no areas"
