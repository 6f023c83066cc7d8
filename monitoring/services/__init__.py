"""Writes of monitoring: verbs, one transaction each, with ``at`` passed in."""
