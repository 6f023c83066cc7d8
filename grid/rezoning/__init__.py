"""Re-zoning: other outlines for some cells: what is drawn, checked and looked at before anything changes."""
