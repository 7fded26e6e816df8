"""The shipped registry, authorisations and targets, and what `load_catalog` says of broken files."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import yaml

from harness.catalog import Target, authorised_target, embedded_target, is_loopback, load_catalog, origin_of, read_catalog
from harness.catalog.target import identities_of
from harness.errors import AuthorisationError, CatalogError, EnvironmentFault

SCENARIOS = Path(__file__).parents[2] / "scenarios"
CATALOG = load_catalog(SCENARIOS)
HANOI = timezone(timedelta(hours=7))


def test_the_sets_have_their_portals() -> None:
    assert len(CATALOG.sets["2024"]) == 84
    assert len(CATALOG.sets["provinces-2025"]) == 34
    assert CATALOG.sets["demo"] == ("fast", "ordinary", "slow", "collapsing", "failing-payments", "refusing")
    levels = [CATALOG.portals[name].level for name in CATALOG.sets["2024"]]
    assert (levels.count("ministry"), levels.count("province")) == (21, 63)
    assert {CATALOG.portals[name].level for name in CATALOG.sets["provinces-2025"]} == {"province"}


def test_each_version_of_a_set_has_a_name_and_the_plain_id_is_the_newest() -> None:
    for name, newest in (("473-QD-BTTTT-2024", "3"), ("cong-dvc-2023", "3"), ("demo", "2")):
        assert [CATALOG.criteria[f"{name}@{number}"].version for number in ("1", newest)] == ["1", newest]
        assert CATALOG.criteria[name] is CATALOG.criteria[f"{name}@{newest}"]


def test_a_set_of_ones_own_is_meant_by_its_plain_id_whatever_its_version(tmp_path: Path) -> None:
    (tmp_path / "criteria").mkdir()
    mine = (SCENARIOS / "criteria" / "demo.yaml").read_text(encoding="utf-8")
    for version in ("1.9", "1.10"):
        text = mine.replace('version: "2"', f'version: "{version}"').replace('name_en: "', 'name_en: "Mine, ', 1)
        (tmp_path / "criteria" / f"mine-{version}.yaml").write_text(text, encoding="utf-8")
    catalog = load_catalog(SCENARIOS, tmp_path)
    assert catalog.criteria["demo"].version == "1.10"
    assert catalog.criteria["demo@2"].name_en == CATALOG.criteria["demo"].name_en
    (tmp_path / "criteria" / "again.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(CatalogError, match=r"'demo@1\.10'"):
        load_catalog(SCENARIOS, tmp_path)


def test_every_portal_says_on_what_it_stands() -> None:
    for name in {*CATALOG.sets["2024"], *CATALOG.sets["provinces-2025"]}:
        portal = CATALOG.portals[name]
        assert portal.membership_basis.startswith(("2024: ", "provinces-2025: "))
        assert portal.embedded_platform in CATALOG.platforms
        assert (portal.platform == "unknown") == (portal.platform_basis == "")
        for figure in portal.daily.values():
            assert figure.basis in ("official", "borrowed", "assumed", "calculated")
            assert figure.source
        if portal.platform in CATALOG.platforms:
            assert portal.embedded_platform == portal.platform
    both = CATALOG.portals["can-tho"].membership_basis
    assert "2024: official" in both
    assert "provinces-2025: official" in both
    ministry = CATALOG.portals["bo-y-te"]
    assert ministry.membership_basis.startswith("2024: assumed")


def test_all_families_are_played_and_unknown_ones_in_turn() -> None:
    played = [CATALOG.portals[name].embedded_platform for name in CATALOG.sets["2024"]]
    assert set(played) == {"liferay", "national", "igate-formio", "igate-php", "eform", "opencps"}
    assert min(played.count(family) for family in set(played)) >= 8


def test_no_real_host_is_in_the_catalog() -> None:
    for path in SCENARIOS.rglob("*"):
        if path.is_file() and path.suffix in (".yaml", ".py", ".csv"):
            assert not re.search(r"https?://(?!127\.0\.0\.1|localhost)", path.read_text(encoding="utf-8")), path
            if path.parent.name in ("portals", "platforms", "scenarios"):
                assert "gov.vn" not in path.read_text(encoding="utf-8"), path


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://Example.VN/a?b", "http://example.vn:80"), ("https://a.b:8443", "https://a.b:8443"), ("http://[::1]:80/", "http://[::1]:80"),
        ("HTTPS://a.b.", "https://a.b:443"),
    ],
)  # fmt: skip
def test_origins_have_one_form(url: str, origin: str) -> None:
    assert origin_of(url) == origin


def test_what_is_loopback() -> None:
    assert all(map(is_loopback, ("http://127.0.0.1:1", "http://127.9.9.9:1", "http://[::1]:1", "http://localhost:1")))
    assert not any(map(is_loopback, ("http://127.0.0.1.nip.io:1", "http://0.0.0.0:1", "http://10.0.0.1:1", "http://localhost.vn:1")))
    with pytest.raises(ValueError, match="no http"):
        origin_of("ftp://a/b")


def test_embedded_targets_are_loopback_only() -> None:
    portal = CATALOG.portals["fast"]
    target = embedded_target(
        portal, {"portal": "http://127.0.0.1:1000", "identity": "http://127.0.0.1:1001", "payment": "http://127.0.0.1:1002"}
    )
    assert [target.owners.get(f"http://127.0.0.1:{port}") for port in (1000, 1001, 1002, 1003)] == ["portal", "identity", "payment", None]
    assert target.allowed("http://127.0.0.1:1002")
    assert not target.allowed("http://127.0.0.1:1003")
    with pytest.raises(AuthorisationError, match=r"http://192\.0\.2\.1"):
        embedded_target(portal, {"portal": "http://192.0.2.1:80"})


AUTHORISATION = """
id: thu-nghiem
portal: binh-dinh
platform: igate-formio
reference: "Công văn thử nghiệm số 0"
granted_by: "Cơ quan không có thật"
valid_from: 2026-11-01T20:00:00+07:00
valid_to: 2026-11-30T05:00:00+07:00
citizens_in_flight_max: 200
requests_per_s_max: 100
hosts:
  - {origin: "https://portal.example.invalid"}
  - {origin: "https://id.example.invalid:8443", role: identity, owner: identity}
  - {origin: "https://pay.example.invalid", role: payment, owner: payment}
