"""The changes between two sweeps, as they are printed."""

from __future__ import annotations

import dataclasses
import io
import re

import pytest
from rich.console import Console

from harness.evidence.reasons import Language
from harness.publish.change_text import effect_text, interval_text_of, missing_text, name_text_of
from harness.publish.changes import print_changes
from harness.scoring import (
    FEW_PORTALS,
    Change,
    ChangeWord,
    Comparison,
    CriterionScore,
    CriterionState,
    MissingValues,
    SweepScores,
    WhyMissing,
    WhyNoSteps,
    compare,
)
from harness.scoring.common_movement import CommonMovement
from harness.scoring.named_change import MeasureMovement, Obstacle, OtherLoad, WhyNotJudged
from harness.scoring.rule_changes import RuleChanges, UnprintedRule, rule_changes
from harness.scoring.scorecard import AppliedCriteria
from tests.publish.vietnamese import IN_ENGLISH, IN_VIETNAMESE
from tests.scoring.sets import card, sweep_scores
from tests.scoring.simulated_steps import simulated

NOTHING: SweepScores = sweep_scores([])
PLAIN = Change(
    portal="slow", criterion="a-criterion", name_vi="Tiêu chí", name_en="A criterion", metric="mean", effect=1.25, effect_kind="ratio",
    interval=(1.1, 1.4), pairs=6, p_value=0.01, adjusted_p_value=0.02, worse=True, named=True, word=ChangeWord.WORSE, before=1.0, after=1.25,
    fewest_pairs=6,
)  # fmt: skip


def _printed(found: Comparison, *languages: Language, width: int = 0) -> str:
    console = Console(file=io.StringIO(), width=width or None, force_terminal=bool(width), color_system=None)
    print_changes(found, console, languages or ("en",))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def _of(*changes: Change, **more: object) -> Comparison:
    return dataclasses.replace(Comparison(changes, 1, 6, 6, ()), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("metric", "kind", "effect", "said", "in_vietnamese"),
    [
        ("mean", "ratio", 1.25, "×1.25", "×1,25"),
        ("ok_rate of visits", "difference", -2.5, "-2.50 pp", "-2,50 điểm %"),
        ("apdex(2.5 s)", "difference", 0.04, "+0.040", "+0,040"),
    ],
)
def test_an_effect_says_what_it_is_counted_in(metric: str, kind: str, effect: float, said: str, in_vietnamese: str) -> None:
    change = dataclasses.replace(PLAIN, metric=metric, effect_kind=kind, effect=effect, interval=(effect, effect))
    assert (effect_text(change, "en"), effect_text(change, "vi")) == (said, in_vietnamese)


def test_an_infinite_effect_says_that_it_comes_from_failures() -> None:
    to_failures = dataclasses.replace(PLAIN, after=None, effect=None, interval=(1.5, None))
    assert (effect_text(to_failures, "en"), interval_text_of(to_failures, "en")) == ("×∞", "[1.50; ∞]")
    back = dataclasses.replace(PLAIN, before=None, effect=None, interval=(None, 0.8), worse=False, word=ChangeWord.BETTER)
    assert (effect_text(back, "en"), interval_text_of(back, "en")) == ("×0", "[0; 0.80]")
    assert "falls on a failure" in _printed(_of(to_failures))
    assert "falls on a failure" not in _printed(_of(PLAIN))


def test_a_pipe_has_a_line_a_row_with_all_that_was_found() -> None:
    lines = _printed(_of(PLAIN)).splitlines()
    assert lines[:2] == ["1 of 1 changes are named; 0 criteria and steps could not be compared", "worse: 1"]
    row = next(line for line in lines if line.startswith("A criterion"))
    assert row.split("  ")[0] == "A criterion"
    assert row.split()[2:] == ["1.00", "s", "1.25", "s", "×1.25", "[1.10;", "1.40]", "0.020", "worse"]


