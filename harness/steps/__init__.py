"""The step engine: what a platform profile says, compiled to what a citizen does."""
