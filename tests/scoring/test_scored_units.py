import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import EvidenceError
from harness.records import VISIT_ROW
from harness.scoring.rows import read_rows
from harness.scoring.scored_units import tabulate
from tests.scoring.evening import Evening, frame


def _steps(evening: Evening):
    steps, visits = tabulate(read_rows(evening.frame()))
    named = {
        (steps.parts[part], int(visit), int(attempt)): (int(whole), int(charged), bool(ok))
        for part, visit, attempt, whole, charged, ok in zip(
            steps.part, steps.visit, steps.attempt, steps.whole_us, steps.charged_us, steps.ok, strict=True
        )
    }
    return named, visits


def _one_step(*rows):
    """A step of visit 1 from (owner, intended, end, outcome) or (owner, intended, end, outcome, wait)."""
    evening = Evening()
    for number, (owner, intended, end, outcome, *wait) in enumerate(rows):
        evening.row(0, "pay", 1, "pay", "pay", number, 1, owner, intended, end, outcome, wait=wait[0] if wait else 0)
    evening.row(0, "pay", 1, "", "", VISIT_ROW, 0, "", 0, 0, "ok")
    named, _ = _steps(evening)
    return named["pay", "pay", "pay"] if ("pay", "pay", "pay") in named else named[("pay", "pay", "pay"), 1, 1]


def test_a_step_lasts_from_its_intended_start_to_the_end_of_its_last_row():
    assert _one_step(("portal", 100, 400, "ok"), ("portal", 400, 900, "ok")) == (800, 800, True)


def test_one_failed_row_fails_the_step():
    assert _one_step(("portal", 100, 400, "ok"), ("portal", 400, 900, "wrong_content")) == (800, 800, False)
    assert _one_step(("portal", 100, 400, "ok"), ("identity", 400, 900, "timeout")) == (800, 300, False)


def test_time_at_other_owners_is_not_charged():
    # portal 100–400, identity 400–900, portal 900–1000: the portal's own rows took 300 + 100.
    assert _one_step(("portal", 100, 400, "ok"), ("identity", 400, 900, "ok"), ("portal", 900, 1000, "ok")) == (900, 400, True)


def test_while_the_portal_is_under_way_too_time_is_charged():
    # assets 200–700 in parallel with the portal's 100–500: only 500–700 is theirs alone.
    assert _one_step(("portal", 100, 500, "ok"), ("assets", 200, 700, "ok"), ("portal", 700, 800, "ok")) == (700, 500, True)


def test_gaps_are_charged_and_waits_before_polling_go_with_their_row():
    # Nothing under way in 400–600: the portal's. A wait of 250 before asking the payment host again: the payment host's.
    assert _one_step(("portal", 100, 400, "ok"), ("portal", 600, 700, "ok")) == (600, 600, True)
    assert _one_step(("portal", 100, 400, "ok"), ("payment", 650, 700, "ok", 250)) == (600, 300, True)


def test_foreign_rows_that_overlap_are_counted_once():
    assert _one_step(("assets", 0, 500, "ok"), ("assets", 100, 300, "ok"), ("assets", 400, 600, "ok"), ("portal", 600, 650, "ok")) == (
        650,
        50,
        True,
    )


def test_skipped_rows_have_no_time_and_fail():
    assert _one_step(("portal", 0, 0, "skipped")) == (0, 0, False)
    assert _one_step(("portal", 500, 900, "timeout"), ("portal", 0, 0, "skipped")) == (400, 400, False)


def test_the_wait_of_a_refresh_is_nobodys_time():
    evening = Evening()
    evening.row(0, "search", 1, "find", "search", 0, 1, "portal", 0, 100, "ok")
    evening.row(0, "search", 1, "find", "search", 0, 1, "portal", 3100, 3150, "ok", wait=3000, hop=1)
    evening.row(0, "search", 1, "find", "search", 0, 1, "identity", 3150, 3250, "ok", hop=2)
    named, _ = _steps(evening)
    assert list(named.values()) == [(250, 150, True)]


def test_a_refresh_that_was_cut_off_while_it_waited_took_the_time_until_then():
    evening = Evening()
    evening.row(0, "search", 1, "find", "search", 0, 1, "portal", 0, 100, "ok")
    evening.row(0, "search", 1, "find", "search", 0, 1, "portal", 3100, 900, "aborted", wait=3000, hop=1)
    named, _ = _steps(evening)
    assert list(named.values()) == [(100, 100, False)]


def test_repeated_steps_of_a_visit_are_steps_of_their_own():
    evening = Evening()
    for attempt in (1, 2):
        evening.row(0, "search", 1, "find", "search", 0, attempt, "portal", attempt * 1000, attempt * 1000 + 10 * attempt, "ok")
    named, _ = _steps(evening)
    assert {key[2]: value[0] for key, value in named.items()} == {1: 10, 2: 20}


def test_a_visit_is_the_sum_of_its_steps_without_thinking():
    evening = Evening()
    evening.visit(0, "search", [("find", "search", 0.4, "ok"), ("find", "open_procedure", 0.2, "ok")])
    _, visits = _steps(evening)
    assert visits.whole_us.tolist() == [600_000]
    assert visits.ok.tolist() == [True]


def test_a_visit_without_a_closing_row_has_failed():
    evening = Evening()
    evening.visit(0, "search", [("find", "search", 0.4, "ok")], closing=False)
    _, visits = _steps(evening)
    assert visits.ok.tolist() == [False]
    assert visits.stepless.tolist() == [False]


