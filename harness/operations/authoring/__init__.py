"""What helps people to write profiles and workloads: drafts from recordings, usage figures, validation."""
