"""A profile drafted from what a real browser recorded, and what is no capture."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path

import pytest
import yaml

from harness.catalog import Portal, embedded_target
from harness.catalog.platform import Platform
from harness.errors import UsageError
from harness.operations.authoring.draft import draft_profile, draft_with_remarks
from harness.operations.embedded import EmbeddedPortals
from harness.profiles import compile_platform
from harness.profiles.attachments import attachment
from harness.profiles.functions import FUNCTIONS
from harness.records import Outcome
from tests.html_site import in_a_thread
from tests.operations.one_time_site import OneTimeSite, recorded_walk
from tests.publish.browser import require_chromium
from tests.visits.conftest import QUICK, Walker

CAPTURES = Path(__file__).parent / "captures"
NAMESPACE = "_hoso_WAR_dvcportlet_"


@pytest.fixture(scope="module")
def embedded() -> Iterator[tuple[EmbeddedPortals, Portal]]:
    portal = Portal(id="drafted", name_vi="Tỉnh Thử Nghiệm", name_en="Test", level="sample", embedded_platform="liferay", personality=QUICK)
    still = {"distribution": "constant", "median_ms": 0, "servers": 0}
    running = EmbeddedPortals.start([portal], seed=7, identity=still, payment=still)
    yield running, portal
    running.stop()


def walks_after_edits(drafted: str, embedded: tuple[EmbeddedPortals, Portal]) -> None:
    """A draft of the walk that ``record`` describes files, pays and tracks after at most five edited lines, twice."""
    running, portal = embedded
    edits = {
        "so_dinh_danh: 000123456789": 'so_dinh_danh: "{{ person.citizen_number }}"',
        "ho_ten: Nguyễn Thử Nghiệm": 'ho_ten: "{{ person.name }}"',
        f"{NAMESPACE}ngaySinh: 01/02/1990": f'{NAMESPACE}ngaySinh: "{{{{ dossier.birth_date }}}}"',
    }
    edited = drafted
    for old, new in edits.items():
        assert old in edited
        edited = edited.replace(old, new)
    changed = [
        line for line in unified_diff(drafted.splitlines(), edited.splitlines(), n=0) if line.startswith("+") and not line.startswith("+++")
    ]
    assert len(changed) <= 5
    compiled = compile_platform(Platform.model_validate(yaml.safe_load(edited)), FUNCTIONS)
    assert compiled.lacks("withdraw")
    walker = Walker()
    target = embedded_target(portal, running.origins(portal.id))
    before = running.counts()[portal.id]
    for _ in range(2):
        walked = walker.walk(compiled, target, keyword="kết hôn")
        assert walked.failure is None
        assert walked.rows[-1].outcome is Outcome.OK
        assert {"search", "open_procedure", "log_in", "fill_in", "attach", "submit", "pay", "confirm_payment", "track"} <= {
            row.step for row in walked.rows
        }
    after = running.counts()[portal.id]
    assert after["dossiers"] == before["dossiers"] + 2
    assert after["payments"]["paid"] == before["payments"].get("paid", 0) + 2


@pytest.mark.browser
def test_a_draft_walks_after_a_few_edited_lines(embedded: tuple[EmbeddedPortals, Portal], tmp_path: Path) -> None:
    require_chromium()
    running, portal = embedded
    record(running.origins(portal.id)["portal"], tmp_path)
    drafted = draft_profile(tmp_path / "capture.har", profile="drafted")
    assert "name_vi: drafted" in drafted
    assert "/oauth2/login: mat_khau: a password, written as person.password" in drafted
    assert "mat_khau: '{{ person.password }}'" in drafted
    assert "Thu@456789" not in drafted
    walks_after_edits(drafted, embedded)


@pytest.mark.parametrize("tool", ["playwright", "mitmproxy"])
def test_the_same_walk_as_other_tools_record_it(embedded: tuple[EmbeddedPortals, Portal], tool: str) -> None:
    """Both files were written by the tools themselves (Playwright 1.65, mitmproxy 11.0) and shortened; the person is synthetic."""
    drafted = draft_with_remarks(CAPTURES / f"{tool}.har", profile="drafted")
    assert "Thu@456789" not in drafted.text
    assert "Thu%40456789" not in drafted.text
    entries = json.loads((CAPTURES / f"{tool}.har").read_text(encoding="utf-8"))["log"]["entries"]
    assets = {number for number, entry in enumerate(entries, 1) if re.search(r"/theme/|favicon|update", entry["request"]["url"])}
    said = {remark.entry: str(remark) for remark in drafted.left_out}
    files = {number for number, entry in enumerate(entries, 1) if entry["request"]["url"].partition("?")[0].endswith("/thanh-phan")}
    assert set(said) == assets | files  # nothing else is left out, and nothing is without a remark
    for number, text in said.items():
        entry = entries[number - 1]["request"]
        assert text.startswith(f"entry {number} {entry['method']} {entry['url'].partition('?')[0]}")
        assert (f"#   {text}\n" in drafted.text) is not text.endswith(": an asset of a page")
    number_of_assets = sum(text.endswith(": an asset of a page") for text in said.values())
    assert f"#   assets of pages (images, scripts, style sheets): {number_of_assets};" in drafted.text
    walks_after_edits(drafted.text, embedded)


def test_a_draft_of_values_that_hold_once_walks_as_it_is(tmp_path: Path) -> None:
    """A code behind #, a token in a header, a ticket in an address, a file in XML, a poll: no line is edited."""
    portal = Portal(id="once", name_vi="Tỉnh Thử Nghiệm", name_en="Test", level="sample", embedded_platform="liferay")
    with in_a_thread(OneTimeSite()) as site:
        (tmp_path / "capture.har").write_text(json.dumps(recorded_walk(site)), encoding="utf-8")
        assert len(site.filed) == 1
        drafted = draft_with_remarks(tmp_path / "capture.har", profile="once")
        compiled = compile_platform(Platform.model_validate(yaml.safe_load(drafted.text)), FUNCTIONS)
        walker = Walker()
        for number in (2, 3):
            walked = walker.walk(compiled, embedded_target(portal, {"portal": site.origin}), goals=("find", "file", "track"))
            assert walked.failure is None
            assert walked.given["receipt"] == site.filed[-1]
            assert len(site.filed) == number
        assert list(site.states.values()) == [3, 3, 3]  # each walk polled until the state changed
    assert "Mat-Khau-Thu-1" not in drafted.text
    assert not re.search(r"(?:csrf|execution|code|bearer|file|ticket)-\d{9}", drafted.text.partition("\nid:")[2])


