"""`harness supply --maintenance`: an announcement becomes evidence once, with its document."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli import main
from harness.errors import UsageError
from harness.evidence import SweepFolder
from harness.operations.supplied import operator_files as supplied
from harness.records.files import write_whole
from tests.load.fleet import plan_of

MAINTENANCE = ("--maintenance", "2026-11-21T22:00+07:00", "2026-11-21T23:00+07:00")


@pytest.fixture
def folder(tmp_path: Path) -> SweepFolder:
    write_whole(SweepFolder(tmp_path).plan, plan_of(portals=("slow",)).to_json())
    return SweepFolder(tmp_path)


def _announce(folder: SweepFolder, document: Path, *changes: str) -> tuple[str, ...]:
    given = ("--announced-at", "2026-11-20T09:00+07:00", "--document", "12/TB", "--attach", str(document))
    return ("supply", str(folder.path), "slow", *MAINTENANCE, *given, *changes)


def test_maintenance_is_taken_with_its_document_once(folder: SweepFolder, tmp_path: Path) -> None:
    document = tmp_path / "12.pdf"
    document.write_bytes(b"12/TB")
    for _ in range(2):
        result = CliRunner().invoke(main, [*_announce(folder, document), "--json"])
        assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["announced_at"] == "2026-11-20T09:00:00+07:00"
    assert CliRunner().invoke(main, ["supply", str(folder.path), "slow", *MAINTENANCE]).exit_code == 0
    of_file = sha256(b"12/TB").hexdigest()
    kept = f"supplied/maintenance/{of_file[:12]}-12.pdf"
    assert (folder.path / kept).read_bytes() == b"12/TB"
    assert (folder.path / "supplied" / "maintenance.csv").read_text(encoding="utf-8").splitlines() == [
        "portal,begin_utc,end_utc,announced_at,document,file,sha256",
        f"slow,2026-11-21T22:00:00+07:00,2026-11-21T23:00:00+07:00,2026-11-20T09:00:00+07:00,12/TB,{kept},{of_file}",
        "slow,2026-11-21T22:00:00+07:00,2026-11-21T23:00:00+07:00,,,,",
    ]
    assert [each.announced_at for each in supplied.maintenance(folder, "slow")] == ["2026-11-20T09:00:00+07:00", ""]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (("--document", ""), "--document is not given"),
        (("--announced-at", "2026-11-20T09:00"), "has no time zone"),
        (("--maintenance", "2026-11-21T22:00+07:00", "2026-11-21T22:00+07:00"), "expected a beginning before an end"),
        (("--maintenance", "2026-11-21T22:00+07:00", "tomorrow"), "--maintenance is 'tomorrow'"),
        (("--attach", "none.pdf"), "--attach is none.pdf"),
        (("--from", "figures.csv"), "--from, --maintenance, --probes is several or none"),
        (("--metric", "cpu"), "options is of several kinds of input"),
    ],
)
def test_half_an_announcement_is_refused_and_leaves_nothing(
    folder: SweepFolder, tmp_path: Path, changes: tuple[str, ...], words: str
) -> None:
    (tmp_path / "12.pdf").write_bytes(b"12/TB")
    result = CliRunner().invoke(main, [*_announce(folder, tmp_path / "12.pdf"), *changes])
    assert result.exit_code == UsageError.exit_code, result.output
    assert words in result.stderr
    assert not (folder.path / "supplied" / "maintenance.csv").exists()
