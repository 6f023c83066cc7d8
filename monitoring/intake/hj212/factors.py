"""What stations measure: HJ 212-2017 appendix B, tables B.1 (water), B.2 (air), B.3 (noise), with the codes of 2005.

Left out: the process values of B.4 and B.5 (codes e…, g…, i…), whose numbers stand for a plant's own machines.
``a05024`` (ozone) is not in B.2; stations send it, from the longer list of HJ 524.

Table B.2 prints ng/m³ for ammonia, methane, particles and some metals, which stations do not mean: ``printed`` tells so.
The unit is then that of 2005 (ammonia: mg/m³), or none: such a point must be told its unit. A point's own unit wins always.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

from monitoring.intake import units


@dataclass(frozen=True, slots=True)
class Factor:
    """A quantity, by its code of 2017."""

    code: str
    old: str  # the code of HJ/T 212-2005, or ""
    zh: str
    en: str
    unit: str  # "" where it has none or none can be told
    printed: str  # the unit that appendix B prints, where it is not the one meant
    formula: str  # of a single substance

    @property
    def molar_mass(self) -> float | None:
        """Return grams a mole, for ppm; ``None`` of a mixture or a class of substances."""
        return units.molar_mass(self.formula) if self.formula else None


def _read() -> dict[str, Factor]:
    with (Path(__file__).parent / "factors.csv").open(encoding="utf-8", newline="") as table:
        return {row["code"]: Factor(**row) for row in csv.DictReader(table)}


FACTORS = _read()
BY_OLD_CODE = {factor.old: factor for factor in FACTORS.values() if factor.old}


def factor_of(code: str) -> Factor | None:
    """Return the quantity of a code of 2017 or of 2005."""
    return FACTORS.get(code) or BY_OLD_CODE.get(code)
