import json
import textwrap
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from harness.catalog.criteria_set import read_criteria
from harness.catalog.not_charged import SharedHosts
from harness.errors import CatalogError

SHIPPED = sorted((Path(__file__).parents[2] / "scenarios" / "criteria").glob("*.yaml"))

SMALL = """\
id: small
version: "1"
name_vi: Nhỏ
name_en: Small
provisional: true
points_total: {value: 20, basis: assumed, source: a test}
groups:
  - {id: performance, name_vi: Hiệu năng, name_en: Performance, points: {value: 20, basis: assumed, source: a test}}
performance_group: performance
grades:
  - {grade: A, lowest: 10, basis: assumed, source: a test}
  - {grade: B, lowest: 0, basis: assumed, source: a test}
criteria:
  - id: average
    name_vi: Trung bình
    name_en: Average
    heading: average_response
    points: {value: 20, basis: assumed, source: a test}
    metric: mean
    select: {journey: [search], stage: typical}
    curve: {kind: linear, version: 1, full: 2.5, none: 10, basis: assumed, source: a test}
    quota: {windows: 6, n: 50, basis: assumed, source: a test}
"""


def _read(tmp_path, text):
    path = tmp_path / "small.yaml"
    path.write_text(text, encoding="utf-8")
    return read_criteria(path)


def _problems(tmp_path, old, new):
    assert old in SMALL
    with pytest.raises(CatalogError) as caught:
        _read(tmp_path, SMALL.replace(old, new, 1))
    return caught.value.problems


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_sets_add_up_and_say_that_they_are_provisional(path):
    criteria = read_criteria(path)
    assert criteria.provisional
    assert criteria.group.points.value == Decimal(20)
    assert criteria.group.points.basis == "official"
    assert sum(criterion.points.value for criterion in criteria.criteria) == 20
    assert sum(group.points.value for group in criteria.groups) == 100
    assert {criterion.heading for criterion in criteria.criteria} == {
        "average_response", "slowest_response", "server_efficiency", "concurrent_use", "continuous_operation", "correctness",
    }  # fmt: skip


def test_the_two_shipped_sets_are_the_official_groups():
    sets = {criteria.id: criteria for criteria in map(read_criteria, SHIPPED)}
    old, new = sets["cong-dvc-2023"], sets["473-QD-BTTTT-2024"]
    assert [int(group.points.value) for group in old.groups] == [70, 20, 10]
    assert [int(group.points.value) for group in new.groups] == [50, 5, 20, 15, 5, 5]
    assert [(grade.grade, int(grade.lowest)) for grade in new.grades] == [("A", 90), ("B", 80), ("C", 65), ("D", 50), ("E", 0)]
    assert not old.grades


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_nothing_inside_the_group_poses_as_official(path):
    for criterion in read_criteria(path).criteria:
        assert criterion.points.basis == "assumed"
        assert criterion.curve.basis in {"assumed", "borrowed"}
        assert criterion.basis == "assumed"
        assert all(part.source for part in (criterion.points, criterion.curve, criterion.quota))


