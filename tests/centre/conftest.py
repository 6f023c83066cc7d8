"""A small city with cases in every state that the queue knows, and people at the console."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from citysafety.accounts.models import User
from citysafety.calendars import services as calendars
from grid import locate
from hazards.models import Hazard
from hazards.services.steps import StepInput, take_step
from tests.factories import NOON, SmallCity, attach_to, file_hazard, make_city, person
from tests.projects.conftest import office
from tests.security.world import picture

__all__ = ["office"]
MAJOR = {"severity": "major", "criterion": "other: 判定标准第五条第一款"}


@pytest.fixture
def city(db: Any, monkeypatch: pytest.MonkeyPatch) -> SmallCity:
    # The grid and the calendar are looked at every two seconds besides; not here, where queries are counted.
    monkeypatch.setattr(locate, "CHECK_EVERY_S", 3600)
    monkeypatch.setattr(calendars, "KEPT_FOR_S", 3600)
    made = make_city()
    locate.forget()
    locate.locate(118.53, 37.45)
    calendars.calendar()
    return made


@pytest.fixture
def dispatcher(city: SmallCity) -> User:
    return person("dispatcher")


@pytest.fixture
def take(city: SmallCity, dispatcher: User) -> Callable[..., Hazard]:
    """Move a hazard along its life; the dispatcher acts unless somebody else is named."""

    def act(hazard: Hazard, action: str, *, by: User | None = None, at: Any = NOON, **given: Any) -> Hazard:
        hazard.refresh_from_db()
        step = StepInput(id=uuid.uuid4(), version=hazard.version, **given)
        return take_step(hazard_id=hazard.pk, action=action, given=step, actor=by or dispatcher, at=at)

    return act


@pytest.fixture
def cases(city: SmallCity, take: Callable[..., Hazard]) -> dict[str, Hazard]:
    """One case for each reason to stand in the queue, and one that stands in none."""
    worker = person("grid_worker")
    handler = person("department_handler", department=city.departments["fire-02"])
    made = {name: file_hazard(worker) for name in ("reported", "accepted", "returned", "overdue", "quiet")}
    made["major"] = file_hazard(worker, **MAJOR)
    for name in ("accepted", "returned", "overdue", "quiet", "major"):
        take(made[name], "accept")
    for name in ("returned", "overdue", "quiet", "major"):
        take(made[name], "dispatch", department="fire-02")
    take(made["returned"], "return", by=handler, words="不属于我们")
    Hazard.objects.filter(pk=made["overdue"].pk).update(overdue=True, late=True)
    attach_to(made["quiet"], "scene", picture(), worker)
    for hazard in made.values():
        hazard.refresh_from_db()
    return made


@pytest.fixture
def at_desk(db: Any) -> Callable[..., Client]:
    """Sign in as somebody of a role, or as a person that is there."""

    def sign_in(role: str = "operator", area: str = "3705", *, who: User | None = None, language: str = "en") -> Client:
        client = Client()
        client.cookies["django_language"] = language
        user = who or person(role, area=area)
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return sign_in
