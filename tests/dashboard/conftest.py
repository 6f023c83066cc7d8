"""A small city whose news has been dealt, and those who watch it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from citysafety.outbox.relay import relay_waiting
from citysafety.tallies.services import fold
from tests.factories import NOON, SmallCity, file_hazard, make_city, person


@pytest.fixture
def city(db: Any) -> SmallCity:
    cache.clear()
    return make_city()


@pytest.fixture
def reporter(city: SmallCity) -> Any:
    return person("grid_worker", name_zh="赵铁柱", name_en="Zhao Tiezhu", phone="13912345678")


@pytest.fixture
def happen(reporter: Any) -> Callable[..., list[Any]]:
    """File so many hazards and deal their facts."""

    def act(count: int, *, at: datetime = NOON, **more: Any) -> list[Any]:
        filed = [file_hazard(reporter, at=at, description="机密:楼道里有王小明的车", **more) for _ in range(count)]
        while relay_waiting(listen={}, project=(fold,)):
            pass
        return filed

    return act


@pytest.fixture
def watcher(city: SmallCity) -> Callable[..., Client]:
    """Sign in as somebody of a role."""

    def sign_in(role: str = "operator", area: str = "3705", language: str = "zh-hans", **more: Any) -> Client:
        client = Client()
        client.cookies["django_language"] = language
        client.force_login(person(role, area=area, **more), backend="django.contrib.auth.backends.ModelBackend")
        return client

    return sign_in
