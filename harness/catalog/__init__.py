"""Portals, platforms, workloads, authorisations and criteria: read, checked, frozen."""
