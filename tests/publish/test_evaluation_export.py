from __future__ import annotations

import csv
import io
import json
from decimal import Decimal

import pytest

from harness import publish
from harness.scoring.evaluation import PortalTotal, Totals

FORMULA = "=cmd|'/c calc'!A1"


def system(portal: str, total: str | None, grade: str | None) -> PortalTotal:
    known = None if total is None else Decimal(total)
    groups = (("functions", Decimal("43.5")), ("performance", None if known is None else known - Decimal("43.5")))
    ends = None if known is None else (known - 1, known + Decimal("0.1"))
    grades = None if grade is None else ("C", grade)
    return PortalTotal(
        portal, portal, portal, "province", groups, known, ends, grade, grades, Decimal(97), "" if known else "verdict blocked"
    )


@pytest.fixture
def totals() -> Totals:
    systems = (system("binh-dinh", "89.5", "B"), system(FORMULA, "79.1", "C"), system("thua-thien-hue", None, None))
    distribution = (("all", (("B", 1), ("C", 1), ("without a total", 1))), ("province", (("B", 1), ("C", 1), ("without a total", 1))))
    return Totals("89.5 counts as below 90", systems, distribution, ("nobody-knows",))


def test_totals_name_what_they_were_made_from(totals, scores, tmp_path):
    document = json.loads(publish.export_totals(totals, scores, tmp_path).read_text(encoding="utf-8"))
    assert document["performance"] == {"sweep": scores.sweep, "revision": 1, "nights": list(scores.nights)}
    assert document["criteria_set"]["provisional"] is True
    assert document["between_bands"] == "89.5 counts as below 90"
    assert document["not_scored"] == ["nobody-knows"]
    assert document["distribution"][0] == {"level": "all", "grades": {"B": 1, "C": 1, "without a total": 1}}


def test_numbers_are_the_decimals_they_were(totals, scores, tmp_path):
    first, _, last = json.loads(publish.export_totals(totals, scores, tmp_path).read_text(encoding="utf-8"))["systems"]
    assert (first["total"], first["interval"], first["grade"]) == (89.5, [88.5, 89.6], "B")
    assert first["groups"] == {"functions": 43.5, "performance": 46.0}
    assert (last["total"], last["grade"], last["without_a_total_because"]) == (None, None, "verdict blocked")


def test_the_table_has_a_row_a_system_and_no_formula(totals, scores, tmp_path):
    publish.export_totals(totals, scores, tmp_path)
    text = (tmp_path / "totals.csv").read_bytes().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["total"] for row in rows] == ["89.5", "79.1", ""]
    assert [row["functions"] for row in rows] == ["43.5"] * 3
    assert rows[1]["portal"] == f"'{FORMULA}"


def test_the_same_totals_give_the_same_bytes(totals, scores, tmp_path):
    first = publish.export_totals(totals, scores, tmp_path / "a").read_bytes()
    assert publish.export_totals(totals, scores, tmp_path / "b").read_bytes() == first


def test_no_system_at_all_is_a_table_without_rows(totals, scores, tmp_path):
    publish.export_totals(Totals("the set has no grades", (), (), ()), scores, tmp_path)
    assert (tmp_path / "totals.csv").read_bytes().decode("utf-8-sig").count("\r\n") == 1
