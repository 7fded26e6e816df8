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

from harness.catalog import Catalog
from harness.catalog.authorisation import NamedPermission
from harness.catalog.criteria_set import CriteriaSet
from harness.errors import Problem, UsageError
from harness.evidence import SweepFolder
from harness.evidence.chain import SealedFile
from harness.operations.manifest import catalog_digest
from harness.operations.signing import usual_key
from harness.records import Plan
from harness.records.files import digest, json_bytes, write_together
from harness.records.plain import read_record, to_plain
from harness.version import __version__

_SAME = "Nothing was sent. A sweep goes on by the rules of its beginning: take the same catalog and version, or start a new sweep."


@dataclass(frozen=True, slots=True)
class FixedCriteria:
    """The criteria set that a sweep is scored by."""

    id: str
    version: str
    sha256: str


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
    """Write down the rules of a sweep that is about to begin. Raises what ``usual_key`` raises."""
    key = usual_key()
    content = json_bytes(to_plain(_rules_now(plan, sha256(plan.to_json().encode()).hexdigest(), catalog, criteria)))
    signature = {folder.rules_signature.name: key.sign(content)} if key is not None else {}
    write_together(folder.path, {**signature, folder.rules.name: content})


def require_same_rules(folder: SweepFolder, plan: Plan, catalog: Catalog, criteria: CriteriaSet) -> None:
    """Raise UsageError, with every difference, where a sweep would go on by other rules than were fixed before its first packet."""
    fixed = read_record(SweepRules, folder.rules)
    now = _rules_now(plan, digest(folder.plan), catalog, criteria)
    before, after = _comparable(fixed), _comparable(now)
    differing = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    if differing:
        raise UsageError(
            *(
                Problem(str(folder.rules), name, after.get(name, "not there"), f"{before.get(name, 'none')}, as it was fixed", _SAME)
                for name in differing
            )
        )


def _comparable(rules: SweepRules) -> dict[str, str]:
    """The rules as lines that can be compared one by one."""
    criteria = f"{rules.criteria.id}@{rules.criteria.version} ({rules.criteria.sha256})"
    return {
        **{name: str(getattr(rules, name)) for name in ("sweep", "harness", "plan_sha256", "seed", "workload")},
        "criteria": criteria,
        **{
            f"authorisation of {portal}": f"{each.id} ({each.reference}, {each.granted_by})"
            for portal, each in rules.authorisations.items()
        },
        **{f"catalog file {each.file}": each.sha256 for each in rules.catalog},
    }


def _rules_now(plan: Plan, plan_sha256: str, catalog: Catalog, criteria: CriteriaSet) -> SweepRules:
    named = {target.portal: catalog.authorisations[target.authorisation] for target in plan.targets if target.authorisation}
    return SweepRules(
        plan.sweep,
        datetime.now(UTC).isoformat(timespec="milliseconds"),
        __version__,
        plan_sha256,
        plan.seed,
        plan.workload,
        FixedCriteria(criteria.id, criteria.version, criteria.sha256),
        {portal: NamedPermission(each.id, each.reference, each.granted_by) for portal, each in named.items()},
        catalog_digest(catalog),
        tuple(sorted((SealedFile(f"{path.parent.name}/{path.name}", digest(path)) for path in catalog.files), key=lambda each: each.file)),
    )
