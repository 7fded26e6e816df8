"""A catalog for a portal of one's own: from a capture or for a shipped platform, by options or by questions, all files or none."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from harness.cli import main, starting
from harness.errors import UsageError
from harness.operations.authoring.new_catalog import portal_files, write_catalog
from harness.operations.authoring.own_portal import OwnPortal
from harness.operations.authoring.validation import validate_catalog
from harness.operations.shipped import scenarios_folder
from tests.html_site import in_a_thread
from tests.operations.ticket_site import ACCOUNTS, MAIL, NOTE, TicketSite, recorded_visit


@pytest.fixture(scope="module")
def site() -> Iterator[TicketSite]:
    with in_a_thread(TicketSite()) as running:
        yield running


@pytest.fixture(scope="module")
def capture(site: TicketSite, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("capture") / "tickets.har"
    path.write_text(json.dumps(recorded_visit(site)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def made(capture: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The catalog of the capture, as a script makes it. It is only read."""
    folder = tmp_path_factory.mktemp("made") / "my"
    done = init(folder, "--har", capture, "--portal", "tickets", "--sandbox")
    assert done.exit_code == 0, done.output
    return folder


def init(folder: Path, *options: str | Path, said: str = "") -> Result:
    return CliRunner().invoke(main, ["init", str(folder), *map(str, options)], input=said)


def test_a_capture_becomes_a_catalog_that_walks_as_it_is(
    site: TicketSite, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts = tmp_path / "accounts.csv"
    accounts.write_text("user_name,password\n" + "".join(f"{name},{word}\n" for name, word in ACCOUNTS.items()), encoding="utf-8")
    monkeypatch.setenv("TICKETS_ACCOUNTS", str(accounts))
    before = len(site.tickets)
    command = [sys.executable, "-m", "harness.cli", "walk", "tickets", "--catalog", str(made)]
    walked = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert walked.returncode == 0, walked.stdout + walked.stderr
    ours = [ticket for number, ticket in site.tickets.items() if number > before]
    assert "pay: left out, since the profile declares pay absent" in walked.stdout
    (ticket,) = ours
    assert ticket["closed"]
    assert ticket["title"].startswith("Kiểm thử ")
    assert ticket["mail"].endswith("@example.invalid")


def test_nothing_of_the_person_who_recorded_is_written(made: Path) -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in made.rglob("*") if path.is_file())
    assert not [word for word in (MAIL, NOTE, ACCOUNTS["an"]) if word in text]
    assert "user_name,password" in text  # the columns of the accounts' file, which stands elsewhere
    assert "test_identities: env:TICKETS_ACCOUNTS" in text


def test_a_withdrawal_of_a_draft_knows_the_receipt_alone(made: Path) -> None:
    drafted = yaml.safe_load((made / "platforms" / "tickets-pages.yaml").read_text(encoding="utf-8"))
    steps = drafted["goals"]["withdraw"]["steps"]
    assert [step["step"] for step in steps] == ["log_in", "track", "withdraw"]
    assert steps[0]["once"] is True
    assert steps[1]["requests"][0]["get"] == "{{ origin.portal }}/ticket/{{ receipt }}"
    *_, previewed, submitted = (request for step in drafted["goals"]["file"]["steps"] for request in step["requests"])
    assert previewed["let"] == {"title": "Kiểm thử {{ run }}-{{ visit }}-{{ unique_hex(8) }}"}  # a script's preview files nothing
    assert "receipt" not in previewed
    assert submitted["receipt"] == {"code": "{{ receipt }}", "keep": ["title"]}
    assert submitted["extract"]["receipt"] == {"url": "/ticket/([^/?#;]+)"}


