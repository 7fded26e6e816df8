"""The folder of a sweep, and a spool that crashes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.evidence import Spool, SweepFolder


@pytest.fixture
def folder(tmp_path: Path) -> SweepFolder:
    return SweepFolder(tmp_path / "s")


@pytest.fixture
def crashing(folder: SweepFolder) -> Iterator[Spool]:
    """A spool whose process ends in the middle of a round: the kernel closes its files."""
    spool = Spool(folder)
    yield spool
    for _, file in spool._open.values():
        file.close()
