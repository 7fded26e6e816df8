"""Every manifest says where its portal was measured from; where nobody said it, a warning does."""

from __future__ import annotations

import dataclasses
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.catalog import Catalog
from harness.catalog.authorisation import Authorisation
from harness.evidence import SweepFolder, read_runs
from harness.operations.manifest import write_manifests
from harness.operations.measured_portal import LOOPBACK, MeasuredPortal
from harness.operations.portal_hosts import NOT_STATED, PortalHosts, find_hosts
from harness.operations.shipped import shipped_catalog
from harness.operations.times_usage import factors
from harness.records.files import read_json

NOW = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
RECORDED = Path(__file__).resolve().parents[1] / "recorded" / "demo"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return shipped_catalog()


def authorised(catalog: Catalog, **more: str) -> Catalog:
    permission = Authorisation.model_validate(
        {
            "id": "letter-7", "portal": "slow", "platform": "liferay", "reference": "made up", "granted_by": "a test", "citizens_in_flight_max": 1,
            "requests_per_s_max": 1, "valid_from": NOW - timedelta(days=1), "valid_to": NOW + timedelta(days=1),
            "hosts": [{"origin": "https://portal.invalid"}], **more,
        }
    )  # fmt: skip
    return dataclasses.replace(catalog, authorisations={permission.id: permission})


@pytest.mark.parametrize(
    ("option", "key", "expected"),
    [
        ("", "", NOT_STATED),
        ("", "Da Nang, VNPT", "Da Nang, VNPT"),
        ("Ha Noi, 1 Gbit/s", "", "Ha Noi, 1 Gbit/s"),
        ("Ha Noi, 1 Gbit/s", "Da Nang, VNPT", "Ha Noi, 1 Gbit/s"),
    ],
)
def test_the_option_then_the_authorisation_says_it(catalog: Catalog, option: str, key: str, expected: str) -> None:
    permitted = authorised(catalog, vantage_point=key)
    hosts = find_hosts([catalog.portals["slow"]], permitted, NOW, seed=1, cpu=None, vantage_point=option)
    assert hosts.vantage_points == {"slow": expected}
    warned = [note for note in hosts.notes if "WARNING" in note]
    assert [("slow" in note and "--vantage-point" in note and "letter-7" in note) for note in warned] == (
        [True] if expected == NOT_STATED else []
    )


def test_nobody_is_asked_where_this_machine_is_measured_from(catalog: Catalog) -> None:
    permission = authorised(catalog).authorisations["letter-7"]
    here = permission.model_copy(
        update={"hosts": tuple(host.model_copy(update={"origin": "http://127.0.0.1:1"}) for host in permission.hosts)}
    )
    hosts = find_hosts([catalog.portals["slow"]], dataclasses.replace(catalog, authorisations={here.id: here}), NOW, seed=1, cpu=None)
    assert not [note for note in hosts.notes if "WARNING" in note]


def test_each_manifest_has_its_portals_own(catalog: Catalog, tmp_path: Path) -> None:
    folder = SweepFolder(shutil.copytree(RECORDED, tmp_path / "demo"))
    runs = read_runs(folder)
    measured = [MeasuredPortal(catalog.portals[run.portal], "liferay", {}) for run in runs]
    there = dataclasses.replace(measured[0], vantage_point="Ha Noi")
    points = PortalHosts((there, *measured[1:]), None).vantage_points
    write_manifests(folder, runs, catalog, factors=factors(catalog.workloads["demo"]), vantage_points=points)
    found = [read_json(folder.manifest(run.portal))["vantage_point"] for run in runs]
    assert found == ["Ha Noi", *[LOOPBACK] * (len(runs) - 1)]
