"""`harness reconcile`: the ledger beside an outside count, from files of every shape and from addresses that may be asked."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from harness.catalog import load_catalog
from harness.cli import main
from harness.evidence import SweepFolder
from harness.evidence.parquet import FILE_COLUMNS, PartWriter
from harness.operations.dossiers.reconcile import UNITS, Difference
from harness.operations.embedded import EmbeddedPortals
from harness.records import LedgerLine, Outcome, Sample, WindowKey, append_to_ledger
from tests.operations.filing import portal, start, sweep_folder, with_portals

SCENARIOS = Path(__file__).parents[2] / "scenarios"
PORTALS = (portal("liferay"), portal("eform"))
CATALOG = with_portals(load_catalog(SCENARIOS), PORTALS)
VISITS = 3


@pytest.fixture(scope="module")
def embedded() -> Iterator[EmbeddedPortals]:
    running = start(PORTALS)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def folder(embedded: EmbeddedPortals, tmp_path_factory: pytest.TempPathFactory) -> SweepFolder:
    return sweep_folder(tmp_path_factory.mktemp("sweep"), CATALOG, PORTALS, embedded, visits=VISITS)


def reconcile(folder: SweepFolder, truth: object, *more: str) -> Result:
    return CliRunner().invoke(main, ["reconcile", str(folder.path), "--truth", str(truth), *more])


def stored(embedded: EmbeddedPortals) -> list[tuple[str, str]]:
    """(portal, code) as the simulator's own database has them."""
    return [
        (each.id, item["code"]) for each in PORTALS for item in httpx.get(f"{embedded.control}/dossiers", params={"portal": each.id}).json()
    ]


def codes_file(path: Path, rows: list[tuple[str, str]], separator: str = ",") -> Path:
    lines = [separator.join(("portal", "code", "note")), *(separator.join((*row, "real")) for row in rows)]
    path.write_text("\ufeff" + "\r\n".join(lines) + "\r\n", encoding="utf-8")
    return path


def found(done: Result) -> dict[str, Any]:
    return {f"{item['portal']} {item['kind']}": item for item in json.loads(done.stdout)["portals"]}


def test_the_portals_own_counts_agree_by_address_and_by_file(embedded: EmbeddedPortals, folder: SweepFolder, tmp_path: Path) -> None:
    done = reconcile(folder, f"{embedded.control}/counts")
    assert done.exit_code == 0, done.stderr
    assert f"liferay dossiers: {VISITS} acknowledged to citizens, {VISITS} counted outside" in done.stdout
    assert "DIFFER" not in done.stdout
    (tmp_path / "counted.json").write_text(httpx.get(f"{embedded.control}/counts").text, encoding="utf-8")
    assert reconcile(folder, tmp_path / "counted.json", "--json").exit_code == 0


@pytest.mark.parametrize("separator", [",", ";"])
def test_codes_tell_which_are_missing_unknown_and_doubled(
    embedded: EmbeddedPortals, folder: SweepFolder, tmp_path: Path, separator: str
) -> None:
    rows = stored(embedded)
    assert reconcile(folder, codes_file(tmp_path / "all.csv", rows, separator)).exit_code == 0
    missing, doubled = rows[0], rows[1]
    changed = [*rows[1:], doubled, ("eform", "H99.1-261121-0001"), ("elsewhere", "H98.1-261121-0001")]
    done = reconcile(folder, codes_file(tmp_path / "changed.csv", changed, separator), "--json")
    assert done.exit_code == 5
    assert done.stderr.count("error: ") == 2
    liferay, eform = found(done)["liferay dossier"], found(done)["eform dossier"]
    assert (liferay["missing_codes"], liferay["duplicate_codes"], liferay["unknown"]) == ([missing[1]], [doubled[1]], 0)
    assert (eform["unknown_codes"], eform["missing"], eform["agrees"]) == (["H99.1-261121-0001"], 0, False)
    assert json.loads(done.stdout)["not_ours"] == ["elsewhere"]


