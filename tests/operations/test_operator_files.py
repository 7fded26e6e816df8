"""What operators supply: read where it is there, refused where it is wrong, part of the evidence."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import EvidenceError
from harness.evidence import SweepFolder
from harness.operations.supplied import operator_files as supplied


@pytest.fixture
def folder(tmp_path: Path) -> SweepFolder:
    (tmp_path / "supplied").mkdir()
    return SweepFolder(tmp_path)


def test_nothing_supplied_is_not_nothing_measured(folder: SweepFolder) -> None:
    assert supplied.server_figures(folder, "slow") is None
    assert supplied.maintenance(folder, "slow") == ()
    assert supplied.supplied_evidence(folder, "slow") == ()


def test_maintenance_is_each_portals_own(folder: SweepFolder) -> None:
    path = folder.path / "supplied" / "maintenance.csv"
    path.write_text(
        "\ufeffportal,begin_utc,end_utc\nslow,2026-11-21T15:00:00+00:00,2026-11-21T16:00:00+00:00\n"
        "fast,2026-11-21T23:00:00+07:00,2026-11-22T00:00:00+07:00\n",
        encoding="utf-8",
    )
    assert [stretch.begin_utc for stretch in supplied.maintenance(folder, "slow")] == ["2026-11-21T15:00:00+00:00"]
    assert [item.file for item in supplied.supplied_evidence(folder, "slow")] == ["supplied/maintenance.csv"]


@pytest.mark.parametrize(
    "line", ["slow,2026-11-21T15:00:00,2026-11-21T16:00:00", "slow,gestern,heute", "slow,2026-11-21T17:00:00Z,2026-11-21T16:00:00Z"]
)
def test_a_line_that_cannot_be_used_is_named(folder: SweepFolder, line: str) -> None:
    (folder.path / "supplied" / "maintenance.csv").write_text(f"portal,begin_utc,end_utc\n{line}\n", encoding="utf-8")
    with pytest.raises(EvidenceError, match=r"maintenance\.csv:2: begin_utc, end_utc"):
        supplied.maintenance(folder, "slow")


def test_figures_of_servers_become_evidence(folder: SweepFolder) -> None:
    (folder.path / "supplied" / "slow.servers.csv").write_text(
        "time_utc,server,role,cpu_percent\n2026-11-21T15:00:00+00:00,app1,application,61\n", encoding="utf-8"
    )
    figures = supplied.server_figures(folder, "slow")
    assert figures is not None
    assert len(figures) == 1
    assert [item.file for item in supplied.supplied_evidence(folder, "slow")] == ["supplied/slow.servers.csv"]
    assert supplied.server_figures(folder, "fast") is None
