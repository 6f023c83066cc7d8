"""What one load knows while it reads: codes of the folder and of the database, and the rows to write."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import shapely

from citysafety.accounts.models import Department

from ..models import Cell, Centre, City, Division, Matter, MatterClass, Premises, PremisesKind, Worker
from .report import Problems, Progress, Report


@dataclass(slots=True)
class Plan:
    """The state of a load. ``known`` holds, by table, every code that may be referred to: in the database or the folder."""

    folder: Path
    at: datetime
    progress: Progress
    crs: str = ""
    problems: Problems = field(default_factory=Problems)
    report: Report = field(default_factory=Report)
    known: dict[str, set[str]] = field(default_factory=dict)
    rows: dict[str, list[Any]] = field(default_factory=dict)
    frame: Any = None  # shapely, of the city's row in the folder or the database
    city_code: str = ""
    ended: set[str] = field(default_factory=set)  # codes of cells that a re-zoning ended
    active_cells: dict[str, Any] = field(default_factory=dict)  # base and dedicated outlines by code, for premises

    def learn(self) -> None:
        """Read the codes that the database holds. Queries: 10."""
        tables = {
            "division": (Division, "code"), "department": (Department, "code"), "centre": (Centre, "code"),
            "cell": (Cell, "code"), "class": (MatterClass, "code"), "matter": (Matter, "code"),
            "kind": (PremisesKind, "code"), "premises": (Premises, "code"), "worker": (Worker, "number"),
        }  # fmt: skip
        for name, (model, column) in tables.items():
            self.known[name] = set(model.objects.values_list(column, flat=True))
        self.ended = set(Cell.objects.filter(ended_at__isnull=False).values_list("code", flat=True))
        city = City.objects.order_by("code").first()
        if city:
            self.city_code, self.frame = city.code, shapely.from_wkb(bytes(city.frame.wkb))
