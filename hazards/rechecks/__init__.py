"""Random re-checks of closed cases: drawn by lot, given to somebody who took no step in the case."""