def test_the_limits_let_the_suggested_workload_run_whole(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    permission = yaml.safe_load((made / "authorisations" / "tickets.yaml").read_text(encoding="utf-8"))
    needed = permission["citizens_in_flight_max"]
    assert f"Workload smoke needs {needed}, one for each citizen at a time." in (made / "left-to-do.md").read_text(encoding="utf-8")
    accounts = tmp_path / "accounts.csv"
    accounts.write_text("user_name,password\n" + "".join(f"citizen{number},x\n" for number in range(needed)), encoding="utf-8")
    monkeypatch.setenv("TICKETS_ACCOUNTS", str(accounts))
    planned = CliRunner().invoke(main, ["sweep", "tickets", "--workload", "smoke", "--dry-run", "--catalog", str(made)])
    assert planned.exit_code == 0, planned.output
    assert "instead of" not in planned.output  # no stage is left out for a limit
    assert "WARNING" not in planned.output  # nobody else reads the log of this machine, or asks where it is measured from
    assert (
        len(re.findall(r"visits/s a portal|lượt/giây mỗi hệ thống", planned.output)) == 2
    )  # search and submit: its profile declares pay absent


def test_a_limit_below_the_need_of_the_workload_is_told_at_once(capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = init(tmp_path / "my", "--har", capture, "--portal", "tickets", "--sandbox", "--citizens", "10")
    assert made.exit_code == 0, made.output
    assert "1. Limits. Workload smoke needs more than you permit by `citizens_in_flight_max: 10` (it needs 20)" in made.output
    accounts = tmp_path / "accounts.csv"
    accounts.write_text("user_name,password\nan,x\n", encoding="utf-8")
    monkeypatch.setenv("TICKETS_ACCOUNTS", str(accounts))
    planned = CliRunner().invoke(main, ["sweep", "tickets", "--workload", "smoke", "--dry-run", "--catalog", str(tmp_path / "my")])
    assert "expected at least 10, one for each citizen in flight; 20 with the load that this limit leaves out" in planned.output


def test_the_questions_are_asked_on_a_terminal(capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "is_asked", lambda: True)
    said = "office\nPhòng vé\n\n\n\n5\n\ny\n"  # id, names, level, address, citizens, requests a second, sandbox
    made = init(tmp_path / "my", "--har", capture, said=said)
    assert made.exit_code == 0, made.output
    catalog, problems = validate_catalog(scenarios_folder(), tmp_path / "my")
    assert problems == []
    permission = catalog.authorisations["office"]
    assert (catalog.portals["office"].name_vi, catalog.portals["office"].name_en) == ("Phòng vé", "Phòng vé")
    assert (permission.citizens_in_flight_max, permission.payment_sandbox is not None) == (5, True)


def test_a_goal_that_cannot_be_drafted_whole_is_left_out_and_kept_as_comments(site: TicketSite, tmp_path: Path) -> None:
    recorded = recorded_visit(site)
    filing = next(number for number, entry in enumerate(recorded["log"]["entries"]) if entry["request"]["url"].endswith("/new"))
    recorded["log"]["entries"] = recorded["log"]["entries"][: filing + 1]  # the form is open; nothing was filed
    (tmp_path / "short.har").write_text(json.dumps(recorded), encoding="utf-8")
    made = init(tmp_path / "my", "--har", tmp_path / "short.har", "--portal", "tickets")
    assert made.exit_code == 0, made.output
    assert "Goal file. It is declared absent for now" in made.output
    assert "Goals. Your visit shows nothing of pay, track, withdraw: " in made.output
    assert "Until then all that is filed stays" in made.output
    assert "Search. Your visit searched for nothing" not in made.output
    profile = (tmp_path / "my" / "platforms" / "tickets-pages.yaml").read_text(encoding="utf-8")
    assert set(yaml.safe_load(profile)["goals"]) == {"find"}
    assert "#   file:\n#     steps:\n" in profile
    assert validate_catalog(scenarios_folder(), tmp_path / "my")[1] == []


REAL = (
    "--platform", "opencps", "--portal", "tinh-a", "--address", "https://dvc.example.invalid", "--host", "identity=https://sso.example.invalid",
    "--host", "payment=https://pay.example.invalid", "--contact", "test@example.invalid", "--hours", "00:00-24:00", "--citizens", "20",
    "--requests-per-s", "30", "--dossiers", "40",
)  # fmt: skip


def test_a_host_elsewhere_stays_refused_until_a_person_fills_the_draft_in(tmp_path: Path) -> None:
    made = init(tmp_path / "my", *REAL, "--sandbox")
    assert made.exit_code == 0, made.output
    assert (
        "is a draft: https://dvc.example.invalid, https://sso.example.invalid, https://pay.example.invalid will get no request"
        in made.output
    )
    catalog = ["--catalog", str(tmp_path / "my")]
    assert CliRunner().invoke(main, ["validate", *catalog]).exit_code == 0
    path = tmp_path / "my" / "authorisations" / "tinh-a.yaml"
    written = path.read_text(encoding="utf-8")
    for text in (written, written.replace("2000-01-02T", "2999-01-02T")):  # the days alone are not enough
        path.write_text(text, encoding="utf-8")
        refused = CliRunner().invoke(main, ["sweep", "tinh-a", "--workload", "smoke", "--dry-run", *catalog])
        assert refused.exit_code == 4
        assert "tinh-a.draft is true; expected a permission that the owners of https://dvc.example.invalid" in refused.output
    signed = written.replace("draft: true\n", "").replace("2000-01-02T", "2999-01-02T")
    path.write_text(signed, encoding="utf-8")
    planned = CliRunner().invoke(main, ["sweep", "tinh-a", "--workload", "smoke", "--dry-run", *catalog])
    assert planned.exit_code == 0, planned.output


def test_a_script_is_told_every_option_that_it_left_out(tmp_path: Path) -> None:
    made = init(tmp_path / "my", "--platform", "opencps", "--portal", "a", "--address", "https://dvc.example.invalid")
    assert made.exit_code == 2
    for option in ("--host identity=ORIGIN", "--host payment=ORIGIN"):
        assert f"command line: {option} is missing" in made.output
    made = init(tmp_path / "my", *REAL[:10])
    assert [option for option in ("--contact", "--hours", "--citizens", "--requests-per-s", "--dossiers") if f"{option} is missing" in made.output] == [
        "--contact", "--hours", "--citizens", "--requests-per-s", "--dossiers"
    ]  # fmt: skip
    assert not (tmp_path / "my").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--platform", "opencp", *REAL[2:]), "--platform is opencp; expected one of"),
        ((*REAL, "--har", "x.har"), "--har, --platform, --from-bundle is several, or none"),
        ((), "--har, --platform, --from-bundle is several, or none"),
        (("--har", "nothing.har"), "nothing.har"),
        ((*REAL[:4], "--address", "https://dvc.example.invalid/path", *REAL[6:]), "--address is https://dvc.example.invalid/path"),
        ((*REAL, "--host", "identiti=https://a.example.invalid"), "--host is identiti=https://a.example.invalid"),
        ((*REAL, "--hours", "25:00-05:00"), "--hours is '25:00-05:00'"),
        ((*REAL, "--contact", "nobody"), "--contact is 'nobody'"),
        ((*REAL, "--portal", "Tỉnh A"), "--portal is 'Tỉnh A'"),
        *(
            ((*REAL, "--portal", given), f"--portal is {given!r}; expected small letters a to z, digits and hyphens, at most 100 characters")
            for given in ("../../victim", "shop/x", "/etc/shop", "..", "Shop", "-shop", "shop\n", "a" * 101)
        ),
        *(
            ((*REAL[:4], "--address", given, *REAL[6:]), f"--address is {given}; expected scheme, name and port only, for example http://127.0.0.1:8080. {why}.")
            for given, why in (
                ("https://a.example.invalid/x", "Leave out the path and all behind it"),
                ("127.0.0.1:8080", "There is no http:// or https:// before it"),
                ("http://127.0.0.1:0", "Its port is '0', and ports are 1 to 65535"),
                ("http://127.0.0.1:65536", "Its port is '65536', and ports are 1 to 65535"),
                ("http://[::1]:abc", "Its port is 'abc', and ports are 1 to 65535"),
                ("ftp://a.example.invalid", "Its scheme is 'ftp', not http or https"),
                ("http://an@a.example.invalid", "It holds a user name or a password, which is never sent"),
                ("http://", "It names no host"),
                ("http://127.1", "Its host and port are not in their usual spelling"),
            )
        ),
        ((*REAL, "--host", "payment=https://b.example.invalid"), "--host is payment given twice; expected each role once"),
        ((*REAL, "--workload", "smok"), "Did you mean `smoke` or `soak`?"),
        ((*REAL, "--criteria", "none-such"), "--criteria is none-such"),
    ],
)  # fmt: skip
def test_wrong_options_write_nothing(options: tuple[str, ...], said: str, tmp_path: Path) -> None:
    made = init(tmp_path / "my", *options)
    assert made.exit_code == 2, made.output
    assert said in made.output
    assert list(tmp_path.iterdir()) == []


