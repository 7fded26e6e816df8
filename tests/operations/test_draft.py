"""A profile drafted from what a real browser recorded, and what is no capture."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path

import pytest
import yaml

from harness.catalog import Portal, embedded_target
from harness.catalog.platform import Platform
from harness.errors import UsageError
from harness.operations.authoring.draft import draft_profile
from harness.operations.embedded import EmbeddedPortals
from harness.profiles import compile_platform
from harness.profiles.attachments import attachment
from harness.profiles.functions import FUNCTIONS
from harness.records import Outcome
from tests.visits.conftest import QUICK, Walker

NAMESPACE = "_hoso_WAR_dvcportlet_"


@pytest.fixture
def embedded() -> Iterator[tuple[EmbeddedPortals, Portal]]:
    portal = Portal(id="drafted", name_vi="Tỉnh Thử Nghiệm", name_en="Test", level="sample", embedded_platform="liferay", personality=QUICK)
    still = {"distribution": "constant", "median_ms": 0, "servers": 0}
    running = EmbeddedPortals.start([portal], seed=7, identity=still, payment=still)
    yield running, portal
    running.stop()


@pytest.mark.browser
def test_a_draft_walks_after_a_few_edited_lines(embedded: tuple[EmbeddedPortals, Portal], tmp_path: Path) -> None:
    if not (shutil.which("chromium") and shutil.which("chromedriver")) and not os.environ.get("CI"):  # there a missing browser is a failure
        pytest.skip("needs Debian's chromium and chromium-driver")
    running, portal = embedded
    origins = running.origins(portal.id)
    record(origins["portal"], tmp_path)
    drafted = draft_profile(tmp_path / "capture.har", profile="drafted")
    assert "name_vi: drafted" in drafted
    assert "#   log_in: mat_khau = Thu@456789" in drafted
    edits = {
        "so_dinh_danh: 000123456789": 'so_dinh_danh: "{{ person.citizen_number }}"',
        "ho_ten: Nguyễn Thử Nghiệm": 'ho_ten: "{{ person.name }}"',
        "mat_khau: Thu@456789": 'mat_khau: "{{ person.password }}"',
        f"{NAMESPACE}ngaySinh: 01/02/1990": f'{NAMESPACE}ngaySinh: "{{{{ dossier.birth_date }}}}"',
    }
    edited = drafted
    for old, new in edits.items():
        edited = edited.replace(old, new)
    changed = [
        line for line in unified_diff(drafted.splitlines(), edited.splitlines(), n=0) if line.startswith("+") and not line.startswith("+++")
    ]
    assert len(changed) <= 5
    compiled = compile_platform(Platform.model_validate(yaml.safe_load(edited)), FUNCTIONS)
    assert compiled.lacks("withdraw")
    walker = Walker()
    target = embedded_target(portal, origins)
    for _ in range(2):
        walked = walker.walk(compiled, target, keyword="kết hôn")
        assert walked.failure is None
        assert walked.rows[-1].outcome is Outcome.OK
        assert {"search", "open_procedure", "log_in", "fill_in", "attach", "submit", "pay", "confirm_payment", "track"} <= {
            row.step for row in walked.rows
        }
    assert running.counts()[portal.id]["dossiers"] == 3
    assert running.counts()[portal.id]["payments"]["paid"] == 3


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
    assert filed["headers"] == {"authorization": "Bearer {{ accesstoken }}"}
    assert filed["receipt"] == {"code": "{{ receipt }}"}
    assert track["steps"][0]["requests"][0]["get"] == "{{ origin.portal }}/api/track/{{ receipt }}"
    assert set(drafted["absent"]) == {"pay", "withdraw"}


@pytest.mark.parametrize(
    ("text", "said"), [("{", "JSONDecodeError"), ('{"log": 3}', "TypeError"), ('{"log": {"entries": []}}', "no page or API call")]
)
def test_what_is_no_capture(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "x.har"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=said):
        draft_profile(path)
    with pytest.raises(UsageError, match="FileNotFoundError"):
        draft_profile(tmp_path / "gone.har")
