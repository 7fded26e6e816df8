"""`harness walk`: a line a step, every request with -v, one line a portal for a set, and what is there where it fails."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml

from harness.catalog import load_catalog
from tests.html_site import HtmlHandler, serving

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def walk(*arguments: str, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "harness.cli", "walk", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)


def test_each_request_is_a_line_and_dossiers_are_withdrawn(tmp_path: Path) -> None:
    done = walk("fast", "-v", "--save-pages", str(tmp_path / "pages"))
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "fast  Cổng mẫu – nhanh  (liferay, on the simulator)"
    journeys = [line.split(":")[0].strip() for line in lines if re.fullmatch(r"  \w+: .*", line)]
    assert journeys == ["search", "pay", "submit"]
    requests = [line for line in lines if re.search(r"(GET|POST) +http://127\.0\.0\.1:\d+/", line)]
    assert len(requests) > 40
    assert all(re.search(r"\d{3}  \d+ ms  hop \d", line) for line in requests)
    assert any("receipt = H" in line for line in lines)
    assert any("holds: status 2xx" in line for line in lines)
    receipt = next(line.partition(" = ")[2] for line in lines if "receipt = H" in line)
    assert any("holds: " in line and f"text '{{{{ receipt }}}}': '{receipt}'" in line for line in lines)
    assert sum("withdrawn = Đã rút hồ sơ" in line for line in lines) == 2
    steps = [found for line in lines if (found := re.fullmatch(r"    ✓ (\w+/\w+) +(\d+) requests? +\d+ ms", line))]
    assert len({step[1] for step in steps}) > 8
    assert sum(int(step[2]) for step in steps) == len(requests)
    assert len(list((tmp_path / "pages").iterdir())) == len(requests)
    assert lines[-1] == "1 of 1 portals walked"


def test_a_reader_who_has_seen_enough_sees_no_traceback() -> None:
    command = [sys.executable, "-u", "-m", "harness.cli", "walk", "fast", "--journey", "search"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as walking:
        assert walking.stdout is not None
        assert walking.stderr is not None
        assert walking.stdout.readline().startswith("fast  Cổng mẫu")
        walking.stdout.close()
        assert "Traceback" not in walking.stderr.read()
    assert walking.returncode == 1


def test_a_failure_stops_and_says_what_is_there(tmp_path: Path) -> None:
    profile = yaml.safe_load((SCENARIOS / "platforms" / "liferay.yaml").read_text(encoding="utf-8"))
    profile["goals"]["file"]["steps"][2]["requests"][0]["form"]["from_page"] = "form#aplicant"
    (tmp_path / "platforms").mkdir()
    (tmp_path / "platforms" / "liferay.yaml").write_text(yaml.safe_dump(profile, allow_unicode=True), encoding="utf-8")
    done = walk("fast", "--journey", "submit", "--catalog", str(tmp_path))
    assert done.returncode == 7
    before, _, after = done.stdout.partition("    ✗ file/fill_in: extraction: the page has no form form#aplicant")
    assert re.search(r"^    ✓ file/start_dossier +\d", before, re.MULTILINE)
    assert "http://" not in before  # the requests of steps that went well
    assert after, done.stdout
    there = done.stdout.partition("there is:")[2].splitlines()
    forms = [line.strip() for line in there if line.strip().startswith("form")]
    assert forms[0].startswith("form#applicant POST /web/dich-vu-cong/nop-ho-so/nguoi-nop")
    assert "_hoso_WAR_dvcportlet_hoTen=" in forms[0]
    assert "file/attach" not in done.stdout


def test_a_dossier_that_cannot_be_withdrawn_fails_the_walk(tmp_path: Path) -> None:
    profile = yaml.safe_load((SCENARIOS / "platforms" / "liferay.yaml").read_text(encoding="utf-8"))
    profile["goals"]["withdraw"]["steps"][-1]["requests"][-1]["form"]["from_page"] = "form#withdrawal"
    (tmp_path / "platforms").mkdir()
    (tmp_path / "platforms" / "liferay.yaml").write_text(yaml.safe_dump(profile, allow_unicode=True), encoding="utf-8")
    done = walk("fast", "--catalog", str(tmp_path))
    assert done.returncode == 7, done.stdout + done.stderr
    assert re.search(
        r"^    H\S+ could not be withdrawn: withdraw/\w+: extraction: the page has no form form#withdrawal$", done.stdout, re.MULTILINE
    )
    assert "0 of 1 portals walked" in done.stdout
    assert "  submit: " not in done.stdout  # the walk stops before it files another one


def test_what_a_profile_cannot_withdraw_is_named_with_the_reason(tmp_path: Path) -> None:
    profile = yaml.safe_load((SCENARIOS / "platforms" / "liferay.yaml").read_text(encoding="utf-8"))
    del profile["goals"]["withdraw"]
    profile["absent"] = {"withdraw": "only at the counter"}
    (tmp_path / "platforms").mkdir()
    (tmp_path / "platforms" / "liferay.yaml").write_text(yaml.safe_dump(profile, allow_unicode=True), encoding="utf-8")
    done = walk("fast", "--journey", "submit", "--catalog", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert " could not be withdrawn: the profile has no withdrawal (absent: only at the counter)\n" in done.stdout


def test_a_portal_that_refuses_is_named_as_such() -> None:
    done = walk("refusing", "--journey", "search")
    assert done.returncode == 7
    assert "✗ find/search: blocked: firewall" in done.stdout


class Refusal(HtmlHandler):
    """Says no with status 200, as an alert on the page."""

    def do_GET(self) -> None:
        self.answer(f"<h1>Nộp hồ sơ</h1><div role=alert>Số giấy tờ của <b>{unquote(self.path[1:])}</b> không hợp lệ</div>")


def test_a_failing_rule_is_shown_with_its_values_and_the_page_s_own_message(tmp_path: Path) -> None:
    with serving(Refusal) as port:
        catalog = {
            "portals/p.yaml": "portals: [{id: probe, name_vi: x, name_en: x, level: sample, platform: probe, platform_basis: a test, embedded_platform: probe}]",
            "platforms/probe.yaml": """{id: probe, name_vi: x, name_en: x, known_from: {source: a test}, absent: {file: a, pay: a, track: a, withdraw: a}, goals: {find: {
                gives: {procedure: "1"}, steps: [{step: search, requests: [{get: "{{ origin.portal }}/{{ urlencode(person.name) }}",
                expect: {require_text: "Đã nhận của {{ person.family_name }}"}}]}]}}}""",
            "authorisations/a.yaml": f"""{{id: own, portal: probe, reference: own machine, granted_by: x, valid_from: 2020-01-01T00:00:00+07:00,
                valid_to: 2100-01-01T00:00:00+07:00, citizens_in_flight_max: 1, requests_per_s_max: 9, hosts: [{{origin: "http://127.0.0.1:{port}"}}],
                test_identities: "file:{tmp_path}/people.csv"}}""",
            "people.csv": "name\nTrần Thử Nghiệm\n",
        }  # fmt: skip
        for file, text in catalog.items():
            (tmp_path / file).parent.mkdir(exist_ok=True)
            (tmp_path / file).write_text(text, encoding="utf-8")
        done = walk("probe", "--journey", "search", "--catalog", str(tmp_path))
    assert done.returncode == 7, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    (failed,) = [line.strip() for line in lines if "✗" in line]
    assert re.fullmatch(r"✗ find/search: wrong_content: text 'Đã nhận của \{\{ person\.family_name \}\}': 'Đã nhận của \w+'", failed)
    assert "    the page says: Số giấy tờ của ••• không hợp lệ" in lines


@pytest.mark.slow
@pytest.mark.parametrize(("name", "count"), [("2024", 84), ("provinces-2025", 34)])
def test_every_portal_of_a_set_walks_all_journeys(name: str, count: int) -> None:
    done = walk("--set", name, timeout_s=180)  # the limit is part of what is promised: under three minutes
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    portals = load_catalog(SCENARIOS).portals
    lines = done.stdout.splitlines()
    assert len(lines) == count + 1
    seen = {line.split()[0]: line.split()[1] for line in lines[:-1]}
    assert all(portals[portal].embedded_platform == family for portal, family in seen.items())
    assert len(set(seen.values())) == 6
    assert all(line.endswith("✓ search  ✓ pay  ✓ submit") for line in lines[:-1])


class Echo(HtmlHandler):
    """Shows what it was sent and what it gave, and what a terminal would obey."""

    def do_GET(self) -> None:
        self.answer(
            f"<title>\x1b]0;owned\x07\x9b31m</title><h1>a\u202eb</h1><p>{unquote(self.path)}</p><p>cookie-of-portal-1</p>"
            '<form id=f action="/x?access_token=token-of-portal-2"><input type=hidden name=csrf_token value="token-of-portal-3">'
            "<input type=password name=mk value='typed-4'></form><div role=alert>line\u2028error: \x1b[2Jforged</div>",
            Set_Cookie="JSESSIONID=cookie-of-portal-1",
        )


def test_secrets_are_blanked_and_what_a_terminal_obeys_is_visible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNTHETIC_KEY", "given/secret+0")
    with serving(Echo) as port:
        catalog = {
            "portals/p.yaml": "portals: [{id: probe, name_vi: x, name_en: x, level: sample, platform: probe, platform_basis: a test, embedded_platform: probe}]",
            "platforms/probe.yaml": """{id: probe, name_vi: x, name_en: x, known_from: {source: a test}, absent: {file: a, pay: a, track: a, withdraw: a}, goals: {find: {
                gives: {procedure: "1"}, steps: [{step: search, requests: [
                {get: "{{ origin.portal }}/a?key={{ urlencode(secret('key')) }}", extract: {csrf: {css: "input[name=csrf_token]", attr: value}, heading: {css: h1}}},
                {get: "{{ origin.portal }}/b", expect: {require_text: "never"}}]}]}}}""",
            "authorisations/a.yaml": f"""{{id: own, portal: probe, reference: own machine, granted_by: x, valid_from: 2020-01-01T00:00:00+07:00,
                valid_to: 2100-01-01T00:00:00+07:00, citizens_in_flight_max: 1, requests_per_s_max: 9, hosts: [{{origin: "http://127.0.0.1:{port}"}}],
                secrets: {{key: "env:SYNTHETIC_KEY"}}}}""",
        }  # fmt: skip
        for file, text in catalog.items():
            (tmp_path / file).parent.mkdir(exist_ok=True)
            (tmp_path / file).write_text(text, encoding="utf-8")
        done = walk("probe", "--journey", "search", "--catalog", str(tmp_path), "--save-pages", str(tmp_path / "saved"))
    assert done.returncode == 7, done.stdout + done.stderr
    saved = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "saved").iterdir())
    assert "heading = a\\u202eb" in done.stdout
    assert "csrf = •••" in done.stdout
    assert "title: \\u001b]0;owned\\u0007" in done.stdout
    assert "form#f GET" in done.stdout
    assert "•••" in saved
    for secret in ("given", "secret+0", "cookie-of-portal-1", "token-of-portal-2", "token-of-portal-3", "typed-4"):
        assert secret not in done.stdout + done.stderr
        assert secret not in saved
    obeyed = {sign for sign in done.stdout + done.stderr if not sign.isprintable()}
    assert obeyed == {"\n"}


def test_a_secret_that_is_not_there_is_told_before_anything_is_filed(tmp_path: Path) -> None:
    catalog = {
        "portals/p.yaml": "portals: [{id: probe, name_vi: x, name_en: x, level: sample, platform: probe, platform_basis: a test, embedded_platform: probe}]",
        "platforms/probe.yaml": """{id: probe, name_vi: x, name_en: x, known_from: {source: a test}, absent: {pay: a, track: a}, goals: {
            find: {gives: {procedure: "1"}, steps: [{step: search, requests: [{get: "{{ origin.portal }}/a"}]}]},
            file: {gives: {receipt: "{{ code }}"}, steps: [{step: submit, requests: [
                {post: "{{ origin.portal }}/a", empty: true, extract: {code: {css: h1}}, receipt: {code: "{{ code }}"}}]}]},
            withdraw: {gives: {withdrawn: "1"}, steps: [{step: withdraw, requests: [
                {post: "{{ origin.portal }}/b", fields: {key: "{{ secret('key') }}", code: "{{ receipt }}"}}]}]}}}""",
        "authorisations/a.yaml": """{id: own, portal: probe, reference: own machine, granted_by: x, valid_from: 2020-01-01T00:00:00+07:00,
            valid_to: 2100-01-01T00:00:00+07:00, citizens_in_flight_max: 1, requests_per_s_max: 9, hosts: [{origin: "http://127.0.0.1:9"}],
            payment_sandbox: {origin: "http://127.0.0.1:9"}, secrets: {key: "env:NO_SUCH_KEY"}}""",
    }  # fmt: skip
    for file, text in catalog.items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(text, encoding="utf-8")
    done = walk("probe", "--catalog", str(tmp_path))
    assert done.returncode == 3, done.stdout + done.stderr
    assert "secrets.key of probe is nothing at env:NO_SUCH_KEY" in done.stderr
    assert done.stdout == ""  # no step was walked
