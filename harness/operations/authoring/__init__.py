"""Helps people to write profiles and workloads: drafts from recordings, workloads from usage figures, validation."""
