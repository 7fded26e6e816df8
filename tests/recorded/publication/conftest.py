from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import pytest

from harness.catalog.agency import AGENCY_FILE
from harness.evidence import SweepFolder
from harness.operations import score_folder, signing
from harness.operations.manifest import catalog_digest
from harness.operations.register import enter_beginning, enter_end
from harness.operations.rules import fix_rules
from harness.records import read_plan
from harness.records.files import digest, write_json
from tests.e2e.evidence import load
from tests.recorded.conftest import RECORDED, chain_up
from tests.recorded.publication.night import AGENCY, CATALOG, NAME, Night, only_two


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Night:
    """Not to be changed: tests get copies."""
    above = tmp_path_factory.mktemp("published")
    sweep = SweepFolder(shutil.copytree(RECORDED, above / "results" / NAME))
    for name in ("scores.json", "revisions.json"):
        (sweep.path / name).unlink(missing_ok=True)
    signing.make_key(above / "key")
    fix_rules(sweep, read_plan(sweep.plan), CATALOG, CATALOG.criteria["demo@1"])
    write_json(sweep.rules, load(sweep.rules) | {"fixed_utc": "2026-11-01T00:00:00.000+00:00", "plan_sha256": digest(sweep.plan)})
    for path in sweep.manifests():
        write_json(path, load(path) | {"catalog_sha256": catalog_digest(CATALOG)})
    enter_beginning(sweep)
    chain_up(sweep)
    enter_end(sweep, "ended")
    (above / "results" / AGENCY_FILE).write_text(AGENCY, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        only_two(patch)
        score_folder.score_folder(sweep, CATALOG, CATALOG.criteria["demo@1"], check=True)
    return Night(above / "results", f"file:{above / 'key'}")


@pytest.fixture
def night(kept: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Night]:
    monkeypatch.delenv(signing.KEY_VARIABLE, raising=False)
    only_two(monkeypatch)
    with chdir(tmp_path):
        yield Night(shutil.copytree(kept.results, tmp_path / "results"), kept.key)