def test_totals_tell_how_many(folder: SweepFolder, tmp_path: Path) -> None:
    (tmp_path / "totals.csv").write_text(f"portal,dossiers\nliferay,{VISITS - 1}\n", encoding="utf-8")
    done = reconcile(folder, tmp_path / "totals.csv")
    assert done.exit_code == 5
    assert "missing outside: 1 citizen; unknown to us: 0 codes (end not seen: 0 steps); given twice: 0 codes: DIFFER" in done.stdout
    assert "eform: the outside count does not name it" in done.stdout


@pytest.mark.parametrize(
    "data",
    [
        {"liferay": VISITS, "eform": VISITS},
        {"liferay": {"dossiers": VISITS, "payments": 0}, "identity": {"requests": 7}},
        [{"portal": "liferay", "dossiers": VISITS, "payments": 0}, {"portal": "eform", "dossiers": str(VISITS)}],
    ],
)
def test_json_of_several_shapes_is_read(folder: SweepFolder, tmp_path: Path, data: object) -> None:
    (tmp_path / "count.json").write_text(json.dumps(data), encoding="utf-8")
    done = reconcile(folder, tmp_path / "count.json")
    assert done.exit_code == 0, done.stderr


def test_json_lists_of_codes_are_read(embedded: EmbeddedPortals, folder: SweepFolder, tmp_path: Path) -> None:
    rows = stored(embedded)
    for number, data in enumerate(
        [
            {each.id: [code for name, code in rows if name == each.id] for each in PORTALS},
            [{"portal": name, "code": code} for name, code in rows],
        ]
    ):
        (tmp_path / f"{number}.json").write_text(json.dumps(data), encoding="utf-8")
        assert reconcile(folder, tmp_path / f"{number}.json").exit_code == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("portal,dossiers\nliferay,many\neform,-1\n", [":2: dossiers is 'many'; expected a whole number from 0", ":3: dossiers is '-1'"]),
        ("portal,dossiers\nliferay,1\nliferay,2\n", [":3: portal is 'liferay'; expected each portal once"]),
        ("portal,code,kind\nliferay,,\n,A,\nliferay,B,letter\n", [":2: code is ''", ":3: portal is ''", ":4: kind is 'letter'"]),
        ("portal,dossiers,duplicates\nliferay,1,two\n", [":2: duplicates is 'two'; expected a whole number from 0"]),
        ("portal,code\nliferay,1.23457E+11\n", [":2: code is 1.23457E+11, a number that a spreadsheet has cut"]),
        ("name,sum\na,1\n", [":1: columns is 'name,sum'; expected columns portal,code"]),
        ("", [":1: columns is ''"]),
        ('{"liferay": {"dossiers": 1.5}}', [": liferay.dossiers is 1.5"]),
        ('{"liferay": {"sum": 1}}', [": liferay is {'sum': 1}; expected dossiers"]),
        ('{\n"liferay": 3', [":2: content is"]),
        (
            "portal,dossiers,payments\nliferay,1,234,57\n",
            [":2: table is 4 cells, separated by comma; expected 3 cells, one for each of portal"],
        ),
        (
            'portal,dossiers\nliferay,"1,234"\neform,1.234\n',
            [":2: dossiers is '1,234'; expected a whole number from 0", ":3: dossiers is '1.234'"],
        ),
        ("portal;dossiers;dossiers\nliferay;1;2\n", [":1: table is portal, dossiers, dossiers (semicolon); expected each column once"]),
        ('{"liferay": 1, "liferay": 2}', [": content is not JSON (the key 'liferay' is given twice); expected JSON, with each key once"]),
        ('{"liferay": NaN}', [": content is not JSON (NaN is no number of JSON)"]),
        ("portal,dossiers\n", [":1: content is 'portal,dossiers"]),
        ("{}", [":1: content is '{}'"]),
        ("portal,dossiers\nnobody,1\n", [": portal is nobody; expected some of eform, liferay"]),
    ],
)
def test_a_count_that_cannot_be_used_is_refused_with_its_line(folder: SweepFolder, tmp_path: Path, text: str, expected: list[str]) -> None:
    path = tmp_path / "count"
    path.write_text(text, encoding="utf-8")
    done = reconcile(folder, path)
    assert done.exit_code == 2, done.stderr
    for line in expected:
        assert f"error: {path}{line}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_host_without_a_permission_is_never_asked(folder: SweepFolder) -> None:
    done = reconcile(folder, "http://dossiers.example.invalid/count")
    assert done.exit_code == 4
    assert "Nothing was sent" in done.stderr
    assert reconcile(folder, "ftp://127.0.0.1/count").exit_code == 2
    assert reconcile(folder, "http://me:secret@127.0.0.1/count").exit_code == 2
    assert "secret" not in reconcile(folder, "http://me:secret@127.0.0.1/count").stderr


