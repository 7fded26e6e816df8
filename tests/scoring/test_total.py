import dataclasses
from decimal import Decimal

import pytest

from harness.catalog.criteria_set import read_criteria
from harness.errors import UsageError
from harness.evidence.facts import Verdict
from harness.scoring import PortalIdentity, RunEvidence, read_groups, score_sweep, total
from harness.scoring.evaluation import grade_of
from tests.scoring.evening import facts, good_evening
from tests.scoring.sets import SHIPPED, the_2024_set

YEAR_2024 = the_2024_set()
HEADER = "portal,functions,structure,security,access,emc\n"


def _scores():
    runs = []
    for name, level, verdict in (
        ("bo-mau", "ministry", Verdict.VALID),
        ("tinh-mau", "province", Verdict.VALID),
        ("tinh-dong", "province", Verdict.BLOCKED),
    ):
        run = dataclasses.replace(facts(verdict=verdict), portal=name)
        runs.append(RunEvidence(PortalIdentity(name, name, name, level), run, good_evening().frame()))
    return score_sweep("s", runs, YEAR_2024)


def test_totals_are_what_a_hand_calculation_says():
    groups = read_groups(
        HEADER + "bo-mau,45,5,14.5,5,5\ntinh-mau,30,4,10,3,5\ntinh-dong,50,5,15,5,5\nelse,1,1,1,1,1\n", "groups.csv", YEAR_2024
    )
    found = total(_scores(), groups, YEAR_2024)
    first, second, closed = found.systems
    # 45 + 5 + 12 + 14.5 + 5 + 5 and 30 + 4 + 12 + 10 + 3 + 5
    assert (first.portal, first.total, first.grade) == ("bo-mau", Decimal("86.5"), "B")
    assert (second.portal, second.total, second.grade) == ("tinh-mau", Decimal("64.0"), "D")
    assert (closed.portal, closed.total, closed.grade, closed.why_not) == ("tinh-dong", None, None, "verdict blocked")
    assert first.total_interval == (Decimal("85.9286"), Decimal("86.5"))
    assert first.grade_interval == ("B", "B")
    assert first.points_assessed_max == 92  # 100, less the 8 performance points that one night cannot assess
    assert dict(first.groups)["performance"] == Decimal("12.0")
    assert found.unknown == ("else",)
    assert dict(found.distribution)["all"] == (("A", 0), ("B", 1), ("C", 0), ("D", 1), ("E", 0), ("without a total", 1))
    assert dict(found.distribution)["province"] == (("A", 0), ("B", 0), ("C", 0), ("D", 1), ("E", 0), ("without a total", 1))


@pytest.mark.parametrize(
    ("points", "lower", "nearest"),
    [
        ("90", "A", "A"),
        ("89.5", "B", "A"),
        ("89.4999", "B", "B"),
        ("79.5", "C", "B"),
        ("79.4", "C", "C"),
        ("64.5", "D", "C"),
        ("49.99", "E", "D"),
        ("0", "E", "E"),
    ],
)
def test_totals_between_printed_bands_follow_the_stated_rule(points, lower, nearest):
    rounding = YEAR_2024.model_copy(update={"between_bands": "nearest"})
    assert grade_of(Decimal(points), YEAR_2024) == lower
    assert grade_of(Decimal(points), rounding) == nearest
    assert "89.5 counts as below 90" in total(_scores(), {}, YEAR_2024).rule
    assert "89.5 counts as 90" in total(_scores(), {}, rounding).rule


def test_a_set_without_grades_has_totals_all_the_same():
    pillars = read_criteria(SHIPPED / "cong-dvc-2023.yaml")
    groups = read_groups("portal,functions,access\nbo-mau,60,9\n", "groups.csv", pillars)
    found = total(_scores(), groups, pillars)
    assert (found.systems[0].total, found.systems[0].grade) == (Decimal("81.0"), None)
    assert {each.portal: each.why_not for each in found.systems}["tinh-mau"] == "not in the groups file"
    assert found.distribution == ()


def test_every_bad_cell_is_named():
    with pytest.raises(UsageError) as caught:
        read_groups(HEADER + 'bo-mau,51,x,-1,5,5\nbo-mau,1,1,1,1,1\n,1,1,1,1,"4,5"\n', "groups.csv", YEAR_2024)
    assert [(problem.line, problem.key) for problem in caught.value.problems] == [
        (2, "functions"), (2, "structure"), (2, "security"), (3, "portal"), (4, "portal"), (4, "emc"),
    ]  # fmt: skip
    with pytest.raises(UsageError) as caught:
        read_groups("portal,functions,structure,security,access,extra\n", "groups.csv", YEAR_2024)
    assert [problem.key for problem in caught.value.problems] == ["emc", "extra"]


WHOLE = "bo-mau{0}48{0}{1}{0}5{0}5{0}5\n"


@pytest.mark.parametrize(
    ("header", "row", "words"),
    [
        (
            HEADER,
            WHOLE.format(",", "4,9"),
            "groups.csv:2: table is 7 cells, separated by comma; expected 6 cells, one for each of portal, functions",
        ),
        (HEADER, WHOLE.format(",", '"4,9"'), "groups.csv:2: structure is '4,9'; expected a number from 0 to 5"),
        (HEADER, WHOLE.format(",", '"1,200"'), "groups.csv:2: structure is '1,200'"),
        (HEADER.replace(",", ";"), WHOLE.format(";", "1,200"), "groups.csv:2: structure is '1,200'"),
        (HEADER, WHOLE.format(",", "4.9%"), "groups.csv:2: structure is '4.9%'"),
        (HEADER, WHOLE.format(",", "NaN"), "groups.csv:2: structure is 'NaN'"),
        (HEADER, WHOLE.format(",", "1_0"), "groups.csv:2: structure is '1_0'"),
        (HEADER, WHOLE.format(",", "٤"), "groups.csv:2: structure is '٤'"),
        (HEADER, "", "groups.csv:1: table is no rows"),
        ("", "", "groups.csv:1: table is none"),
        (HEADER.replace("emc", "access"), WHOLE.format(",", "4"), r"each column once"),
        (
            HEADER.replace(",", "|"),
            WHOLE.format("|", "4"),
            "groups.csv:1: portal is missing; expected the columns .*; found are portal|functions",
        ),
    ],
)
def test_a_figure_with_two_readings_is_none(header, row, words):
    with pytest.raises(UsageError, match=words.replace("|", r"\|")):
        read_groups(header + row, "groups.csv", YEAR_2024)


def test_points_with_decimal_commas_are_read_between_semicolons():
    by_comma = read_groups("\ufeff" + HEADER.replace(",", ";") + WHOLE.format(";", "4,9"), "groups.csv", YEAR_2024)
    assert by_comma == read_groups(HEADER + WHOLE.format(",", "4.9") + "\n,,,,,\n", "groups.csv", YEAR_2024)
    assert by_comma["bo-mau"]["structure"] == Decimal("4.9")