def test_each_word_is_printed_with_what_it_rests_on() -> None:
    factors = {"search": 1.0, "log_in": 1.3, "attach": 1.06, "track": 1.0}
    before = simulated(1, dict.fromkeys(factors, 1.0), windows=14, visits=200, between=0.002)
    after = simulated(2, factors, windows=14, visits=200, between=0.002, widen={"track": 2.0})
    said = _printed(compare(NOTHING, NOTHING, steps=(before, after)))
    assert [line.split()[0] for line in said.splitlines() if "Search / find a procedure" in line] == ["search", "log", "attach", "track"]
    for word in ("not significant", "worse", "detectable but tiny", "spread changed"):
        assert sum(word in line for line in said.splitlines()) >= 2, word  # in the count and in its row
    assert re.search(r"wider: p90 / p50 1\.\d\d → 2\.\d\d, p < 0\.001", said)
    few = [dataclasses.replace(step, windows=step.windows[:4]) for step in before]
    assert re.search("cannot tell +4 pairs; 8 would do", _printed(compare(NOTHING, NOTHING, steps=(few, after))))


def test_many_portals_show_only_the_rows_that_say_something() -> None:
    quiet = dataclasses.replace(PLAIN, word=ChangeWord.NOT_SIGNIFICANT, named=False)
    changes = [dataclasses.replace(quiet, portal=f"portal-{number}") for number in range(FEW_PORTALS + 1)]
    few = _printed(_of(*changes[:FEW_PORTALS]))
    assert all(f"portal-{number}\n" in few for number in range(FEW_PORTALS))
    many = _printed(_of(*changes[1:], PLAIN, why_no_steps=WhyNoSteps.MANY_PORTALS))
    assert "slow\n" in many
    assert "portal-1" not in many
    assert f"worse: 1 · not significant: {FEW_PORTALS}" in many
    assert "Only rows that changed are listed" in many
    assert "--steps" in many


def test_what_is_missing_says_in_which_sweep() -> None:
    missing = MissingValues(portal="p", criterion="c", why=WhyMissing.NO_WINDOWS, after="too_few_windows: 3 of 6", name_vi="C", name_en="C")
    assert missing_text(missing).en == "after: fewer windows than the criteria set asks for (3 of 6)"
    both = dataclasses.replace(missing, before="not_measured", after="not_measured")
    assert missing_text(both).en == "both sweeps: the steps that this criterion looks at were not measured"
    few = dataclasses.replace(missing, why=WhyMissing.TOO_FEW_EXECUTIONS, after="too_few_executions: 8")
    assert missing_text(few).en == "after: fewer than 8 executions in each window"
    step = MissingValues(portal="p", why=WhyMissing.NOT_AFTER, stage="typical", journey="search", goal="find", step="search")
    assert (name_text_of(step).en, missing_text(step).en) == ("search", "not in the later sweep")
    whole = [dataclasses.replace(missing, criterion=name, portal="blocked", after="verdict: blocked") for name in "ab"]
    alone = [MissingValues(portal=f"new-{n}", criterion="a", why=WhyMissing.NOT_BEFORE, name_vi="A", name_en="A") for n in range(7)]
    said = _printed(_of(PLAIN, missing=(missing, *whole, *alone)))
    assert "blocked\ncannot tell: after: the run's verdict: " in said
    assert "Only in the later sweep, not compared: new-0, new-1, new-2, new-3, new-4 and 2 more" in said
    assert "There is nothing to compare" in _printed(_of(missing=tuple(alone), obstacles=(Obstacle("", WhyNotJudged.NOTHING),)))


def test_another_load_is_said_above_the_tables() -> None:
    said = _printed(_of(PLAIN, other_loads=(OtherLoad("slow", "typical", 5.0, 10.0),))).splitlines()
    assert said[2] == "slow, typical load: the planned load differs, 5.00 → 10.0 arrivals a second; a change may come from that"


