"""What our own files lack is found before anything is sent: by `validate`, or by the check of a plan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.catalog import load_catalog
from harness.errors import CatalogError
from harness.operations.authoring.validation import validate_catalog
from harness.operations.provisions import check_provisions
from harness.records import NotPermitted, Plan, PlannedTarget, PlannedWindow, Round, RoundRecord, Slot, SlotRecord, WindowRecord

SCENARIOS = Path(__file__).parents[2] / "scenarios"
ORIGIN = "http://127.0.0.1:9"
PORTAL = """portals:
  - {id: probe, name_vi: x, name_en: x, level: sample, platform: probe, platform_basis: a test, embedded_platform: probe}
"""
PLATFORM = """id: probe
name_vi: x
name_en: x
known_from: {source: a test}
absent: {file: a, pay: a, track: a, withdraw: a}
pools: {codes: {file: codes.csv}}
goals:
  find:
    gives: {procedure: "1"}
    steps:
      - step: search
        requests:
          - get: "{{ origin.portal }}/{{ take('codes').code }}"
            headers: {X-Key: "{{ secret('merchant') }}", X-Phone: "{{ person.phone_number }}"}
"""
AUTHORISATION = """id: own
portal: probe
reference: own machine
granted_by: x
valid_from: 2020-01-01T00:00:00+07:00
valid_to: 2100-01-01T00:00:00+07:00
citizens_in_flight_max: 10
requests_per_s_max: 10
hosts: [{origin: "http://127.0.0.1:9"}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for kind, name, text in (
        ("portals", "p.yaml", PORTAL), ("platforms", "probe.yaml", PLATFORM), ("platforms", "codes.csv", "code\n1\n2\n"),
        ("authorisations", "a.yaml", AUTHORISATION),
    ):  # fmt: skip
        (tmp_path / kind).mkdir(exist_ok=True)
        (tmp_path / kind / name).write_text(text, encoding="utf-8")
    return tmp_path


def plan_of(visits: int, results: Path) -> Plan:
    window = PlannedWindow(1, "typical", 1.0, 0.0, 10.0, {}, {"search": visits}, round=1)
    slot = Slot("probe", "probe-seed1", (window,), 10)
    target = PlannedTarget("probe", "probe", {"portal": ORIGIN}, "own")
    return Plan("s", 1, "poisson", "w", (target,), (Round(1, (slot,)),), 4.0, 4.0, {}, str(results), "2026-11-26")


def declared(folder: Path, more: str) -> None:
    (folder / "authorisations" / "a.yaml").write_text(AUTHORISATION + more, encoding="utf-8")


def test_a_plan_that_needs_more_than_our_files_hold_is_refused(folder: Path) -> None:
    catalog = load_catalog(SCENARIOS, folder)
    with pytest.raises(CatalogError) as wrong:
        check_provisions(plan_of(3, folder), catalog)
    pool, secret, person = map(str, wrong.value.problems)
    assert pool.startswith(
        f"{folder}/platforms/codes.csv: pools.codes of probe is 2 different rows; expected at least 3, one for each visit"
    )
    assert secret.startswith("authorisations/: secrets.merchant of probe is not declared")
    assert person.startswith("platform probe: person.phone_number is a name that nothing gives; expected one of address, ")


def test_the_visits_that_a_night_may_add_need_rows_too(folder: Path) -> None:
    (folder / "platforms" / "codes.csv").write_text("code\n" + "".join(f"{row}\n" for row in range(8)), encoding="utf-8")
    catalog = load_catalog(SCENARIOS, folder)
    for spare, needed in ((1, None), (2, 9)):
        with pytest.raises(CatalogError) as wrong:
            check_provisions(replace(plan_of(3, folder), spare_windows=spare), catalog)
        told = [str(problem) for problem in wrong.value.problems if problem.key.startswith("pools")]
        assert [f"expected at least {needed}, one for each visit" in line for line in told] == ([] if needed is None else [True])


def test_what_a_resumed_sweep_measures_once_more_needs_rows_of_its_own(folder: Path) -> None:
    (folder / "platforms" / "codes.csv").write_text("code\n" + "".join(f"{row}\n" for row in range(8)), encoding="utf-8")
    catalog, plan = load_catalog(SCENARIOS, folder), plan_of(3, folder)
    (slot,) = plan.rounds[0].slots
    window = WindowRecord(1, "typical", 1.0, 0.0, 10.0, {}, {"search": 3}, (), 1, 3)
    half = RoundRecord(
        1, 0, "001-00", 0, "2026-11-26T22:00:00+00:00", closed=False, members=(), incomplete=True,
        slots=(SlotRecord(slot.portal, slot.run, 10, (window,)),),
    )  # fmt: skip
    again = replace(half, part=100, name="001-100", slots=(replace(half.slots[0], windows=(replace(window, window=904, first_serial=3),)),))
    for rounds, needed in (((), None), ((half,), None), ((half, again), 9)):
        with pytest.raises(CatalogError) as wrong:
            check_provisions(plan, catalog, rounds)
        told = [str(problem) for problem in wrong.value.problems if problem.key.startswith("pools")]
        assert [f"expected at least {needed}, one for each visit" in line for line in told] == ([] if needed is None else [True])


def test_a_plan_whose_files_are_whole_is_let_through(folder: Path) -> None:
    (folder / "key.txt").write_bytes(b"\xef\xbb\xbfKEY\r\n")
    (folder / "people.csv").write_text("phone_number;name\n0123;Thử\n", encoding="utf-8-sig")
    declared(folder, f"secrets: {{merchant: 'file:{folder}/key.txt'}}\ntest_identities: 'file:{folder}/people.csv'\n")
    check_provisions(plan_of(2, folder), load_catalog(SCENARIOS, folder))


def test_validate_finds_secrets_and_values_that_nobody_gives(folder: Path) -> None:
    secret, person = sorted(validate_catalog(SCENARIOS, folder)[1], key=lambda problem: problem.key, reverse=True)
    assert (secret.key, secret.value) == ("secrets.merchant", "missing")
    assert secret.expected == "`env:NAME` or `file:PATH`, since platform probe uses secret('merchant')"
    assert (person.file, person.key, person.value) == (f"{folder}/platforms/probe.yaml", "person.phone_number", "a name that nothing gives")
    declared(folder, "secrets: {merchant: 'env:MERCHANT'}\ntest_identities: 'env:PEOPLE'\n")
    assert not validate_catalog(SCENARIOS, folder)[1]


def test_an_unknown_value_of_a_person_has_its_line_and_identities_are_asked_for_their_columns(folder: Path) -> None:
    (folder / "people.csv").write_text("phone;name\n0123;Thử\n", encoding="utf-8")
    declared(folder, f"secrets: {{merchant: 'env:MERCHANT'}}\ntest_identities: 'file:{folder}/people.csv'\n")
    (person,) = validate_catalog(SCENARIOS, folder)[1]
    assert (person.file, person.line, person.key) == (f"{folder}/platforms/probe.yaml", 14, "person.phone_number")
    (folder / "people.csv").write_text("phone_number;name\n0123;Thử;x\n", encoding="utf-8")
    (table,) = validate_catalog(SCENARIOS, folder)[1]
    assert (table.file, table.line, table.value) == (str(folder / "people.csv"), 2, "3 cells, separated by semicolon")


@pytest.mark.parametrize(
    ("data", "key", "value"),
    [
        ("phone_number;name\n0123;Phường\n".encode("windows-1258", "replace"), "file", "unreadable (not UTF-8"),
        (b"PK\x03\x04", "file", "a workbook or a ZIP file"),
        (b"phone_number;name\n8.49E+10;a\n", "phone_number", "8.49E+10, a number that a spreadsheet has cut"),
        (b"phone_number;name\n 0123;a\n", "phone_number", "a value with a blank"),
    ],
)
def test_identities_that_cannot_be_sent_are_found(folder: Path, data: bytes, key: str, value: str) -> None:
    (folder / "people.csv").write_bytes(data)
    declared(folder, f"secrets: {{merchant: 'env:MERCHANT'}}\ntest_identities: 'file:{folder}/people.csv'\n")
    (found,) = validate_catalog(SCENARIOS, folder)[1]
    assert (found.file, found.key) == (str(folder / "people.csv"), key)
    assert found.value.startswith(value)


def test_an_empty_cell_that_would_be_sent_is_found(folder: Path) -> None:
    (folder / "people.csv").write_text("phone_number;name\n0123;Thử\n ;Thử\n", encoding="utf-8")
    (folder / "key.txt").write_text("KEY", encoding="utf-8")
    declared(folder, f"secrets: {{merchant: 'file:{folder}/key.txt'}}\ntest_identities: 'file:{folder}/people.csv'\n")
    (empty,) = validate_catalog(SCENARIOS, folder)[1]
    assert (empty.file, empty.value) == ("authorisations/ (own)", "no phone_number in row 2")
    with pytest.raises(CatalogError, match=r"no phone_number in row 2; expected a value in each row"):
        check_provisions(plan_of(2, folder), load_catalog(SCENARIOS, folder))


def test_accounts_are_as_many_as_citizens_at_once(folder: Path) -> None:
    profile = folder / "platforms" / "probe.yaml"
    profile.write_text(profile.read_text(encoding="utf-8").replace("person.phone_number", "person.password"), encoding="utf-8")
    (folder / "key.txt").write_text("KEY", encoding="utf-8")
    (folder / "people.csv").write_text("name;password\na;1\nb;2\n", encoding="utf-8")
    (folder / "platforms" / "codes.csv").write_text("code\n1\n2\n3\n", encoding="utf-8")
    declared(folder, f"secrets: {{merchant: 'file:{folder}/key.txt'}}\ntest_identities: 'file:{folder}/people.csv'\n")
    catalog = load_catalog(SCENARIOS, folder)
    check_provisions(plan_of(2, folder), catalog)
    with pytest.raises(CatalogError, match=r"2 different rows with a password; expected at least 3, one for each citizen in flight"):
        check_provisions(plan_of(3, folder), catalog)
    plan = plan_of(3, folder)
    partly = replace(plan.targets[0], not_permitted=(NotPermitted("citizens_in_flight_max", 10, 26, stage="peak"),))
    with pytest.raises(CatalogError, match="at least 3, one for each citizen in flight; 26 with the load that this limit leaves out"):
        check_provisions(replace(plan, targets=(partly,)), catalog)


def test_identities_of_which_nothing_would_be_used_are_refused(folder: Path) -> None:
    profile = folder / "platforms" / "probe.yaml"
    profile.write_text(profile.read_text(encoding="utf-8").replace("person.phone_number", "person.phone"), encoding="utf-8")
    (folder / "people.csv").write_text("so_dien_thoai;ho_ten\n0123;Thử\n", encoding="utf-8")
    declared(folder, f"secrets: {{merchant: 'env:MERCHANT'}}\ntest_identities: 'file:{folder}/people.csv'\n")
    (unused,) = validate_catalog(SCENARIOS, folder)[1]
    assert (unused.key, unused.value) == ("test_identities", "columns so_dien_thoai, ho_ten")
    assert unused.expected.startswith("at least one of address, birth_date, ")
