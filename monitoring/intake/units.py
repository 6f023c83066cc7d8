"""Concentrations in two units: parts per million by volume and milligrams per cubic metre (pure)."""

import re

# Standard atomic weights, abridged to five digits (IUPAC 2021).
ATOMS = {"H": 1.008, "C": 12.011, "N": 14.007, "O": 15.999, "F": 18.998, "S": 32.06, "Cl": 35.45, "Br": 79.904}
GAS_CONSTANT = 8.314462618  # J/(mol·K), CODATA 2018
NORMAL_PRESSURE = 101.325  # kPa
ZERO_CELSIUS = 273.15  # K


def molar_mass(formula: str) -> float:
    """Return grams a mole of a plain formula such as ``C6H6``. :raises ValueError: it holds something else."""
    atoms = re.findall(r"([A-Z][a-z]?)(\d*)", formula)
    if not formula or "".join(name + count for name, count in atoms) != formula:
        raise ValueError(f"{formula!r} is no plain chemical formula")
    unknown = [name for name, _ in atoms if name not in ATOMS]
    if unknown:
        raise ValueError(f"{formula!r}: no atomic weight of {', '.join(unknown)}")
    return sum(ATOMS[name] * int(count or 1) for name, count in atoms)


def molar_volume(celsius: float, kilopascal: float = NORMAL_PRESSURE) -> float:
    """Return the litres that a mole of an ideal gas fills: 24.06 at 20 °C, 24.47 at 25 °C."""
    if celsius <= -ZERO_CELSIUS or kilopascal <= 0:
        raise ValueError(f"{celsius} °C, {kilopascal} kPa: no state of a gas")
    return GAS_CONSTANT * (celsius + ZERO_CELSIUS) / kilopascal


def mg_per_m3(ppm: float, *, mass: float, celsius: float, kilopascal: float = NORMAL_PRESSURE) -> float:
    """Return milligrams a cubic metre of a gas of that molar mass; the temperature is the device's and never assumed."""
    return ppm * mass / molar_volume(celsius, kilopascal)


def ppm(milligrams: float, *, mass: float, celsius: float, kilopascal: float = NORMAL_PRESSURE) -> float:
    """Return parts per million by volume: the way back of `mg_per_m3`."""
    return milligrams * molar_volume(celsius, kilopascal) / mass
