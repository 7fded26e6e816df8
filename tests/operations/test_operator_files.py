"""What operators supply: read where it is there, refused where it is wrong, part of the evidence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
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


NOTICE = b"Thong bao bao tri"
HEADER = "portal,begin_utc,end_utc,announced_at,document,file,sha256"
TIMES = "slow,2026-11-21T22:00:00+07:00,2026-11-21T23:00:00+07:00"


def announced(folder: SweepFolder, line: str) -> None:
    document = folder.path / "supplied" / "maintenance" / "cv.pdf"
    document.parent.mkdir(exist_ok=True)
    document.write_bytes(NOTICE)
    line = line.replace("DIGEST", sha256(NOTICE).hexdigest())
    (folder.path / "supplied" / "maintenance.csv").write_text(f"{HEADER}\n{line}\n", encoding="utf-8")


def test_an_announcement_is_read_with_its_document_which_is_evidence(folder: SweepFolder) -> None:
    announced(folder, f"{TIMES},2026-11-20T09:00:00+07:00,12/TB,supplied/maintenance/cv.pdf,DIGEST")
    (found,) = supplied.maintenance(folder, "slow")
    assert (found.announced_at, found.document, found.file) == ("2026-11-20T09:00:00+07:00", "12/TB", "supplied/maintenance/cv.pdf")
    files = ["supplied/maintenance.csv", "supplied/maintenance/cv.pdf"]
    assert [item.file for item in supplied.supplied_evidence(folder, "slow")] == files
    assert [item.file for item in supplied.supplied_evidence(folder, "fast")] == files[:1]


def test_a_document_that_was_changed_is_refused(folder: SweepFolder) -> None:
    announced(folder, f"{TIMES},2026-11-20T09:00:00+07:00,12/TB,supplied/maintenance/cv.pdf,DIGEST")
    (folder.path / "supplied" / "maintenance" / "cv.pdf").write_bytes(b"another")
    with pytest.raises(EvidenceError, match=r"cv\.pdf: SHA-256 is .*Restore"):
        supplied.maintenance(folder, "slow")


@pytest.mark.parametrize(
    "line",
    [
        f"{TIMES},2026-11-20T09:00:00,12/TB,supplied/maintenance/cv.pdf,DIGEST",  # without a time zone
        f"{TIMES},2026-11-20T09:00:00+07:00,,supplied/maintenance/cv.pdf,DIGEST",
        f"{TIMES},2026-11-20T09:00:00+07:00,12/TB,,",
        f"{TIMES},,12/TB,supplied/maintenance/cv.pdf,DIGEST",
        f"{TIMES},2026-11-20T09:00:00+07:00",
        f"{TIMES},2026-11-20T09:00:00+07:00,12/TB,supplied/maintenance/cv.pdf,DIGEST,more",
    ],
)
def test_half_an_announcement_is_named(folder: SweepFolder, line: str) -> None:
    announced(folder, line)
    with pytest.raises(EvidenceError, match=r"maintenance\.csv:2: (begin_utc, end_utc, announced_at|table is [48] cells)"):
        supplied.maintenance(folder, "slow")


def test_maintenance_is_made_up_for_once_it_is_over_and_if_it_was_announced_in_time(folder: SweepFolder) -> None:
    announced(folder, f"{TIMES},2026-11-20T22:00:00+07:00,12/TB,supplied/maintenance/cv.pdf,DIGEST")
    begin, end = (datetime.fromisoformat(f"2026-11-21T{hour}:00:00+07:00") for hour in (22, 23))
    said: list[str] = []
    assert supplied.maintenance_over(folder, 24.0, end, said.append) == {"slow": [(begin, end)]}
    assert supplied.maintenance_over(folder, 24.0, end - timedelta(seconds=1), said.append) == {}
    assert supplied.maintenance_over(folder, 24.1, end, said.append) == {}
    assert supplied.maintenance_over(folder, 0.0, end, said.append) == {}, "the set names no notice"
    assert said == []


def test_a_file_that_cannot_be_read_during_the_night_is_said_and_costs_no_window(folder: SweepFolder) -> None:
    announced(folder, "slow,gestern,heute,,,,")
    said: list[str] = []
    assert supplied.maintenance_over(folder, 24.0, datetime.now(UTC), said.append) == {}
    (line,) = said
    assert "maintenance.csv:2: begin_utc, end_utc" in line