def test_an_id_leads_to_no_file_elsewhere(capture: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim.yaml"
    victim.write_text("mine\n", encoding="utf-8")
    before = [*tmp_path.iterdir()]
    for source in (("--har", capture), REAL):
        made = init(tmp_path / "my", *source, "--portal", "../../victim")
        assert made.exit_code == 2, made.output
    drafted = CliRunner().invoke(main, ["draft", str(capture), "--id", "../x", "--out", str(tmp_path / "x.yaml")])
    assert "--id is '../x'; expected small letters a to z" in drafted.output
    assert (victim.read_text(encoding="utf-8"), [*tmp_path.iterdir()]) == ("mine\n", before)
    own = OwnPortal("../../victim", "a", "a", "sample", "opencps", "", (), 1, 1.0)
    with pytest.raises(UsageError, match="a file outside of the folder"):
        write_catalog(tmp_path / "my", portal_files(own, {}), own, prune=False)
    assert (victim.read_text(encoding="utf-8"), [*tmp_path.iterdir()]) == ("mine\n", before)


def test_without_a_terminal_a_line_says_that_nobody_was_asked(tmp_path: Path) -> None:
    said = "nobody was asked whether citizens may file and pay there"
    assert said in init(tmp_path / "without", *REAL).output
    assert said not in init(tmp_path / "with", *REAL, "--sandbox").output


def test_nothing_is_written_over(capture: Path, tmp_path: Path) -> None:
    kept = tmp_path / "notes.txt"
    kept.write_text("mine", encoding="utf-8")
    for folder in (tmp_path, kept):
        made = init(folder, "--har", capture)
        assert made.exit_code == 2
        assert "there already; expected a new folder, or an empty one" in made.output
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    assert kept.read_text(encoding="utf-8") == "mine"
    empty = tmp_path / "empty"
    empty.mkdir()
    assert init(empty, "--har", capture).exit_code == 0
