import pytest

from citysafety.tallies import figures

from .probes import FIGURES


@pytest.fixture
def probes(monkeypatch):
    """Only the figures of probes are registered, and a probe is recounted from nothing until a test says how."""
    monkeypatch.setattr(figures, "_figures", {figure.key: figure for figure in FIGURES})
    monkeypatch.setattr(figures, "_subjects", {"probe": lambda: []})