def test_a_dossier_whose_citizen_we_cut_off_is_not_the_portals_fault(
    embedded: EmbeddedPortals, folder: SweepFolder, tmp_path: Path
) -> None:
    """The portal stored it; the visit was cut off before the request that shows the code."""
    cut = SweepFolder(Path(shutil.copytree(folder.path, tmp_path / "cut")))
    key = WindowKey("s", 1, "liferay-seed7", 1, "liferay", "typical", "w")
    row = Sample("submit", 9, "file", "submit", 0, 0, 1, "", "portal", "POST", 1, 1, 2, 3, 0, 0, 0, False, 0, 0, 302, Outcome.OK)
    writer = PartWriter(cut.part("liferay", "liferay-seed7", "001-00"))
    for each in (row, row._replace(request=1, start_us=0, status=0, outcome=Outcome.ABORTED)):
        writer.add([getattr(key if column.name in WindowKey._fields else each, column.name) for column in FILE_COLUMNS])
    writer.close()
    rows = [*stored(embedded), ("liferay", "H99.1-261121-0001")]
    done = reconcile(cut, codes_file(tmp_path / "one-more.csv", rows), "--json")
    assert done.exit_code == 0, done.stderr
    assert (found(done)["liferay dossier"]["unknown"], found(done)["liferay dossier"]["unseen"]) == (1, 1)
    assert reconcile(folder, tmp_path / "one-more.csv").exit_code == 5


def with_ledger(folder: SweepFolder, path: Path, *lines: LedgerLine) -> SweepFolder:
    """The plan of a sweep with another ledger."""
    path.mkdir()
    (path / "plan.json").write_bytes(folder.plan.read_bytes())
    append_to_ledger(path / "ledger.jsonl", lines)
    return SweepFolder(path)


@pytest.mark.parametrize("kind", ["dossier", "payment"])
def test_a_code_told_to_three_citizens_and_stored_once_lacks_two(folder: SweepFolder, tmp_path: Path, kind: str) -> None:
    """Each code by itself: a code that is stored too often makes up for none that is missing."""
    told = [("A", 1), ("A", 2), ("A", 3), ("B", 4), ("C", 5)]
    planted = with_ledger(folder, tmp_path / "planted", *(LedgerLine("liferay", "r", visit, code, kind) for code, visit in told))
    path = tmp_path / "count.csv"
    path.write_text(f"portal,code,kind\nliferay,A,{kind}\nliferay,B,{kind}\nliferay,B,{kind}\nliferay,X,{kind}\n", encoding="utf-8")
    done = reconcile(planted, path, "--json")
    (item,) = json.loads(done.stdout)["portals"]
    assert (item["acknowledged"], item["counted"]) == (5, 4)
    assert (item["missing"], item["missing_codes"]) == (3, ["A", "C"])
    assert (item["unknown"], item["unknown_codes"]) == (1, ["X"])
    assert (item["duplicates"], item["duplicate_codes"]) == (2, ["A", "B"])
    assert json.loads(done.stdout)["units"] == UNITS
    assert "those of 3 citizens missing outside, 1 code unknown to us, 2 codes given twice" in done.stderr


def test_what_gave_up_explains_as_many_as_are_unknown() -> None:
    explained = Difference("a", "dossier", acknowledged=1, counted=3, missing=0, unknown=2, unseen=2, duplicates=0)
    assert explained.agrees
    assert not replace(explained, unknown=3).agrees
    assert not replace(explained, missing=1).agrees


def test_a_file_that_is_not_there_is_named(folder: SweepFolder, tmp_path: Path) -> None:
    done = reconcile(folder, tmp_path / "none.csv")
    assert done.exit_code == 2
    assert "--truth" in done.stderr
    assert "none.csv" in done.stderr