def test_the_table_fits_80_columns_and_the_vietnamese_one_is_vietnamese() -> None:
    before, after = (simulated(number, {"search": 1.0, "open_procedure": 1.0}, windows=8) for number in range(2))
    found = compare(NOTHING, NOTHING, steps=(before, after))
    for languages in (("en",), ("vi",), ("vi", "en")):
        said = _printed(found, *languages, width=80)
        assert max(map(len, said.splitlines())) <= 80
        assert "…" not in said
    words = set(_printed(found, "vi").lower().split())
    assert words & IN_VIETNAMESE
    assert not {word for word in words & (IN_ENGLISH - IN_VIETNAMESE) if len(word) > 2}


def test_what_strangers_write_cannot_steer_a_terminal() -> None:
    said = _printed(_of(dataclasses.replace(PLAIN, portal="p\x1b[2J", name_en="n\x1b[2J")))
    assert "\x1b" not in said


@pytest.mark.parametrize(
    ("metric", "movement", "in_vietnamese", "in_english"),
    [
        (
            "mean",
            CommonMovement("multiplied", 1.284, 84),
            "chậm hơn 28 %",
            "Search: the night was 28 % slower for 84 comparable portals; taken out",
        ),
        ("p95", CommonMovement("multiplied", 0.953, 20), "nhanh hơn 4,7 %", "4.7 % faster"),
        ("mean", CommonMovement("added", 0.052, 9), "chậm hơn 0,052 s", "0.052 s slower"),
        ("ok_rate", CommonMovement("added", -1.25, 9), "thấp hơn 1,25 điểm phần trăm", "1.25 percentage points lower"),
        ("apdex(2.5 s)", CommonMovement("added", 0.02, 9), "cao hơn 0,020 tính", "0.020 higher"),
        ("mean", CommonMovement("multiplied", 1.0001, 9), "không thay đổi", "unchanged for 9"),
        ("mean", CommonMovement("none", 1.0, 7), "hệ thống so sánh được: 7, ít hơn 8", "7, fewer than 8; nothing in common is taken out"),
    ],
)
def test_what_portals_moved_in_common_is_printed(metric: str, movement: CommonMovement, in_vietnamese: str, in_english: str) -> None:
    moved = MeasureMovement(criterion="search", metric=metric, movement=movement, name_vi="Tra cứu", name_en="Search")
    found = Comparison((), 1, 6, 6, (), movements=(moved,))
    assert in_english in _printed(found, "en")
    assert in_vietnamese in _printed(found, "vi")


def test_a_step_that_moved_is_named_by_journey_and_step_where_a_portal_has_a_row_of_note() -> None:
    moved = MeasureMovement(
        metric="p50", movement=CommonMovement("multiplied", 1.5, 9), stage="typical", journey="search", goal="find", step="search"
    )  # fmt: skip
    quiet = dataclasses.replace(
        PLAIN, criterion="", metric="p50", word=ChangeWord.NOT_SIGNIFICANT, stage="typical", journey="search", goal="find", step="search"
    )  # fmt: skip
    assert "taken out" not in _printed(_of(movements=(moved,), steps=(quiet,)))
    worse = dataclasses.replace(quiet, word=ChangeWord.WORSE)
    (line,) = (each for each in _printed(_of(movements=(moved,), steps=(worse,))).splitlines() if "taken out" in each)
    assert line.startswith("typical load · Search · search · ")
    assert line.endswith("the night was 50 % slower for 9 comparable portals; taken out")


def _by_rules(portals: int, **more: object) -> RuleChanges:
    """Portals whose points moved from 8 of 10 to 7 by the rules and to 6 by themselves."""
    three = [sweep_scores([card(f"p-{number}", [_scored(points)]) for number in range(portals)]) for points in (8.0, 7.0, 6.5)]
    applied = [dataclasses.replace(three[0].criteria_set, version=version) for version in ("1", "2", "2")]
    before, again, after = (dataclasses.replace(one, criteria_set=each) for one, each in zip(three, applied, strict=True))
    return dataclasses.replace(
        rule_changes(
            before,
            again,
            after,
            rescored="before",
            not_reproduced=(),
            unprinted=(UnprintedRule("quota", "a-criterion", "Tiêu chí", "A criterion"),),
        ),
        **more,
    )  # type: ignore[arg-type]


