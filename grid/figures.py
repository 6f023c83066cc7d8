"""The figures of the grid and the lists that make them."""


def register() -> None:
    """Register them with the tallies."""
