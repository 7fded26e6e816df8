"""Only hosts that the criteria set lists are shared, whatever an authorisation calls them; the plan says which, for each portal."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from harness.catalog import Target
from harness.catalog.criteria_set import CriteriaSet
from harness.catalog.not_charged import SharedHosts
from harness.operations.portal_hosts import PortalHosts, hosts_for_dry_run, target_of_planned
from harness.operations.shared_hosts import with_shared_hosts
from harness.operations.sweep_plan import make_plan
from harness.records import Plan, read_plan
from tests.e2e.small_catalog import OURS

from .test_permitted_load import NOW, PAYMENT, catalog

LOGIN = "http://127.0.0.2:1"
SSO = {"origin": "http://127.0.0.4:1", "role": "sso", "owner": "identity"}
HOSTS = [
    {"origin": "http://127.0.0.1:1"}, {"origin": LOGIN, "role": "identity", "owner": "identity"}, SSO,
    {"origin": PAYMENT, "role": "payment", "owner": "payment"},
]  # fmt: skip


def planned(folder: Path, roles: dict[str, dict[str, object]] | None) -> tuple[Plan, PortalHosts, Target]:
    found = catalog(folder, hosts=HOSTS)
    shared = None if roles is None else SharedHosts.model_validate({"roles": roles, "lost_max": {"value": 0.2, **OURS}})
    criteria: CriteriaSet = found.criteria["speed-only"].model_copy(update={"shared": shared})
    hosts = with_shared_hosts(hosts_for_dry_run([found.portals["swift"]], found, NOW), found, criteria)
    plan = make_plan(
        "s", hosts.portals, found.workloads["two-stages"], seed=1, results=Path("unused"), night="2026-01-01", shared=criteria.shared
    )
    return plan, hosts, target_of_planned(found, plan.target("swift"))


def test_a_host_is_shared_only_if_the_set_lists_its_role(tmp_path: Path) -> None:
    plan, hosts, target = planned(tmp_path, {"identity": {**OURS}})
    assert (plan.target("swift").shared_hosts, plan.shared_lost_max) == ((LOGIN,), 0.2)
    assert target.owners == {"http://127.0.0.1:1": "portal", LOGIN: "identity", SSO["origin"]: "portal", PAYMENT: "portal"}
    told = [note for note in hosts.notes if "does not list it as shared" in note]
    assert [note.partition(" has ")[0] for note in told] == [f"swift: {SSO['origin']}", f"swift: {PAYMENT}"]


def test_an_operators_own_login_is_not_shared_by_being_called_so(tmp_path: Path) -> None:
    plan, _, target = planned(tmp_path, {"identity": {**OURS, "hosts": ["id.example.invalid"]}})
    assert plan.target("swift").shared_hosts == ()
    assert set(target.owners.values()) == {"portal"}


def test_a_set_that_says_nothing_of_shared_hosts_leaves_everything_as_before(tmp_path: Path) -> None:
    plan, _, target = planned(tmp_path, None)
    assert target.owners[SSO["origin"]] == "identity"
    facts = json.loads(plan.to_json())
    assert "shared_lost_max" not in facts
    assert all("shared_hosts" not in each for each in facts["targets"])


def test_a_plan_keeps_that_nothing_is_shared_apart_from_that_nothing_is_said(tmp_path: Path) -> None:
    plan, _, _ = planned(tmp_path / "catalog", {"payment": {**OURS}})
    (one,) = plan.targets
    for shared in ((PAYMENT,), (), None):
        path = tmp_path / "plan.json"
        path.write_text(replace(plan, targets=(replace(one, shared_hosts=shared),)).to_json(), encoding="utf-8")
        assert read_plan(path).targets[0].shared_hosts == shared
