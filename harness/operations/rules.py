"""Rules before results: what a sweep is measured and scored by, written down before the first packet.

    rules.json    plan, seed, criteria set, authorisations, and every file of the catalog (profiles, workloads …), by SHA-256
    rules.sig     its Ed25519 signature, where --signing-key or HARNESS_SIGNING_KEY names a key

The first link of the chain of rounds names rules.json.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

import harness
from harness.catalog import Catalog
from harness.catalog.criteria import CriteriaSet
from harness.evidence import SweepFolder
from harness.evidence.chain import SealedFile
from harness.operations.manifest import catalog_digest
from harness.operations.signing import usual_key
from harness.records import Plan
from harness.records.files import digest, json_bytes, write_together
from harness.records.plain import to_plain


@dataclass(frozen=True, slots=True)
class FixedCriteria:
    """The criteria set that a sweep is scored by."""

    id: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class NamedPermission:
    """The written permission for one portal."""

    id: str
    reference: str  # number and date of the document
    granted_by: str


@dataclass(frozen=True, slots=True)
class SweepRules:
    """The contents of ``rules.json``."""

    sweep: str
    fixed_utc: str  # ISO 8601
    harness: str  # version
    plan_sha256: str
    seed: int
    workload: str
    criteria: FixedCriteria
    authorisations: Mapping[str, NamedPermission]  # by portal; embedded ones have none
    catalog_sha256: str
    catalog: tuple[SealedFile, ...]  # relative to a folder of the catalog
    schema: str = "sweep-rules/1"


def fix_rules(folder: SweepFolder, plan: Plan, catalog: Catalog, criteria: CriteriaSet) -> None:
    """Write down the rules of a sweep that is about to begin; errors as of ``usual_key``."""
    key = usual_key()
    named = {target.portal: catalog.authorisations[target.authorisation] for target in plan.targets if target.authorisation}
    rules = SweepRules(
        plan.sweep,
        datetime.now(UTC).isoformat(timespec="milliseconds"),
        harness.__version__,
        sha256(plan.to_json().encode()).hexdigest(),
        plan.seed,
        plan.workload,
        FixedCriteria(criteria.id, criteria.version, criteria.sha256),
        {portal: NamedPermission(each.id, each.reference, each.granted_by) for portal, each in named.items()},
        catalog_digest(catalog),
        tuple(sorted((SealedFile(f"{path.parent.name}/{path.name}", digest(path)) for path in catalog.files), key=lambda each: each.file)),
    )
    content = json_bytes(to_plain(rules))
    signature = {folder.rules_signature.name: key.sign(content)} if key is not None else {}
    write_together(folder.path, {**signature, folder.rules.name: content})