def test_a_visit_turned_away_fails_every_step_of_its_journey():
    evening = Evening()
    evening.visit(0, "search", [("find", "search", 0.4, "ok"), ("find", "open_procedure", 0.2, "ok")])
    away = evening.visit(0, "search", outcome="not_served")
    named, visits = _steps(evening)
    assert {key[0][2]: value for key, value in named.items() if key[1] == away} == {
        "search": (0, 0, False),
        "open_procedure": (0, 0, False),
    }
    assert visits.ok.tolist() == [True, False]


def test_a_journey_that_was_always_turned_away_still_has_a_step_that_failed():
    evening = Evening()
    evening.visit(0, "search", outcome="not_served")
    named, _ = _steps(evening)
    assert named == {(("search", "", ""), 1, 1): (0, 0, False)}


def test_what_the_generator_dropped_counts_for_nothing():
    evening = Evening()
    evening.visit(0, "search", [("find", "search", 0.4, "ok")])
    evening.visit(0, "search", outcome="dropped")
    named, visits = _steps(evening)
    assert len(named) == 1
    assert len(visits.visit) == 1


ROWS = st.lists(
    st.tuples(
        st.integers(0, 2), st.sampled_from(["search", "pay"]), st.integers(1, 4), st.sampled_from(["find", "pay"]), st.sampled_from(["search", "pay"]),
        st.integers(-1, 2), st.integers(1, 2), st.sampled_from(["portal", "identity", "assets", ""]), st.integers(0, 1000), st.integers(0, 1000),
        st.integers(0, 100), st.sampled_from([0, 0, 1]), st.sampled_from(["ok", "timeout", "skipped", "dropped", "not_served", "aborted"]),
    ),
    min_size=1, max_size=25,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_order_chunks_and_dictionaries_change_nothing(rows, random):
    def table(ordered):
        found = tabulate(read_rows(pa.Table.from_pandas(frame(ordered))))
        return [[getattr(each, name) for name in each.__slots__] for each in found]

    shuffled = list(rows)
    random.shuffle(shuffled)
    split = random.randrange(len(rows) + 1)
    pieces = [pa.Table.from_pandas(frame(piece)) for piece in (shuffled[:split], shuffled[split:]) if piece]
    joined = [[getattr(each, name) for name in each.__slots__] for each in tabulate(read_rows(pa.concat_tables(pieces)))]
    for one, other, again in zip(table(rows), table(shuffled), joined, strict=True):
        for left, right, third in zip(one, other, again, strict=True):
            assert np.array_equal(left, right) if isinstance(left, np.ndarray) else left == right
            assert np.array_equal(left, third) if isinstance(left, np.ndarray) else left == third


@settings(max_examples=150, deadline=None)
@given(ROWS)
def test_charged_time_lies_between_nothing_and_the_whole_and_equals_a_count_of_microseconds(rows):
    steps, _ = tabulate(read_rows(frame(rows)))
    assert (steps.charged_us >= 0).all()
    assert (steps.charged_us <= steps.whole_us).all()
    for part, visit, attempt, charged in zip(steps.part, steps.visit, steps.attempt, steps.charged_us, strict=True):
        key = (steps.parts[part][0], visit, *steps.parts[part][1:], attempt)
        own = [
            row for row in rows if (row[1], row[2], row[3], row[4], row[6]) == key and row[5] >= 0 and row[12] not in {"dropped", "skipped"}
        ]
        if own:
            assert charged == _counted(own)


def _counted(rows):
    """The charged time of a step, microsecond by microsecond."""
    begin, end = min(row[8] for row in rows), max(row[9] for row in rows)
    charged = 0
    for moment in range(begin, max(begin, end)):
        under_way = [row[7] for row in rows if row[8] - (0 if row[11] else row[10]) <= moment < row[9]]
        if not under_way and any(row[11] and row[8] - row[10] <= moment < row[8] for row in rows):
            continue  # a page had asked to wait
        foreign = [owner for owner in under_way if owner not in {"portal", ""}]
        charged += not foreign or len(foreign) < len(under_way)
    return charged


def test_plain_text_columns_and_nulls_are_read_too():
    evening = Evening()
    evening.visit(0, "search", [("find", "search", 0.4, "ok")])
    text = evening.frame().astype(dict.fromkeys(("journey", "goal", "step", "host_owner", "outcome"), "object"))
    nulls = evening.frame()
    nulls["goal"] = pd.Categorical([value or None for value in nulls["goal"]])
    for each in (text, nulls):
        steps, visits = tabulate(read_rows(each))
        assert steps.parts == (("search", "find", "search"),)
        assert visits.ok.tolist() == [True]


def test_numbers_beyond_62_bits_are_still_told_apart():
    evening = Evening()
    for visit in (2**61, 2**61 + 1):
        evening.row(0, "search", visit, "find", "search", 0, 1, "portal", 0, 10, "ok")
    named, _ = _steps(evening)
    assert len(named) == 2


def test_no_rows_are_no_steps():
    steps, visits = tabulate(read_rows(frame([])))
    assert len(steps.part) == len(visits.visit) == 0


def test_missing_columns_are_named():
    with pytest.raises(EvidenceError, match="without intended_us, outcome"):
        read_rows(Evening().frame().drop(columns=["intended_us", "outcome"]))
