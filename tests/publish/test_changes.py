"""The changes between two sweeps in words."""

from __future__ import annotations

import pytest

from harness.publish.changes import changes_in_words
from harness.scoring import Change, ChangeWord, Comparison


@pytest.mark.parametrize(
    ("metric", "kind", "effect", "said"),
    [
        ("mean", "ratio", 1.25, "ratio after/before 1.25"),
        ("ok_rate of visits", "difference", -2.5, "difference in percentage points -2.50"),
        ("apdex(2.5 s)", "difference", -0.04, "difference -0.040"),
    ],
)
def test_an_effect_says_what_it_is_counted_in(metric: str, kind: str, effect: float, said: str) -> None:
    change = Change(
        portal="slow", criterion="a-criterion", metric=metric, effect=effect, effect_kind=kind, interval=(effect, None), pairs=6,
        p_value=0.01, adjusted_p_value=0.02, worse=True, named=True, word=ChangeWord.WORSE, before=1.0, after=1.25, fewest_pairs=6,
    )  # fmt: skip
    line, *_ = changes_in_words(Comparison((change,), 1, 6, 6, ()), "en")
    assert said in line
