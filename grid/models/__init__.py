"""The grid's tables, split by noun."""

from .components import Component, ComponentClass, ComponentImport, ImportedRow
from .matters import EvidenceRule, Matter, MatterClass, Unit
from .people import Centre, Posting, Worker
from .places import BaseLayer, Cell, City, Division, GridVersion, shapes_of
from .premises import Premises, PremisesKind
from .rezoning import DraftCell, Rezoning, RezoningRecord, RezoningStep, Succession

__all__ = [
    "BaseLayer",
    "Cell",
    "Centre",
    "City",
    "Component",
    "ComponentClass",
    "ComponentImport",
    "Division",
    "DraftCell",
    "EvidenceRule",
    "GridVersion",
    "ImportedRow",
    "Matter",
    "MatterClass",
    "Posting",
    "Premises",
    "PremisesKind",
    "Rezoning",
    "RezoningRecord",
    "RezoningStep",
    "Succession",
    "Unit",
    "Worker",
    "shapes_of",
]