def record(origin: str, folder: Path) -> None:
    """A person files, pays and tracks in Chromium."""
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import Select

    from tests.operations.recording import Recorder

    recorder = Recorder(folder)
    browser = recorder.browser

    def click(css: str) -> None:
        browser.find_element(By.CSS_SELECTOR, css).click()
        recorder.settle()

    def write(css: str, text: str) -> None:
        browser.find_element(By.CSS_SELECTOR, css).send_keys(text)

    try:
        browser.get(origin + "/")
        recorder.settle()
        write("#tim-kiem input[type=text]", "khai sinh")
        click("#tim-kiem button")
        click("a.thu-tuc")
        click("a#nop-ho-so")
        for name, text in {"so_dinh_danh": "000123456789", "ho_ten": "Nguyễn Thử Nghiệm", "mat_khau": "Thu@456789"}.items():
            write(f"[name={name}]", text)
        click("form#dang-nhap button")
        for name, text in {"ngaySinh": "01/02/1990", "dienThoai": "0000123456", "diaChi": "Số 1 phố Kiểm Thử"}.items():
            write(f"[name={NAMESPACE}{name}]", text)
        Select(browser.find_element(By.CSS_SELECTOR, f"[name={NAMESPACE}xaPhuong]")).select_by_index(2)
        click("form#applicant button")
        paper = folder / "giay.pdf"
        paper.write_bytes(attachment("pdf", 20_000))
        write(f"[name={NAMESPACE}noiDung]", "Hồ sơ kiểm thử")
        write(f"[name={NAMESPACE}tepDinhKem]", str(paper))
        click("form#dossier button")
        browser.find_element(By.CSS_SELECTOR, f"[name={NAMESPACE}camDoan]").click()
        click("form#confirm button")
        code = browser.find_element(By.ID, "ma-ho-so").text
        click("a#nop-le-phi")
        click("form#payment button")
        click("form#thanh-toan button")
        browser.find_element(By.LINK_TEXT, "Tra cứu hồ sơ").click()
        recorder.settle()
        write("form#tra-cuu [name=maHoSo]", code)
        click("form#tra-cuu button")
        recorder.save(folder / "capture.har")
    finally:
        recorder.close()


