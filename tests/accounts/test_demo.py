"""Demo accounts: the shape others rely on, readable by their owner only, made once."""

import json
import stat

import pytest

from citysafety.accounts.demo import make_demo_accounts
from citysafety.accounts.models import AccessToken, Department, User

from .people import person

pytestmark = pytest.mark.django_db


def accounts(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_file_has_the_shape_of_the_interfaces(tmp_path):
    path = make_demo_accounts(tmp_path)
    assert path == tmp_path / "demo-accounts.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    rows = accounts(path)
    assert all(
        set(row) == {"username", "password", "token", "area", "department", "level"}
        for people in rows.values()
        for row in people
    )
    areas = {role: [row["area"] for row in people] for role, people in rows.items()}
    assert areas["grid_worker"][:2] == areas["department_handler"][:2] == ["370502", "370502"]
    assert areas["grid_worker"][2] != "370502"
    handlers = [row["department"] for row in rows["department_handler"]]
    assert handlers[0] == handlers[1] != handlers[2]
    assert [row["level"] for row in rows["dispatcher"]] == ["city", "county", "county", "township"]
    assert areas["dispatcher"] == ["3705", "370502", "370502", "370502001"]
    for role in ("operator", "supervisor", "leader", "auditor"):
        assert areas[role] == ["3705", "370502"]
    assert set(areas) >= {"security_officer", "administrator", "kiosk"}


def test_passwords_and_tokens_open_the_site(client, tmp_path):
    rows = accounts(make_demo_accounts(tmp_path))
    for people in rows.values():
        for row in people:
            answer = client.get("/api/v1/notices/", HTTP_AUTHORIZATION=f"Token {row['token']}")
            assert answer.status_code == 200, row["username"]
    someone = rows["dispatcher"][0]
    client.post("/login/", {"username": someone["username"], "password": someone["password"]})
    assert client.get("/account/").status_code == 200


def test_a_second_time_changes_nothing_and_a_lost_file_makes_everything_anew(tmp_path):
    path = make_demo_accounts(tmp_path)
    before = accounts(path)
    make_demo_accounts(tmp_path)
    assert accounts(path) == before
    users = User.objects.count()
    path.unlink()
    after = accounts(make_demo_accounts(tmp_path))
    assert User.objects.count() == users
    assert [row["username"] for row in after["leader"]] == [row["username"] for row in before["leader"]]
    assert after["leader"][0]["token"] != before["leader"][0]["token"]
    assert AccessToken.objects.filter(revoked_at=None).count() == users


def test_demo_workers_and_handlers_take_their_place_in_a_loaded_city(tmp_path):
    offices = [
        Department.objects.create(code=f"D-{area}", area_code=area, name_zh="住建局") for area in ("370502", "370503")
    ]
    workers = [
        person("grid_worker", area=f"{area}001", name_zh=f"网格员{area}") for area in ("370502", "370502", "370503")
    ]
    rows = accounts(make_demo_accounts(tmp_path))
    assert [row["department"] for row in rows["department_handler"]] == ["D-370502", "D-370502", "D-370503"]
    assert Department.objects.count() == len(offices)
    assert set(User.objects.filter(role="grid_worker").values_list("pk", flat=True)) == {w.pk for w in workers}
    assert [row["username"] for row in rows["grid_worker"]] == ["worker1", "worker2", "worker3"]


def test_where_there_is_an_office_of_education_two_more_handlers_are_of_it(tmp_path):
    for code, area in (("370502-GA", "370502"), ("370502-JY", "370502"), ("370503-GA", "370503")):
        Department.objects.create(code=code, area_code=area, name_zh=code)
    rows = accounts(make_demo_accounts(tmp_path))["department_handler"]

    assert [row["department"] for row in rows] == ["370502-GA", "370502-GA", "370503-GA", "370502-JY", "370502-JY"]
    assert [row["username"] for row in rows] == [f"handler{n}" for n in range(1, 6)]
    assert [User.objects.get(username=row["username"]).may_sign for row in rows[3:]] == [True, False]