@pytest.mark.parametrize(
    ("old", "new", "place", "says"),
    [
        ("metric: mean", "metric: median", (19, "criteria.0.metric"), "one of mean, p<number>"),
        ("metric: mean", "metric: p95", (14, "criteria.0"), "quota.n of at least 93"),
        ("metric: mean", "metric: slowest(51)", (14, "criteria.0"), "quota.n of at least 51"),
        ("metric: mean", "metric: ok_rate", (14, "criteria.0"), "the wrong way"),
        ("metric: mean", "metric: sustained(p95 <= 2 s and error_rate <= 101 %)", (19, "criteria.0.metric"), "can never be missed"),
        ("metric: mean", "metric: apdex(2 s)", (14, "criteria.0"), "lies between 0 and 1: no value reaches"),
        ("metric: mean", "metric: sustained(p95 <= 2 s)", (14, "criteria.0"), "the wrong way"),
        ("journey: [search]", "journey: []", (20, "criteria.0.select.journey"), "at least 1 item"),
        ("journey: [search]", "journey: [browse]", (20, "criteria.0.select.journey"), "browse is unknown; known are search, submit, pay"),
        ("journey: [search]", "journey: [search], step: [pay]", (20, "criteria.0.select"), "the selection is empty"),
        ("journey: [search]", "journey: [search], goal: [file]", (20, "criteria.0.select"), "the selection is empty"),
        ("stage: typical", "stage: warm-up", (20, "criteria.0.select.stage"), "the warm-up never is"),
        ("stage: typical", "stage: noon", (20, "criteria.0.select.stage"), "'typical'"),
        ("points: {value: 20, basis: assumed, source: a test}\n    metric", "points: {value: 19.5, basis: assumed, source: a test}\n    metric",
         (13, "criteria"), "add up to 20; these add up to 19.5"),
        ("points_total: {value: 20", "points_total: {value: 100", (7, "groups"), "add up to 100; these add up to 20"),
        ("performance_group: performance", "performance_group: speed", (9, "performance_group"), "one of the groups: performance"),
        ("full: 2.5, none: 10", "full: 10, none: 2.5", (14, "criteria.0"), "the wrong way"),
        ("full: 2.5, none: 10", "full: 10, none: 10", (14, "criteria.0"), "must differ"),
        ("kind: linear", "kind: cubic", (21, "criteria.0.curve"), "'cubic'"),
        ("version: 1, full", "version: 2, full", (21, "criteria.0.curve.linear.version"), "1"),
        ("basis: assumed, source: a test}\n    quota", "basis: rumoured, source: a test}\n    quota", (21, "criteria.0.curve.linear.basis"), "'official'"),
        (SMALL[SMALL.index("criteria:") :], "criteria: []\n", (13, "criteria"), "at least one of the criteria"),
        ("metric: mean", "metric: mean\n    over: mean_of_windows", (14, "criteria.0"), "over: mean_of_windows is for shares"),
        ("metric: mean", "metric: mean\n    over: best_window", (20, "criteria.0.over"), "'median_window' or 'mean_of_windows'"),
        ("criteria:\n", "states: {blocked: {nights: 0, consequence: no_points, basis: assumed, source: a test}}\ncriteria:\n",
         (13, "states.blocked.nights"), "greater than or equal to 1"),
        ("criteria:\n", "states: {blocked: {nights: 3, consequence: zero, basis: assumed, source: a test}}\ncriteria:\n",
         (13, "states.blocked.consequence"), "'no_points' or 'person'"),
        ("criteria:\n", "states: {tired: {nights: 3, consequence: person, basis: assumed, source: a test}}\ncriteria:\n",
         (13, "states.tired.[key]"), "'blocked'"),
        ("lowest: 0,", "lowest: 5,", (10, "grades"), "the last from 0"),
        ("name_en: Average\n", "name_en: Average\n    weight: 3\n", (17, "criteria.0.weight"), "a key that is known"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_file_line_and_key(tmp_path, old, new, place, says):
    line, key = place
    problems = _problems(tmp_path, old, new)
    found = [problem for problem in problems if problem.key == key]
    assert found, problems
    assert found[0].file.endswith("small.yaml")
    assert found[0].line == line
    assert says in found[0].expected


def test_an_id_stands_once(tmp_path):
    again = SMALL + SMALL[SMALL.index("  - id: average") :]
    with pytest.raises(CatalogError, match="average stands twice"):
        _read(tmp_path, again)


@pytest.mark.parametrize(
    ("curve", "says"),
    [
        ("{kind: bands, version: 1, bands: [{limit: 5, share: 0.5}, {limit: 2, share: 1}]", "from the best share to the worst"),
        ("{kind: bands, version: 1, bands: [{limit: 2, share: 1}, {limit: 2, share: 0.5}]", "all rise or all fall"),
        ("{kind: bands, version: 1, bands: [{limit: 5, share: 1}, {limit: 2, share: 0.5}]", "the wrong way"),
        ("{kind: log_normal, version: 1, p10: 4, median: 2", "p10 (0.90 of the points) must be below the median"),
    ],
)
def test_a_curve_that_makes_no_sense_is_refused(tmp_path, curve, says):
    problems = _problems(tmp_path, "{kind: linear, version: 1, full: 2.5, none: 10", curve)
    assert any(says in problem.expected for problem in problems), problems


def test_all_problems_come_at_once(tmp_path):
    text = (
        SMALL.replace("metric: mean", "metric: median")
        .replace("version: 1, full", "version: 9, full")
        .replace("stage: typical", "stage: noon")
    )
    with pytest.raises(CatalogError) as caught:
        _read(tmp_path, text)
    assert {problem.line for problem in caught.value.problems} == {19, 20, 21}


def test_shortening_is_printed_and_relaxes_only_what_it_names(tmp_path):
    criteria = _read(tmp_path, SMALL)
    short = criteria.shortened(window_s=7, min_n=5)
    assert short.printed_version == "1+shortened (windows from 7 s, from 5 steps a window)"
    assert criteria.printed_version == "1"
    quota = short.quota_of(short.criteria[0])
    assert (quota.windows, quota.n, quota.window_s) == (6, 5, 7)
    assert criteria.shortened(window_s=600, min_windows=60, min_n=5000).quota_of(criteria.criteria[0]) == criteria.criteria[0].quota


def test_the_digest_follows_content_and_not_layout(tmp_path):
    criteria = _read(tmp_path, SMALL)
    assert _read(tmp_path, "# a comment\n" + SMALL).sha256 == criteria.sha256
    assert criteria.shortened(min_n=5).sha256 == criteria.sha256
    assert _read(tmp_path, SMALL.replace("full: 2.5", "full: 2.6")).sha256 != criteria.sha256


def test_a_set_from_before_the_key_over_keeps_its_digest(tmp_path):
    """Scores of old evidence print it; the recorded ones hold it."""
    criteria = _read(tmp_path, SMALL)
    assert _read(tmp_path, SMALL.replace("metric: mean", "metric: mean\n    over: median_window")).sha256 == criteria.sha256
    recorded = json.loads((Path(__file__).parents[1] / "recorded" / "demo" / "scores.json").read_text(encoding="utf-8"))["criteria_set"]
    assert read_criteria(SHIPPED[0].with_name("demo-v1.yaml")).sha256 == recorded["sha256"]


VERSION_2 = [path for path in SHIPPED if read_criteria(path).version == "2"]


@pytest.mark.parametrize("path", VERSION_2, ids=lambda path: path.stem)
def test_version_2_takes_the_mean_of_windows_for_shares_says_when_states_are_final_and_lists_shared_hosts(path):
    new, old = read_criteria(path), read_criteria(path.with_name(f"{path.stem.removesuffix('-v2')}-v1.yaml"))
    assert (new.version, old.version) == ("2", "1")
    assert {c.id for c in new.criteria if c.over == "mean_of_windows"} == {
        "concurrent-peak", "visits-search", "visits-submit", "visits-pay", "payments-confirmed",
    }  # fmt: skip
    assert {c.over for c in old.criteria} == {"median_window"}
    as_before = [criterion.model_copy(update={"over": "median_window"}) for criterion in new.criteria]
    assert set(new.states) == {"blocked", "unreachable", "unproven", "address_limit", "announced_maintenance"}
    assert {state.basis for state in new.states.values()} == {"assumed"}
    assert (new.maintenance_notice.hours, new.maintenance_notice.basis) == (24, "assumed")
    without = {"states": {}, "maintenance_notice": None, "shared": None}
    assert new.model_copy(update={"version": "1", "criteria": tuple(as_before), **without}) == old
    assert (new.shared_owners, old.shared_owners) == ({"identity", "payment"}, None)


@pytest.mark.parametrize("name", ["473-qd-btttt-2024", "cong-dvc-2023"])
def test_version_3_counts_probes_and_doubts_the_path_and_changes_nothing_else(name):
    new, old = (read_criteria(SHIPPED[0].with_name(f"{name}{version}.yaml")) for version in ("", "-v2"))
    assert (new.version, new.path_doubt.basis, new.probes.basis) == ("3", "assumed", "assumed")
    assert new.model_copy(update={"version": "2", "path_doubt": None, "probes": None}) == old


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("portals: 3", "portals: 2", "path_doubt.portals"),  # two portals could excuse themselves
        ("share: 0.8", "share: 0.5", "path_doubt.share"),
        ("slower: 1.5", "slower: 1", "path_doubt.slower"),
        ("day: [8, 17]", "day: [17, 8]", "probes"),
        ("hours: 20", "hours: 25", "probes.hours"),
    ],
)
def test_limits_that_would_excuse_a_portal_or_make_no_sense_are_refused(tmp_path, old, new, key):
    text = SHIPPED[0].with_name("473-qd-btttt-2024.yaml").read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(CatalogError, match=key):
        _read(tmp_path, text.replace(old, new, 1))


SHARED = {
    "roles": {"identity": {"basis": "assumed", "source": "x"}},
    "lost_max": {"value": 0.05, "basis": "assumed", "source": "x"},
}


@pytest.mark.parametrize(
    ("hosts", "role", "owner", "origin", "shared"),
    [
        (None, "identity", "identity", "https://id.example.invalid:443", True),
        (None, "identity", "portal", "https://id.example.invalid:443", False),
        (None, "login", "identity", "https://id.example.invalid:443", False),  # an operator's own login, by whatever name
        (None, "payment", "payment", "https://pay.example.invalid:443", False),
        (["id.example.invalid"], "identity", "identity", "https://id.example.invalid:8443", True),
        (["id.example.invalid:443"], "identity", "identity", "https://id.example.invalid:8443", False),
        (["id.example.invalid"], "identity", "identity", "https://sso.province.example.invalid:443", False),
    ],
)
def test_a_host_is_shared_by_its_role_its_owner_and_its_name(hosts, role, owner, origin, shared):
    listed = {**SHARED["roles"]["identity"], **({} if hosts is None else {"hosts": hosts})}
    assert SharedHosts.model_validate({**SHARED, "roles": {"identity": listed}}).has(role, owner, origin) is shared


@pytest.mark.parametrize(
    "changes",
    [{"roles": {}}, {"roles": {"portal": SHARED["roles"]["identity"]}}, {"lost_max": {**SHARED["lost_max"], "value": 1}}],
)
def test_a_list_of_shared_hosts_is_checked(changes):
    with pytest.raises(ValidationError):
        SharedHosts.model_validate(SHARED | changes)


def test_an_empty_list_of_names_and_a_name_with_a_scheme_are_refused():
    for hosts in ([], ["https://id.example.invalid"]):
        with pytest.raises(ValidationError):
            SharedHosts.model_validate({**SHARED, "roles": {"identity": {**SHARED["roles"]["identity"], "hosts": hosts}}})


def test_a_selection_prints_what_it_takes(tmp_path):
    text = textwrap.dedent(SMALL).replace("journey: [search]", "journey: [submit], goal: [file], step: [submit], owner: any")
    select = _read(tmp_path, text).criteria[0].select
    assert str(select) == "journey submit, goal file: submit; stage typical; time at every host"
    assert select.takes("submit", "file", "submit")
    assert not select.takes("submit", "pay", "submit")
    assert not select.takes("pay", "file", "submit")
