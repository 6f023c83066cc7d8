"""Cases that a journey begins with, made by the API of the shared instance."""

import uuid
from datetime import UTC, datetime
from typing import Any

from tests.running import Instance, until


def reported_cases(site: Instance, number: int, *, major: int = 0, area: str = "370502") -> list[dict[str, Any]]:
    """File hazards in the first base cell of an area; return them as the API answers."""
    worker = site.api("grid_worker")
    cell = worker.get(f"/api/v1/cells/?page_size=1&kind=base&area={area}")[1]["results"][0]
    matters = worker.get("/api/v1/matters/?page_size=1000")[1]["results"]
    matter = next(row["code"] for row in matters if not row["special"])
    made = []
    for n in range(number):
        kind: dict[str, Any] = {"severity": "general"}
        if n < major:
            kind = {"severity": "major", "criterion": "other: 判定标准第五条第一款"}
        body = {
            "id": str(uuid.uuid4()), "matter": matter, "description": f"督办 {n}", "cell": None, "handled_on_spot": False,
            "location": {**cell["centre"], "accuracy_m": 8, "datum": "wgs84"}, "occurred_at": datetime.now(UTC).isoformat(),
            **kind,
        }  # fmt: skip
        status, answer = worker.post("/api/v1/hazards/", body)
        assert status == 201, answer
        made.append(answer)
    return made


def take_steps(site: Instance, case: str, *steps: tuple[str, dict[str, Any]], version: int = 1) -> None:
    """Let the first dispatcher take steps of a case, one after the other."""
    dispatcher = site.api("dispatcher")
    for n, (action, more) in enumerate(steps):
        step = {"id": str(uuid.uuid4()), "version": version + n, **more}
        status, answer = dispatcher.post(f"/api/v1/hazards/{case}/{action}/", step)
        assert status == 200, answer


def overdue_cases(site: Instance, number: int, *, major: int = 0, days: int = 9) -> list[str]:
    """File hazards, send them to the first handler's office and let days pass; return their ids when marked."""
    office = site.account("department_handler")["department"]
    made = [case["id"] for case in reported_cases(site, number, major=major)]
    for case in made:
        take_steps(site, case, ("accept", {}), ("dispatch", {"department": office}))
    # The news of a new instance's calendar computes due times anew: it must have come before they are moved.
    until(lambda: not site.query("SELECT 1 FROM outbox_outboxentry WHERE position IS NULL LIMIT 1"), 60)
    for table, column in (("hazards_clock", "hazard_id"), ("hazards_hazard", "id")):
        moved = f"UPDATE {table} SET due_at = now() - make_interval(days => %s) WHERE {column} = ANY(%s::uuid[])"
        site.query(moved, days, made)
    count = "SELECT count(*) FROM hazards_hazard WHERE overdue AND id = ANY(%s::uuid[])"
    until(lambda: site.query(count, made) == [(number,)], 60)
    return made


def issued_notice(site: Instance, case: str) -> str:
    """Let the first supervisor sign an overdue notice about an overdue case; return its id."""
    supervisor = site.api("supervisor")
    drafted = supervisor.get(f"/api/v1/supervision/?hazard={case}")[1]["results"]
    if not drafted:
        drafted = [supervisor.post("/api/v1/supervision/", {"id": str(uuid.uuid4()), "hazard": case})[1]]
    notice = f"/api/v1/supervision/{drafted[0]['id']}/"
    paper = supervisor.post(f"{notice}prepare/", {})[1]
    step = {"id": str(uuid.uuid4()), "version": paper["version"], "sha256": paper["document"]["sha256"]}
    status, answer = supervisor.post(f"{notice}issue/", step)
    assert status == 200, answer
    return str(answer["id"])