payment_sandbox: {origin: "https://pay.example.invalid"}
test_identities: "file:%s"
secrets: {key: "env:HARNESS_TEST_SECRET"}
"""


@pytest.mark.parametrize(
    "saved", [b"KHOA-THU", b"\xef\xbb\xbfKHOA-THU\r\n", b"KHOA-THU\n\n", "KHOA-THU\r\n".encode("utf-16"), b"  KHOA-THU\r"]
)
def test_a_secret_is_read_as_editors_and_secret_stores_save_it(tmp_path: Path, saved: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key.txt").write_bytes(saved)
    target = Target("p", "p", {}, {}, None, {"file": f"file:{tmp_path}/key.txt", "variable": "env:HARNESS_TEST_SECRET"})
    assert target.secret("file") == "KHOA-THU"
    if not saved.startswith(b"\xff"):
        monkeypatch.setenv("HARNESS_TEST_SECRET", saved.decode())
        assert target.secret("variable") == "KHOA-THU"


@pytest.mark.parametrize(("saved", "why"), [(b"\xef\xbb\xbf\r\n", "empty at file:"), (b"\xc3\x28", "not a text at file:")])
def test_a_secret_that_is_none_is_refused(tmp_path: Path, saved: bytes, why: str) -> None:
    (tmp_path / "key.txt").write_bytes(saved)
    with pytest.raises(EnvironmentFault, match=why):
        Target("p", "p", {}, {}, None, {"key": f"file:{tmp_path}/key.txt"}).secret("key")


def users_catalog(folder: Path, text: str) -> Path:
    (folder / "authorisations").mkdir(exist_ok=True)
    (folder / "authorisations" / "a.yaml").write_text(text, encoding="utf-8")
    return folder


def test_real_hosts_enter_by_an_authorisation_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    people = tmp_path / "people.csv"
    people.write_text("citizen_number,name,password\n000000000001,Thử Nghiệm Một,x\n", encoding="utf-8")
    catalog = load_catalog(SCENARIOS, users_catalog(tmp_path, AUTHORISATION % people))
    within = datetime(2026, 11, 22, 22, tzinfo=HANOI)
    found = list(catalog.authorisations.values())
    target = authorised_target(catalog.portals["binh-dinh"], found, within)
    assert target.origins["portal"] == "https://portal.example.invalid:443"
    assert target.owners["https://id.example.invalid:8443"] == "identity"
    assert not target.allowed("https://example.invalid:443")
    assert target.identities[0]["name"] == "Thử Nghiệm Một"
    assert target.authorisation is found[0]
    monkeypatch.setenv("HARNESS_TEST_SECRET", "bí mật")
    assert target.secret("key") == "bí mật"
    assert "bí mật" not in repr(target)
    monkeypatch.delenv("HARNESS_TEST_SECRET")
    with pytest.raises(EnvironmentFault, match="nothing at env:HARNESS_TEST_SECRET"):
        target.secret("key")
    with pytest.raises(EnvironmentFault, match="not declared"):
        target.secret("other")
    for moment in (within - timedelta(days=30), within + timedelta(days=30)):
        with pytest.raises(AuthorisationError, match="thu-nghiem"):
            authorised_target(catalog.portals["binh-dinh"], found, moment)
    with pytest.raises(AuthorisationError, match="without an authorisation"):
        authorised_target(catalog.portals["ha-noi"], found, within)


def test_accounts_whose_variable_is_not_set_are_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_ACCOUNTS", raising=False)
    catalog = load_catalog(SCENARIOS, users_catalog(tmp_path, AUTHORISATION.replace("file:%s", "env:NO_SUCH_ACCOUNTS")))
    with pytest.raises(EnvironmentFault, match=r"nothing at env:NO_SUCH_ACCOUNTS; .* Set the variable: export NO_SUCH_ACCOUNTS=/path/to/"):
        identities_of(catalog.authorisations["thu-nghiem"])


@pytest.mark.parametrize(
    ("old", "new", "key", "expected"),
    [
        ("https://portal.example.invalid", "https://portal.example.invalid/path", "hosts.0.origin", "an origin"),
        ("payment_sandbox: {", "# {", "file", "payment_sandbox"),
        ("2026-11-30T05:00:00+07:00", "2026-10-30T05:00:00+07:00", "file", "later than"),
        ("2026-11-30T05:00:00+07:00", "2026-11-30T05:00:00", "valid_to", "timezone"),
        ("env:HARNESS_TEST_SECRET", "mật-khẩu-thật", "secrets.key", "a reference"),
        ("portal: binh-dinh", "portal: binh-dnih", "portal", "the id of a portal"),
        ("platform: igate-formio", "platform: igate", "platform", "a platform with a profile"),
        ("role: identity, owner", "role: login, owner", "hosts", "a host for each role"),
    ],
)
def test_what_is_wrong_with_an_authorisation(tmp_path: Path, old: str, new: str, key: str, expected: str) -> None:
    _, problems = read_catalog(SCENARIOS, users_catalog(tmp_path, (AUTHORISATION % "x").replace(old, new)))
    assert [problem.key for problem in problems] == [key]
    assert expected in problems[0].expected
    assert problems[0].file.endswith("a.yaml")
    assert problems[0].line > 0


def test_an_id_of_the_users_replaces_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "portals").mkdir()
    portal = {"id": "fast", "name_vi": "Của tôi", "name_en": "Mine", "level": "sample", "embedded_platform": "eform"}
    (tmp_path / "portals" / "mine.yaml").write_text(yaml.safe_dump({"portals": [portal]}), encoding="utf-8")
    catalog = load_catalog(SCENARIOS, tmp_path)
    assert catalog.portals["fast"].name_en == "Mine"
    assert len(catalog.portals) == len(CATALOG.portals)
    (tmp_path / "portals" / "again.yaml").write_text(yaml.safe_dump({"portals": [portal]}), encoding="utf-8")
    with pytest.raises(CatalogError, match="It is taken at"):
        load_catalog(SCENARIOS, tmp_path)


def test_folders_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="a folder with portals/"):
        load_catalog(SCENARIOS, tmp_path)
    with pytest.raises(CatalogError, match="not there"):
        load_catalog(SCENARIOS, tmp_path / "gone")


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("platforms/site.YAML", r"platforms/site\.YAML: file is named site\.YAML; expected a name that ends in \.yaml or \.yml"),
        ("platforms/site.yaml.txt", r"expected a name that ends in \.yaml or \.yml"),
        ("platforms/old/site.yaml", r"platforms/old: folder is a folder with YAML files; expected all files in platforms/ itself"),
        ("platform/site.yaml", r"platform: folder is a name that no kind has; expected platforms/"),
        ("Portals/site.yml", r"Portals: folder is a name that no kind has; expected portals/"),
    ],
)
def test_a_file_that_would_not_be_read_is_named(tmp_path: Path, place: str, said: str) -> None:
    (tmp_path / "walls").mkdir()
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).write_text("id: site\n", encoding="utf-8")
    with pytest.raises(CatalogError, match=said) as wrong:
        load_catalog(SCENARIOS, tmp_path)
    assert len(wrong.value.problems) == 1


@pytest.mark.parametrize("place", ["platforms/site.yaml~", "platforms/.old/site.yaml", "platforms/pools/a.csv", "platforms-old/site.yaml"])
def test_a_file_that_nobody_means_to_be_read_is_left_alone(tmp_path: Path, place: str) -> None:
    (tmp_path / "platforms").mkdir()
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).write_text("id: site\n", encoding="utf-8")
    load_catalog(SCENARIOS, tmp_path)


def test_the_registry_agrees_with_itself() -> None:
    names = [portal.name_vi for portal in CATALOG.portals.values()]
    assert len(names) == len(set(names))
    assert not [name for name in names if "\n" in name]
