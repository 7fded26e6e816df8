"""What of a comparison stops a release: what is worse, and what should have been compared and was not."""

from __future__ import annotations

import dataclasses

import pytest

from harness.errors import UsageError
from harness.scoring import Change, ChangeWord, Comparison, MissingValues, WhyMissing
from harness.scoring.release_stops import check_allowed, not_compared_at_all, release_stops, row_name

CRITERION = Change(
    portal="staging", criterion="average-search", metric="mean", effect=1.25, effect_kind="ratio", interval=(1.1, 1.4), pairs=16, p_value=0.001,
    adjusted_p_value=0.01, worse=True, named=True, word=ChangeWord.NOT_SIGNIFICANT, before=1.0, after=1.25, fewest_pairs=9,
)  # fmt: skip
STEP = dataclasses.replace(CRITERION, criterion="", metric="p50", stage="typical", journey="submit", goal="file", step="fill_in")


def found(*rows: Change | MissingValues) -> Comparison:
    changes = [row for row in rows if isinstance(row, Change)]
    missing = tuple(row for row in rows if isinstance(row, MissingValues))
    return Comparison(
        tuple(row for row in changes if row.criterion), 1, 16, 9, (), tuple(row for row in changes if not row.criterion), missing
    )  # fmt: skip


def missing(why: WhyMissing = WhyMissing.NO_WINDOWS, before: str = "", after: str = "", **more: str) -> MissingValues:
    return MissingValues(**{"portal": "staging", "criterion": "availability", "why": why, "before": before, "after": after, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize("row", [CRITERION, STEP], ids=["criterion", "step"])
@pytest.mark.parametrize(
    ("word", "stops"),
    [
        (ChangeWord.WORSE, True),
        (ChangeWord.CANNOT_TELL, True),  # too few windows
        (ChangeWord.BETTER, False),
        (ChangeWord.TINY, False),
        (ChangeWord.SPREAD_CHANGED, False),
        (ChangeWord.NOT_SIGNIFICANT, False),
    ],
)
def test_what_is_worse_or_undecided_stops(row: Change, word: ChangeWord, stops: bool) -> None:
    changed = dataclasses.replace(row, word=word)
    assert release_stops(found(CRITERION, changed)) == ((changed,) if stops else ())


@pytest.mark.parametrize(
    "code",
    [
        "no_windows_of_stage", "no_operator_figures", "too_few_nights: 1 of 5, 16 of 30 windows", "no_value_per_window",
        "goal_absent: journey pay without goal pay", "not_permitted: pay needs to stand in journeys",
    ],
)  # fmt: skip
def test_what_neither_sweep_was_to_measure_does_not_stop(code: str) -> None:
    assert release_stops(found(CRITERION, missing(before=code, after=code))) == ()
    assert release_stops(found(CRITERION, missing(before=code, after=code.replace("16", "15")))) == ()


@pytest.mark.parametrize(
    ("why", "before", "after"),
    [
        (WhyMissing.NO_WINDOWS, "", "no_operator_figures"),  # there were figures before
        (WhyMissing.NO_WINDOWS, "no_operator_figures", ""),
        (WhyMissing.NO_WINDOWS, "", "goal_absent: journey pay without goal pay"),  # it was measured before
        (WhyMissing.NO_WINDOWS, "goal_absent: journey pay without goal pay", ""),
        (WhyMissing.NO_WINDOWS, "", "not_permitted: pay needs to stand in journeys"),
        (WhyMissing.NO_WINDOWS, "no_value_per_window", "no_operator_figures"),
        *((WhyMissing.NO_WINDOWS, code, code) for code in ("too_few_windows: 3 of 6", "unproven: pay stopped at pay", "not_measured")),
        *((WhyMissing.NO_WINDOWS, "", f"verdict: {verdict}") for verdict in ("void", "blocked", "unreachable", "insufficient")),
        (WhyMissing.NO_WINDOWS, "verdict: void", "verdict: void"),
        (WhyMissing.TOO_FEW_EXECUTIONS, "", "too_few_executions: 8"),
        (WhyMissing.NOT_AFTER, "", ""),
        (WhyMissing.NOT_BEFORE, "", ""),
        (WhyMissing.OTHER_CRITERION, "", ""),
    ],
)
def test_what_should_have_been_compared_stops(why: WhyMissing, before: str, after: str) -> None:
    row = missing(why, before, after)
    assert release_stops(found(CRITERION, row)) == (row,)


@pytest.mark.parametrize("name", ["staging", "availability"])
def test_what_may_be_missing_does_not_stop_but_what_is_worse_does(name: str) -> None:
    row, undecided = missing(after="verdict: void"), dataclasses.replace(CRITERION, criterion="availability", word=ChangeWord.CANNOT_TELL)
    assert release_stops(found(CRITERION, row, undecided), {name}) == ()
    worse = dataclasses.replace(undecided, word=ChangeWord.WORSE)
    assert release_stops(found(CRITERION, row, worse), {name}) == (worse,)


def test_a_step_is_named_with_its_place() -> None:
    row = dataclasses.replace(STEP, word=ChangeWord.CANNOT_TELL)
    assert row_name(row) == "typical/submit/file/fill_in"
    assert release_stops(found(row), {"typical/submit/file/fill_in"}) == ()
    assert release_stops(found(row), {"typical/pay/file/fill_in"}) == (row,)


def test_a_portal_of_which_nothing_was_compared_is_told() -> None:
    outside = missing(before="no_operator_figures", after="no_operator_figures")
    assert not_compared_at_all(found(outside)) == ("staging",)
    assert not_compared_at_all(found(outside, STEP)) == ()
    assert not_compared_at_all(found(outside), {"staging"}) == ()
    assert not_compared_at_all(found(outside, missing(after="verdict: void"))) == ()  # that stops it already


def test_a_name_that_is_in_neither_sweep_is_refused() -> None:
    check_allowed(found(CRITERION, STEP), ["staging", "average-search", "typical/submit/file/fill_in"])
    with pytest.raises(UsageError, match="Did you mean `average-search`"):
        check_allowed(found(CRITERION, STEP), ["averge-search", "staging"])
