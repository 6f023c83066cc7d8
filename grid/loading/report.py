"""Problems found in a folder, and what loading it did."""

from collections.abc import Callable
from dataclasses import dataclass, field

MOST_LISTED = 200
Progress = Callable[[str, int, int], None]  # what is being done, how many of how many


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong, where: ``line`` counts lines of a table from 1, or features of a layer from 1."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


@dataclass(slots=True)
class Problems:
    """All problems counted, the first two hundred kept."""

    listed: list[Problem] = field(default_factory=list)
    count: int = 0

    def add(self, file: str, line: int, message: str) -> None:
        self.count += 1
        if len(self.listed) < MOST_LISTED:
            self.listed.append(Problem(file, line, str(message)))

    def __bool__(self) -> bool:
        return self.count > 0


@dataclass(slots=True)
class Report:
    """How many rows of each table were read, added, and what deserves a look."""

    rows: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    version: int | None = None
    dry_run: bool = False
