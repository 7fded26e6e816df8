"""Where the scenarios and the catalog are: beside the package in a checkout, inside it in an installed wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def scenarios_folder() -> Path:
    """The folder that `locust -f` loads and that holds the default catalog."""
    beside = _PACKAGE.parent / "scenarios"
    return beside if (beside / "platforms").is_dir() else _PACKAGE / "_shipped" / "scenarios"


def locust_conf() -> Path:
    """The defaults for Locust."""
    beside = _PACKAGE.parent / "locust.conf"
    return beside if beside.is_file() else _PACKAGE / "_shipped" / "locust.conf"
