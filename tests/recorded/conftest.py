from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import pytest

from harness.evidence import SweepFolder
from harness.evidence.chain import append_link
from harness.operations.supplied.operator_files import MAINTENANCE_COLUMNS
from harness.records.files import digest, write_json
from tests.e2e.commands import invoke
from tests.e2e.conftest import Sweep
from tests.e2e.evidence import load

RECORDED = Path(__file__).parent / "demo"
PORTALS = {"fast", "ordinary", "slow", "collapsing", "failing-payments", "refusing"}


ADDED_SINCE = ("value_measured", "zero_point_s", "failures", "failures_of")
"""Keys of a criterion that `harness score` has come to write since the sweep was recorded."""


def as_recorded(scores: bytes) -> bytes:
    """The bytes of a scores.json without the keys that were added since; no step of a publication was taken in it."""
    document = json.loads(scores)
    for card in document["scores"]:
        assert card.pop("publication") == {"state": "draft"}
        for criterion in card["criteria"]:
            for key in ADDED_SINCE:
                criterion.pop(key, None)
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A copy of the recorded sweep, named ``demo`` and standing in the working directory."""
    with chdir(tmp_path):
        yield shutil.copytree(RECORDED, tmp_path / "demo")


@pytest.fixture
def chained(folder: Path) -> SweepFolder:
    """The recorded sweep with the chain of its rounds."""
    chain_up(SweepFolder(folder))
    return SweepFolder(folder)


def chain_up(sweep: SweepFolder) -> None:
    """Make older evidence like that of today: a chain of its rounds, and manifests that list it."""
    for round_ in sweep.rounds():
        append_link(sweep, round_, sweep.ledger.stat().st_size if sweep.ledger.is_file() else 0)
    links = [{"file": sweep.relative(path), "sha256": digest(path)} for path in map(sweep.link, sweep.sealed_rounds())]
    for path in sweep.manifests():
        listed = load(path)
        write_json(path, {**listed, "evidence": [*listed["evidence"], *links]})


def announce_maintenance(folder: Path, portal: str, begin_utc: str, end_utc: str) -> None:
    """Lay down maintenance of a portal, and its announcement three weeks before."""
    document = folder / "supplied" / "maintenance" / "notice-7.txt"
    document.parent.mkdir(parents=True)
    document.write_text("Maintenance of our database.\n", encoding="utf-8")
    line = f"{portal},{begin_utc},{end_utc},2026-11-01T00:00:00+00:00,notice 7,{document.relative_to(folder)},{digest(document)}"
    (folder / "supplied" / "maintenance.csv").write_text(f"{','.join(MAINTENANCE_COLUMNS)}\n{line}\n", encoding="utf-8")


@pytest.fixture(scope="session")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    """A copy whose scores and faults `harness score` has made from the evidence alone. Not to be changed."""
    above = tmp_path_factory.mktemp("recorded")
    shutil.copytree(RECORDED, above / "demo", ignore=shutil.ignore_patterns("scores.json", "faults.json"))
    done = invoke(above, "score", "demo", "--json")
    assert done.code == 0, done.said
    return Sweep(done, above / "demo")


@pytest.fixture(scope="session")
def newest(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    """A copy that is scored by the newest version of its criteria set, as ``--criteria demo`` asks. Not to be changed."""
    above = tmp_path_factory.mktemp("newest")
    shutil.copytree(RECORDED, above / "demo")
    done = invoke(above, "score", "demo", "--criteria", "demo")
    assert done.code == 0, done.said
    return Sweep(done, above / "demo")
