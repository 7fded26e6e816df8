"""What others are shown and what they are asked: each bound or rule is switched off, and a page, a spreadsheet or a receiver does harm."""

from __future__ import annotations

import csv
import io
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from itertools import repeat
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest
from markupsafe import Markup

from harness import publish
from harness.catalog import reading
from harness.errors import DeliveryError
from harness.publish import delivery, rendering, site, tables, workbook
from tests.drill.guards import most_bytes
from tests.publish.served import served
from tests.publish.test_delivery import answering

pytestmark = pytest.mark.slow  # part of `make drill`

FORMULA = "=cmd|'/c calc'!A1"
MARKUP = "<script>alert(1)</script>"


@pytest.fixture
def results(scores: Any, tmp_path: Path) -> Path:
    """A results folder with one sweep; a portal of it has a name that is a formula."""
    hostile = replace(scores.scorecards[0], name_vi=FORMULA, name_en=FORMULA)
    publish.export(replace(scores, scorecards=(hostile, *scores.scorecards[1:])), tmp_path / "results" / "night")
    return tmp_path / "results"


def names_in(folder: Path) -> set[str]:
    """The names of portals in the CSV."""
    return {row["name_vi"] for row in csv.DictReader(io.StringIO((folder / "scores.csv").read_text(encoding="utf-8-sig")))}


def test_without_its_apostrophe_a_name_is_a_formula(scores: Any, results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert f"'{FORMULA}" in names_in(results / "night")
    monkeypatch.setattr(tables, "_BEGINS_A_FORMULA", frozenset())
    monkeypatch.setattr(workbook, "_OPTIONS", {"in_memory": True, "strings_to_formulas": True})
    sheet = workbook.xlsxwriter.worksheet.Worksheet
    monkeypatch.setattr(sheet, "write_string", sheet.write)
    hostile = replace(scores.scorecards[0], name_vi=FORMULA)
    publish.export(replace(scores, scorecards=(hostile,)), results / "night")
    assert FORMULA in names_in(results / "night")
    book = openpyxl.load_workbook(results / "night" / "scores.xlsx")
    assert "f" in {cell.data_type for sheet in book for line in sheet.iter_rows() for cell in line}


def test_without_escapes_a_name_is_a_script(scores: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = replace(scores, scorecards=(replace(scores.scorecards[0], name_vi=MARKUP, name_en=MARKUP),))
    assert MARKUP not in publish.report(hostile, [], {}, tmp_path).read_text(encoding="utf-8")
    monkeypatch.setattr(rendering, "escape", Markup)
    assert MARKUP in publish.report(hostile, [], {}, tmp_path).read_text(encoding="utf-8")


def test_without_the_names_of_this_machine_another_sites_page_reads_scores(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"Host": "portal.example"}  # a name that its owner has led to 127.0.0.1
    with served(results) as address:
        assert httpx.get(f"{address}sweeps/night/scores.json", headers=asked).status_code == 400
    monkeypatch.setattr(site, "TrustedHostMiddleware", lambda app, **_: app)
    with served(results) as address:
        assert httpx.get(f"{address}sweeps/night/scores.json", headers=asked).json()["schema"]


def test_without_its_bound_on_silence_a_few_silent_visitors_lock_everybody_out(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "MOST_CONNECTIONS", 3)

    def answers(within_s: float) -> bool:
        """Whether a visitor is served while three others are connected and send nothing."""
        with served(results) as address, ExitStack() as open_:
            for _ in range(3):
                open_.enter_context(socket.create_connection(("127.0.0.1", httpx.URL(address).port)))
            end_s = time.monotonic() + within_s
            while httpx.get(address).status_code != 200:
                if time.monotonic() > end_s:
                    return False
                time.sleep(0.2)
            return True

    monkeypatch.setattr(site, "HEAD_WITHIN_S", 0.3)
    assert answers(within_s=30)
    monkeypatch.setattr(site, "HEAD_WITHIN_S", 1e6)
    assert not answers(within_s=3)


def test_without_the_list_of_files_everything_in_the_folder_is_given_out(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = shutil.copyfile(results / "night" / "scores.csv", results / "night" / "ledger.csv")
    with served(results) as address:
        assert httpx.get(f"{address}sweeps/night/{secret.name}").status_code == 404
        monkeypatch.setattr(site, "PUBLISHED", {secret.name})
        assert httpx.get(f"{address}sweeps/night/{secret.name}").status_code == 200


@pytest.mark.parametrize("bounded", [True, False])
def test_without_its_bound_a_receiver_fills_the_memory(results: Path, monkeypatch: pytest.MonkeyPatch, bounded: bool) -> None:
    if not bounded:
        monkeypatch.setattr(delivery, "MOST_BYTES", 10**12)
    monkeypatch.setattr(delivery, "LARGEST_JSON_BYTES", 10**7)  # Python sets aside as much as may be read
    over = threading.Event()

    def parts() -> Iterator[bytes]:
        yield b"HTTP/1.1 201 Created\r\nContent-Length: 104857600\r\n\r\n"
        yield from repeat(b"x" * 65_536, 1_600)
        over.wait(30)

    def push() -> None:
        with pytest.raises(DeliveryError, match="more than 1000000 bytes") if bounded else nullcontext():
            publish.push(url, results / "night" / "scores.json", attempts=1, drafts=True)

    with answering(parts()) as url:
        most = most_bytes(push)
        over.set()
    assert (most < 20_000_000) if bounded else (most > 100_000_000)


def test_without_its_bound_a_receiver_that_drips_keeps_push_for_ever(results: Path) -> None:
    drips = [b"HTTP/1.1 201 Created\r\nContent-Length: 40\r\n\r\n", *[b"x"] * 40]
    with answering(drips, pause_s=0.05) as url:
        with pytest.raises(DeliveryError, match="no whole answer in time"):
            publish.push(url, results / "night" / "scores.json", attempts=1, drafts=True, longest_s=0.3, pause=lambda _s: None)
        receipt = publish.push(url, results / "night" / "scores.json", attempts=1, drafts=True, longest_s=1e9)
    assert receipt.answer == "x" * 40, "it has waited for the last drip"


@pytest.mark.parametrize("bounded", [True, False])
def test_without_its_bound_a_file_of_any_size_is_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bounded: bool) -> None:
    path = tmp_path / "large.yaml"
    with path.open("wb") as file:
        file.truncate(120_000_000)
    if not bounded:
        monkeypatch.setattr(reading, "LARGEST_BYTES", 2 * 10**8)
    most = most_bytes(lambda: reading.read_document(path, []))
    assert (most < 100_000_000) if bounded else (most > 120_000_000)


def test_without_its_bound_a_file_of_aliases_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_VALUES", 10**9)
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 6))]
    (tmp_path / "bomb.yaml").write_text("\n".join(lines), encoding="utf-8")
    document = reading.read_document(tmp_path / "bomb.yaml", [])
    assert document is not None
    assert str(document.data["a5"]).count("x") == 9**6
