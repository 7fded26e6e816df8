"""What a bundle holds, and what may never be in one.

bundle.json              who it is about, by which version, seed and machine, and the SHA-256 of every other file
bundle.sig               its Ed25519 signature, where the evaluator has a key
platforms/NAME.yaml      the profile, with the tables (NAME.csv) that it takes rows from
workloads/NAME.yaml  criteria/NAME.yaml  walls/NAME.yaml
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Annotated, Final, Literal

from pydantic import Field

from harness.catalog.ids import PlainId
from harness.catalog.reading import LARGEST_BYTES, CatalogModel

BUNDLE: Final = "bundle.json"
BUNDLE_SIGNATURE: Final = "bundle.sig"
LARGEST_FILE: Final = LARGEST_BYTES
"""Bytes of one file: as a catalog may hold them."""
LARGEST_BUNDLE: Final = 20_000_000
"""Bytes of all files (assumed: four of the largest; a profile with its tables has far less)."""
MOST_FILES: Final = 60
"""Files (assumed: one profile, its tables, a workload, a criteria set and a catalog's walls are far fewer)."""
_NAMES = re.compile(
    r"(?:platforms/[A-Za-z0-9][\w.-]{0,99}\.(?:yaml|yml|csv)|(?:workloads|criteria|walls)/[A-Za-z0-9][\w.-]{0,99}\.(?:yaml|yml))"
)
_SHORT = Annotated[str, Field(max_length=300)]
_SHA256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def may_hold(name: str) -> bool:
    """Whether a bundle may hold a file of this name: data of a catalog, never code, and no authorisation."""
    return name in (BUNDLE, BUNDLE_SIGNATURE) or (_NAMES.fullmatch(name) is not None and ".." not in name)


class BundledFile(CatalogModel):
    """One file of a bundle."""

    file: _SHORT
    sha256: _SHA256


class BundledPortal(CatalogModel):
    """The portal that the evaluator measured."""

    id: PlainId
    name_vi: Annotated[str, Field(min_length=1, max_length=300)]
    name_en: Annotated[str, Field(min_length=1, max_length=300)]
    level: Literal["ministry", "province", "sample"]
    platform: PlainId
    origins: Annotated[dict[Annotated[str, Field(max_length=60)], _SHORT], Field(max_length=20)] = Field(default_factory=dict)


class Bundle(CatalogModel):
    """The contents of ``bundle.json``."""

    schema_: Annotated[Literal["evaluation-bundle/1"], Field(alias="schema")] = "evaluation-bundle/1"
    harness: _SHORT  # version
    portal: BundledPortal
    workload: PlainId
    criteria: _SHORT  # ID@VERSION
    seed: int
    sweep: _SHORT = ""  # of the evaluator's run, where there was one
    machine: Annotated[dict[Annotated[str, Field(max_length=60)], _SHORT | int], Field(max_length=20)] = Field(default_factory=dict)
    files: Annotated[tuple[BundledFile, ...], Field(min_length=1, max_length=MOST_FILES)]
    key: Annotated[str, Field(max_length=2_000)] = ""  # the public key of the signature, in PEM


def sha256_of(content: bytes) -> str:
    """The digest by which a bundle names a file."""
    return sha256(content).hexdigest()
