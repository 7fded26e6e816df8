"""The scenarios and the catalog that come with the package: beside it in a checkout, inside it in an installed wheel."""

from __future__ import annotations

from pathlib import Path

from harness.catalog import Catalog, load_catalog

DEFAULT_CRITERIA = "473-QD-BTTTT-2024"
_PACKAGE = Path(__file__).resolve().parent.parent


def scenarios_folder() -> Path:
    """The folder that `locust -f` loads and that holds the default catalog."""
    beside = _PACKAGE.parent / "scenarios"
    return beside if (beside / "platforms").is_dir() else _PACKAGE / "_shipped" / "scenarios"


def locust_conf() -> Path:
    """The defaults for Locust."""
    beside = _PACKAGE.parent / "locust.conf"
    return beside if beside.is_file() else _PACKAGE / "_shipped" / "locust.conf"


def shipped_catalog(extra: Path | None = None) -> Catalog:
    """The default catalog, with that of the folder ``extra`` added; raises CatalogError with every problem."""
    return load_catalog(scenarios_folder(), extra)
