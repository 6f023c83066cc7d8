"""PostGIS as Django knows it, with a cheaper look whether a kept connection is still one (settings, ENGINE)."""
