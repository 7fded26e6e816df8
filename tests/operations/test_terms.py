"""What an authorisation says besides limits of the load: hours, journeys, captcha, dossiers of a night; and the load beside usage."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from harness.catalog import Authorisation, Catalog
from harness.cli import main
from harness.errors import AuthorisationError, EvidenceError
from harness.evidence import SweepFolder
from harness.operations.dossiers.night_count import dossiers_left, filed_at_night
from harness.operations.permitted_load import within_permissions
from harness.operations.plan_summary import plan_in_words
from harness.operations.portal_hosts import PortalHosts, check_permitted, check_plan, earliest_begin, hosts_for_dry_run
from harness.operations.sweep_plan import make_plan
from harness.operations.timetable import last_ends_s
from harness.records import Plan, read_plan
from harness.records.permitted_hours import VIETNAM
from harness.records.plain import to_plain
from harness.records.sweep_journal import JournalLine
from tests.operations.test_permitted_load import ALL, GOALS, NOW, catalog, loaded, planned

NO_SANDBOX: dict[str, Any] = {
    "payment_sandbox": None,
    "hosts": [{"origin": "http://127.0.0.1:1"}, {"origin": "http://127.0.0.2:1", "role": "identity", "owner": "identity"}],
}
EXEMPT = {"captcha_exemption": {"reference": "Công văn thử nghiệm số 1"}}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """The catalog with an authorisation that permits everything."""
    return catalog(tmp_path_factory.mktemp("catalog"))


def changed(whole: Catalog, **changes: Any) -> Catalog:
    """The same catalog with another authorisation."""
    facts = whole.authorisations["letter-7"].model_dump(mode="json") | changes
    return replace(whole, authorisations={"letter-7": Authorisation.model_validate(facts)})


def left_out(plan: Plan) -> list[str]:
    return [each.in_words for each in plan.target("swift").not_permitted]


def elsewhere(plan: Plan) -> Plan:
    """The plan as of a portal on another machine; nothing is sent."""
    here = plan.target("swift")
    there = replace(here, origins=dict.fromkeys(here.origins, "https://dichvucong.example.invalid"))
    return replace(plan, targets=tuple(there if each is here else each for each in plan.targets))


def hours_around(moment: datetime, minutes: float) -> str:
    """Hours that hold from before a moment until so many minutes after it."""
    begin, end = moment - timedelta(minutes=5), moment + timedelta(minutes=minutes)
    return f"{begin.astimezone(VIETNAM):%H:%M}-{end.astimezone(VIETNAM):%H:%M}"


def test_a_plan_without_terms_has_the_bytes_that_it_had(whole: Catalog) -> None:
    plan, _ = planned(whole)
    assert '"terms"' not in plan.to_json()


def test_terms_stand_in_the_plan_and_are_read_again(tmp_path: Path) -> None:
    said = {
        "hours": ["00:00-24:00"], "journeys": ["search"], "source_addresses": ["127.0.0.0/8"], "contact": "do-kiem@example.invalid",
        "dossiers_per_night_max": 7, **EXEMPT, "emc_exclusion": {"reference": "Công văn thử nghiệm số 2"},
    }  # fmt: skip
    plan, _ = planned(catalog(tmp_path, **said))
    terms = json.loads(plan.to_json())["targets"][0]["terms"]
    assert terms == {**said, "captcha_exemption": "Công văn thử nghiệm số 1", "emc_exclusion": "Công văn thử nghiệm số 2"}
    (tmp_path / "plan.json").write_text(plan.to_json(), encoding="utf-8")
    assert read_plan(tmp_path / "plan.json").target("swift").terms == plan.target("swift").terms
    (line, *_) = plan_in_words(plan, GOALS)
    for words in (
        "only at 00:00-24:00 in Viet Nam", "only the journeys search", "only from 127.0.0.0/8", "at most 7 dossiers a night",
        "contact do-kiem@example.invalid", "without captcha by Công văn thử nghiệm số 1", "(EMC) by Công văn thử nghiệm số 2",
    ):  # fmt: skip
        assert words in line
    shown = CliRunner().invoke(main, ["validate", "--catalog", str(tmp_path)])
    assert "authorisation letter-7: only at 00:00-24:00 in Viet Nam; only the journeys search;" in shown.output


def test_only_the_journeys_that_are_named_are_walked(whole: Catalog) -> None:
    plan, _ = planned(changed(whole, journeys=["search", "submit"]))
    assert loaded(plan) == {each for each in ALL if each[1] != "pay"}
    assert left_out(plan) == ["pay needs to stand in journeys"]
    assert loaded(plan, "sluggish") == ALL


def test_without_a_captcha_exemption_or_a_sandbox_nothing_is_filed_or_paid(whole: Catalog) -> None:
    plan, _ = planned(changed(whole, **NO_SANDBOX))
    assert {journey for _, journey in loaded(plan)} == {"search"}
    assert left_out(plan) == ["pay needs payment_sandbox", "submit needs captcha_exemption or payment_sandbox"]
    exempt, _ = planned(changed(whole, **NO_SANDBOX, **EXEMPT))
    assert {journey for _, journey in loaded(exempt)} == {"search", "submit"}
    sandbox, _ = planned(whole)
    assert loaded(sandbox) == ALL, "a portal that hands its citizens to a sandbox is a test system"


def test_where_the_fee_comes_before_the_submission_filing_pays(whole: Catalog) -> None:
    plan, _ = planned(changed(whole, **NO_SANDBOX, **EXEMPT, platform="igate-formio"))
    assert {journey for _, journey in loaded(plan)} == {"search"}
    assert left_out(plan) == ["pay needs payment_sandbox", "submit needs payment_sandbox"]


def test_windows_that_do_not_fit_into_the_hours_are_refused_by_name(whole: Catalog) -> None:
    found = changed(whole, hours=[hours_around(NOW, 400)])
    plan, _ = planned(found)
    needed_s = last_ends_s(plan)["swift"]
    check_permitted(plan, found, NOW)
    check_permitted(plan, found, NOW + timedelta(minutes=399) - timedelta(seconds=needed_s))
    with pytest.raises(AuthorisationError, match=r"letter-7\.hours is .*; expected hours that last until .* the windows of swift"):
        check_permitted(plan, found, NOW + timedelta(minutes=401) - timedelta(seconds=needed_s))


def test_a_dry_run_by_day_plans_for_the_night(whole: Catalog, tmp_path: Path) -> None:
    found = changed(whole, hours=["22:00-05:00"])
    hosts = hosts_for_dry_run([found.portals["swift"]], found, NOW)
    plan = make_plan("s", hosts.portals, found.workloads["two-stages"], seed=1, results=tmp_path / "s", night="2026-01-01")
    noon = NOW.astimezone(VIETNAM).replace(hour=12, minute=0, second=0, microsecond=0)
    assert earliest_begin(plan, noon) == noon.replace(hour=22)
    assert earliest_begin(plan, noon.replace(hour=23)) == noon.replace(hour=23)
    closed = hours_around(datetime.now(UTC) + timedelta(hours=9), 300)
    catalog(tmp_path / "b", hours=[closed])
    command = ["sweep", "swift", "--workload", "two-stages", "--criteria", "speed-only", "--catalog", str(tmp_path / "b"), "--dry-run"]
    shown = CliRunner().invoke(main, command)
    assert shown.exit_code == 0, shown.output
    assert "if it begins when all permitted hours are open, at " in shown.stdout
    assert f"swift: terms of letter-7: only at {closed} in Viet Nam" in shown.stdout


def test_a_plan_file_does_not_grant_what_the_catalog_does_not(whole: Catalog) -> None:
    plan, _ = planned(whole)
    check_plan(plan, whole, NOW, GOALS)
    for changes, told in (
        ({"journeys": ["search"]}, r"letter-7\.journeys is the authorisation does not name these journeys, and pay would be walked"),
        (NO_SANDBOX, r"letter-7\.payment_sandbox"),
        ({"source_addresses": ["10.0.0.0/8"]}, r"letter-7\.source_addresses"),
        ({"hours": [hours_around(NOW + timedelta(hours=9), 60)]}, r"letter-7\.hours"),
        ({"valid_to": (NOW - timedelta(hours=1)).isoformat()}, "expected one that covers"),
    ):
        with pytest.raises(AuthorisationError, match=told):
            check_plan(plan, changed(whole, **changes), NOW, GOALS)


def sweep_of_night(results: Path, name: str, night: str, dossiers: int, *, own_ledger: str = "ledger.jsonl") -> None:
    folder = results / name
    (folder / own_ledger).parent.mkdir(parents=True)
    (folder / "plan.json").write_text(json.dumps({"night": night}), encoding="utf-8")
    facts = {"portal": "swift", "run": "r", "journey": "submit"}
    lines = [{**facts, "visit": n, "code": f"H-{n}", "kind": kind} for n in range(dossiers) for kind in ("dossier", "dossier", "found")]
    (folder / own_ledger).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def tonight(found: Catalog, results: Path) -> Plan:
    chosen, criteria = found.workloads["two-stages"], found.criteria["speed-only"]

    def plan_on(hosts: PortalHosts) -> Plan:
        return make_plan("s", hosts.portals, chosen, seed=1, results=results / "s", night="2026-01-01")

    hosts = hosts_for_dry_run([found.portals["swift"]], found, NOW)
    return plan_on(within_permissions(hosts, plan_on(hosts), found, chosen, criteria, GOALS))


def test_dossiers_of_a_night_are_counted_over_all_its_sweeps(whole: Catalog, tmp_path: Path) -> None:
    results = tmp_path / "results"
    sweep_of_night(results, "first", "2026-01-01", 20)
    sweep_of_night(results, "second", "2026-01-01", 3, own_ledger="ledgers/w0.jsonl")  # its master is lost, or still at work
    sweep_of_night(results, "yesterday", "2025-12-31", 500)
    assert filed_at_night(results, "2026-01-01") == {"swift": 23}
    unlimited = tonight(changed(whole, dossiers_per_night_max=10**6), results)
    assert loaded(unlimited) == ALL
    assert dossiers_left(unlimited) == {"swift": 10**6 - 23}
    (needed, _) = tonight(changed(whole, dossiers_per_night_max=24), results).target("swift").not_permitted
    assert (needed.limit, needed.allowed) == ("dossiers_per_night_max", 24)
    enough = int(needed.needed)
    assert loaded(tonight(changed(whole, dossiers_per_night_max=enough), results)) == ALL
    fewer = tonight(changed(whole, dossiers_per_night_max=enough - 1), results)
    assert {journey for _, journey in loaded(fewer)} == {"search"}
    assert fewer.target("swift").terms.dossiers_before == 23


def test_a_resumed_sweep_counts_for_each_of_its_nights(whole: Catalog, tmp_path: Path) -> None:
    results = tmp_path / "results"
    sweep_of_night(results, "s", "2026-01-01", 5)
    sweep_of_night(results, "later", "2026-01-02", 2)
    plan = tonight(changed(whole, dossiers_per_night_max=10**6), results)
    assert dossiers_left(plan) == {"swift": 10**6 - 5}
    lines = [JournalLine(number, "begun", "2026-01-01T15:00:00+00:00", night=f"2026-01-0{number}") for number in (1, 2)]
    SweepFolder(results / "s").journal.write_text("".join(json.dumps(to_plain(line)) + "\n" for line in lines), encoding="utf-8")
    assert filed_at_night(results, "2026-01-02") == {"swift": 7}
    assert dossiers_left(plan) == {"swift": 10**6 - 7}


def test_a_sweep_that_cannot_be_read_is_not_taken_for_one_without_dossiers(tmp_path: Path) -> None:
    sweep_of_night(tmp_path, "broken", "2026-01-01", 2)
    (tmp_path / "broken" / "plan.json").write_text("{", encoding="utf-8")
    with pytest.raises(EvidenceError, match=r"broken/plan\.json"):
        filed_at_night(tmp_path, "2026-01-01")


def test_what_an_authorisation_lacks_is_warned_of(whole: Catalog) -> None:
    lines = list(plan_in_words(elsewhere(planned(whole)[0]), GOALS))
    assert any(line.startswith("WARNING: swift: letter-7 names no `contact`") for line in lines)
    assert any("has no `emc_exclusion`: pay and submit may count as real dossiers" in line for line in lines)
    assert not any("sluggish" in line for line in lines if line.startswith("WARNING")), "embedded portals are nobody's"
    searching = elsewhere(planned(changed(whole, journeys=["search"]))[0])
    for nothing_counts in (searching, planned(whole)[0]):  # no dossiers; or an owner's own machine, which no system monitors
        assert not any("emc_exclusion" in line for line in plan_in_words(nothing_counts, GOALS))
    assert not any(line.startswith("WARNING") for line in plan_in_words(planned(whole)[0], GOALS)), (
        "its owner reads the log of their own machine"
    )


def test_load_beside_usage_is_kept_and_flagged_above_ten(whole: Catalog, tmp_path: Path) -> None:
    found = whole
    binh_dinh = found.portals["binh-dinh"]
    hosts = PortalHosts(hosts_for_dry_run([binh_dinh, found.portals["swift"]], found, NOW).portals, None)
    workload = found.workloads["today"]
    plan = make_plan("s", hosts.portals, workload, seed=1, results=tmp_path, night="2026-01-01")
    of_binh_dinh = {each.journey: each for each in plan.target("binh-dinh").times_usage}
    assert of_binh_dinh["submit"].own
    assert of_binh_dinh["submit"].usage_per_s == pytest.approx(450 / 86_400 * workload.usage.busy_hour_factor)
    highest = max((w for r in plan.rounds for s in r.slots for w in s.windows if w.stage != "warm-up"), key=lambda w: w.level)
    rate = highest.rates_per_s["submit"] + highest.quota["submit"] / highest.duration_s
    assert of_binh_dinh["submit"].times == pytest.approx(rate / of_binh_dinh["submit"].usage_per_s)
    assert not plan.target("swift").times_usage[0].own
    kept = json.loads(plan.to_json())["targets"][0]["times_usage"]
    assert kept[0] == {"journey": "pay", "own": True, "planned_per_s": kept[0]["planned_per_s"], "usage_per_s": kept[0]["usage_per_s"]}
    lines = list(plan_in_words(plan, GOALS))
    assert any(line.startswith("binh-dinh: at most pay ") and "× its own usage" in line for line in lines)
    above = [each.journey for each in plan.target("binh-dinh").times_usage if each.is_above]
    assert above
    assert any(line.startswith(f"binh-dinh: ABOVE 10 TIMES USAGE: {', '.join(above)};") for line in lines)
    assert plan.target("swift").times_usage[0].is_above
    assert not any(line.startswith("swift: ABOVE") for line in lines), "no figure of its own, and on this machine"
    assert any(line.startswith("swift: ABOVE") for line in plan_in_words(elsewhere(plan), GOALS))


def test_a_command_says_which_windows_became_longer(tmp_path: Path) -> None:
    catalog(tmp_path)
    path = tmp_path / "workloads" / "two-stages.yaml"
    facts = json.loads(path.read_text(encoding="utf-8")) | {"window_s_max": 90}
    facts["usage"]["per_day"] = {"search": 864}
    path.write_text(json.dumps(facts), encoding="utf-8")
    command = ["sweep", "swift", "--workload", "two-stages", "--criteria", "speed-only", "--catalog", str(tmp_path), "--dry-run"]
    shown = CliRunner().invoke(main, command)
    assert shown.exit_code == 0, shown.output
    assert "peak 90 s instead of 60 s, typical 90 s instead of 60 s" in shown.stdout
    assert "swift: at most pay" in shown.stdout
    assert "TIMES USAGE" not in shown.stdout
