"""Open311 GeoReport v2, both ends: the city's own doors under /open311/v2/, and a client for other cities' servers.

Source: https://wiki.open311.org/GeoReport_v2/ ("the standard" in this package), its extensions page, and the page
Service Discovery. What the public sees and what it does not is in docs/open311.md.
"""