def entry(
    method: str,
    url: str,
    body: object,
    mime: str = "text/html",
    posted: object = None,
    headers: dict[str, str] | None = None,
    kind: str = "",
) -> dict:
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    request = {"method": method, "url": url, "headers": [{"name": name, "value": value} for name, value in (headers or {}).items()]}
    if posted is not None:
        request["postData"] = {"mimeType": "application/json", "text": json.dumps(posted, ensure_ascii=False)}
    return {
        "_resourceType": kind,
        "request": request,
        "response": {"status": 200, "headers": [], "content": {"mimeType": mime, "text": text}},
    }


def test_values_of_an_api_become_extractions(tmp_path: Path) -> None:
    site, json_type = "http://127.0.0.1:9", "application/json"
    token = {"Authorization": "Bearer tok-8812-abc", "X-Requested-With": "XMLHttpRequest"}
    har = {
        "log": {
            "entries": [
                entry("GET", f"{site}/app", "<h1>Cổng</h1><script>var cfg = {key: 'k-2231-xyz'};</script>", kind="document"),
                entry("GET", f"{site}/logo.png", "", "image/png", kind="image"),
                entry("GET", f"{site}/api/search?keyword=khai%20sinh&page=0", {"items": [{"id": 4711, "name": "Khai sinh"}]}, json_type),
                entry("GET", f"{site}/api/items/4711", {"id": 4711, "form": "f-99a1"}, json_type),
                entry("POST", f"{site}/api/login", {"accessToken": "tok-8812-abc"}, json_type, {"user": "000123", "password": "Thu@1"}),
                entry(
                    "POST",
                    f"{site}/api/dossiers",
                    {"code": "H01.02-261122-0007"},
                    json_type,
                    {"form": "f-99a1", "item": 4711, "key": "k-2231-xyz", "ok": True},
                    token,
                ),
                entry(
                    "GET", f"{site}/api/track/H01.02-261122-0007", {"code": "H01.02-261122-0007", "state": "new"}, json_type, headers=token
                ),
            ]
        }
    }
    path = tmp_path / "api.har"
    path.write_text(json.dumps(har), encoding="utf-8")
    drafted = yaml.safe_load(draft_profile(path, profile="api"))
    compile_platform(Platform.model_validate(drafted), FUNCTIONS)
    find, file, track = (drafted["goals"][name] for name in ("find", "file", "track"))
    page, search = find["steps"][0]["requests"]
    assert page["extract"] == {"key": {"regex": r"key:\ '" + "([^\"']+)"}}
    assert search["query"] == {"keyword": "{{ keyword }}", "page": "0"}
    assert search["extract"] == {"id": {"json": "items[0].id"}}
    opened = find["steps"][1]["requests"][0]
    assert opened["get"] == "{{ origin.portal }}/api/items/{{ id }}"
    login, filed = file["steps"][0]["requests"][0], file["steps"][1]["requests"][0]
    assert [step["step"] for step in file["steps"]] == ["log_in", "submit"]
    assert login["extract"] == {"accesstoken": {"json": "accessToken"}}
    assert filed["json"] == {"form": "{{ form_value }}", "item": "{{ id }}", "key": "{{ key }}", "ok": True}
    assert filed["headers"] == {"Authorization": "Bearer {{ accesstoken }}", "X-Requested-With": "XMLHttpRequest"}
    assert filed["receipt"] == {"code": "{{ receipt }}"}
    assert track["steps"][0]["requests"][0]["get"] == "{{ origin.portal }}/api/track/{{ receipt }}"
    assert set(drafted["absent"]) == {"pay", "withdraw"}


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "not JSON"), ('{"log": 3}', "log is a number; expected an object"), ('{"log": {"entries": []}}', "no page or API call")],
)
def test_what_is_no_capture(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "x.har"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=said):
        draft_profile(path)
    with pytest.raises(UsageError, match=r"CAPTURE is unreadable .*No such file"):
        draft_profile(tmp_path / "gone.har")
