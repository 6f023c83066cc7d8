"""Cases in the states that the phone lists, made the way they are made in life."""

import io
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from PIL import Image

from grid.models import Centre, Posting, Worker
from hazards.models import Hazard
from hazards.services import take_step
from hazards.services.steps import StepInput
from tests.factories import HOME, NOON, SmallCity, attach_to, file_hazard, make_city, person


@dataclass
class Cast:
    """The city and the people who take part in its cases."""

    city: SmallCity
    worker: Any
    neighbour: Any
    handler: Any
    dispatcher: Any

    def step(self, hazard: Hazard, action: str, by: Any, **fields: Any) -> Hazard:
        given = StepInput(id=uuid.uuid4(), version=Hazard.objects.get(pk=hazard.pk).version, **fields)
        return take_step(hazard_id=hazard.pk, action=action, given=given, actor=by, at=NOON + timedelta(minutes=5))

    def photo(self, hazard: Hazard, role: str, by: Any) -> None:
        out = io.BytesIO()
        Image.effect_noise((32, 32), 60).save(out, "PNG")
        data = out.getvalue()
        attach_to(hazard, role, data, by)

    def rectified(self, **filing: Any) -> Hazard:
        """Bring a case of the neighbour's to where somebody must verify it."""
        hazard = file_hazard(self.neighbour, **filing)
        self.step(hazard, "accept", self.dispatcher)
        self.step(hazard, "dispatch", self.dispatcher, department="fire-02")
        self.step(hazard, "take", self.handler)
        self.photo(hazard, "after", self.handler)
        return self.step(hazard, "rectify", self.handler, words="已清理")


@pytest.fixture
def cast(db: None) -> Cast:
    city = make_city()
    people = Cast(
        city,
        worker=person("grid_worker"),
        neighbour=person("grid_worker"),
        handler=person("department_handler", department=city.departments["fire-02"]),
        dispatcher=person("dispatcher"),
    )
    centre = Centre.objects.create(
        code="C1", level="township", division_id=f"{HOME}001", name_zh="街道网格中心", name_en="Centre"
    )
    cell = city.cells[f"{HOME}001001001"]
    row = Worker.objects.create(user=people.worker, number="W1", centre=centre, area_code=cell.code)
    Posting.objects.create(worker=row, cell=cell, role="primary", since=date(2026, 1, 1))
    return people


@pytest.fixture
def many(cast: Cast) -> Callable[[int], None]:
    """Make so many cases of each kind that a list can show."""

    def make(number: int) -> None:
        for _ in range(number):
            cast.rectified()
            cast.photo(file_hazard(cast.worker), "scene", cast.worker)
            back = file_hazard(cast.worker)
            cast.step(back, "refuse", cast.dispatcher, words="重复")

    return make


@pytest.fixture(autouse=True)
def _plain_static(settings: Any) -> None:
    """Name static files as they are: pages are looked at without a collected folder."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
