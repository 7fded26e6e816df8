"""Figures that an operator supplies: read from files or a Prometheus endpoint, kept as evidence."""
