"""The least that a DRF and GeoDjango service can do for the same request: what stands in for the peer in our benches."""
