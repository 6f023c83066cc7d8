from tests.tallies.conftest import probes  # noqa: F401  the tiny subjects of the tallies' tests
