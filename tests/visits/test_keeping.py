"""What a receipt keeps for a later withdrawal: learned values, never a login."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.catalog.platform import Platform
from harness.errors import CatalogError
from harness.profiles import compile_platform
from harness.profiles.functions import FUNCTIONS
from harness.visits.receipt_keeping import kept_values

from .conftest import CATALOG, Simulated, Walker, compiled


def keeping(*names: str) -> Platform:
    """igate-formio, whose receipt keeps these names."""
    platform = CATALOG.platforms["igate-formio"]
    whole: dict[str, Any] = platform.model_dump(by_alias=True, exclude_unset=True)
    whole["goals"]["file"]["steps"][-1]["requests"][-1]["receipt"]["keep"] = names
    return Platform.model_validate(whole)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("drfat", "a name that a request of this profile extracts or sets"),
        ("person", "a name that a request of this profile extracts or sets"),
        ("access_token", "no bearer token: the ledger is a file"),
    ],
)
def test_what_may_not_be_kept_is_a_mistake_of_the_profile(name: str, expected: str) -> None:
    with pytest.raises(CatalogError) as wrong:
        compile_platform(keeping("draft", name), FUNCTIONS)
    (problem,) = wrong.value.problems
    assert (problem.value, problem.expected) == (f"'{name}'", expected)
    assert problem.key.endswith("receipt.keep")


def test_values_with_a_secret_and_long_ones_are_left_out(simulate: Callable[..., Simulated], walker: Walker) -> None:
    simulated = simulate("liferay")
    visit = walker.walk(compiled("liferay"), simulated.target("liferay"), ("find",)).visit
    visit.state.scope.update(url="/a?key=hunter2", number=7, long="x" * 2_001, pair=["a"])
    visit.state.context.hidden.add("hunter2")
    assert kept_values(visit.state, ("url", "number", "long", "pair", "never_learned")) == {"number": 7}
