"""The operator's console: one queue of what needs somebody, the map, the case, and dispatches that can be undone."""
