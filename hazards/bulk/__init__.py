"""One step with many cases at once: tried first, then done to exactly those that were tried."""
