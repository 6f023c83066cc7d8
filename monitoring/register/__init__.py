"""The register of monitoring: systems and how far they are joined, devices, addresses that nobody knows."""
