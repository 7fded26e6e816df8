"""The version of the harness: pyproject.toml takes it from here, and what is measured names it."""

__version__ = "0.1.0"