def _scored(points: float) -> CriterionScore:
    return CriterionScore(
        id="a-criterion", name_vi="Tiêu chí", name_en="A criterion", state=CriterionState.ASSESSED, points=points, points_max=10,
        interval=None, metric="mean", value=1.0, unit="s", windows=6, n=6, basis="assumed",
    )  # fmt: skip


def test_what_the_rules_changed_stands_beside_the_portals_part_and_its_word() -> None:
    told = _of(dataclasses.replace(PLAIN, portal="p-0"), rule_changes=_by_rules(1))
    lines = _printed(told).splitlines()
    assert "Earlier rules, of the sweep before: test, version 1. Later rules, of the sweep after: test, version 2." in lines[0]
    assert lines[2:4] == ["Rules that changed:", "Quota: A criterion"]
    row = next(line for line in lines if line.startswith("A criterion"))
    assert row.split("  ")[0] == "A criterion"
    assert row.split()[2:] == ["8", "/", "10", "7", "/", "10", "6.5", "/", "10", "-1", "-0.5", "worse", "-1.5"]
    assert lines.index("The portal's part, tested:") < lines.index("1 of 1 changes are named; 0 criteria and steps could not be compared")
    words = set(re.findall(r"\w+", _printed(told, "vi").lower())) - {"test"}  # the id of the set
    assert not {word for word in words & (IN_ENGLISH - IN_VIETNAMESE) if len(word) > 2}
    for languages in (("en",), ("vi",), ("vi", "en")):
        said = _printed(told, *languages, width=80)
        assert max(map(len, said.splitlines())) <= 80
        assert "…" not in said


def test_of_many_portals_the_parts_stand_in_one_table_in_all() -> None:
    few, many = (_printed(_of(rule_changes=_by_rules(count))).splitlines() for count in (FEW_PORTALS, FEW_PORTALS + 1))
    assert sum(line.startswith("In all") for line in few) == FEW_PORTALS
    assert [line.split()[0] for line in many if line.startswith("p-")] == [f"p-{number}" for number in range(FEW_PORTALS + 1)]
    assert not any(line.startswith("In all") for line in many)


@pytest.mark.parametrize(
    ("unprinted", "said"),
    [
        ((UnprintedRule("shared"), UnprintedRule("path_doubt")), "Shared hosts that are not charged"),
        ((), "No rule of scoring changed; only names, sources or grades did."),
        (None, "rules that no score prints were not compared"),
    ],
)
def test_rules_that_no_score_prints_are_named(unprinted: tuple[UnprintedRule, ...] | None, said: str) -> None:
    assert said in _printed(_of(rule_changes=_by_rules(1, unprinted=unprinted)))


def test_that_many_totals_are_unlike_is_one_line() -> None:
    found = _by_rules(FEW_PORTALS + 1)
    (parts,) = found.portals[0].criteria
    unlike = dataclasses.replace(parts, before=dataclasses.replace(parts.before, points_max=12.0))
    portals = tuple(dataclasses.replace(each, criteria=(unlike,)) for each in found.portals)
    said = _printed(_of(rule_changes=dataclasses.replace(found, portals=portals)))
    assert f"{FEW_PORTALS + 1} portals were not assessed on the same criteria in both sweeps" in said
    assert "the assessed criteria differ" not in said


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"same_version": True}, "test@1 has one content in the earlier sweep and another in the later one"),
        ({"not_reproduced": ("p-0",)}, "come out of the evidence again by the very rules that they name: p-0."),
        ({"not_reproduced": None}, "The catalog does not have test, version 1 with the content that was used"),
        ({"again": AppliedCriteria("test", "2+shortened (windows from 6 s)", provisional=True)}, "are not shortened alike"),
        ({"before": AppliedCriteria("another", "1", provisional=True)}, "two different criteria sets; criteria are matched by their ids"),
    ],
)
def test_what_makes_the_parts_doubtful_is_said_first(more: dict[str, object], said: str) -> None:
    printed = _printed(_of(rule_changes=_by_rules(1, **more)))
    assert said in "\n".join(printed.splitlines()[:2])
