"""What holds for every test: Ctrl-C works, commands speak English, and which tests one worker of pytest-xdist takes together."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

ONE_BY_ONE = ("tests/e2e/", "tests/instrument/")
"""Their tests each start processes of their own and mostly wait."""

LONGEST_FIRST = (*ONE_BY_ONE, "tests/operations/", "tests/recorded/publication/", "tests/simulator/", "tests/publish/")
"""All other folders come after these, so that short tests fill the end."""
ALONE = "tests/e2e/"
"""Where `make test` looks for tests that are marked ``alone``."""

SHARED = {
    "tests/e2e/test_annex.py": "small sweeps",
    "tests/e2e/test_blame.py": "nights on small sites",
    "tests/e2e/test_claims.py": "small sweeps",
    "tests/e2e/test_same_seed.py": "small sweeps",
    "tests/e2e/test_shared_login.py": "shared login",
    "tests/e2e/test_faults.py": "sweep over faulty portals",
    "tests/e2e/test_web_ui.py": "web page",
    "tests/e2e/test_wheel.py": "wheel",
    "tests/instrument/test_lone_walks.py": "lone walks at small servers",
    "tests/instrument/test_unreadable.py": "unreadable answers of small servers",
    "tests/recorded/test_analysis.py": "scored once more",
    "tests/recorded/test_columns.py": "scored once more",
    "tests/recorded/test_diagnoses.py": "scored once more",
    "tests/recorded/test_frames.py": "scored once more",
    "tests/recorded/test_next_steps.py": "scored once more",
    "tests/recorded/test_page_heads.py": "scored once more",
    "tests/recorded/test_page_numbers.py": "scored once more",
    "tests/recorded/test_quickstart.py": "scored once more",
    "tests/recorded/test_reading.py": "scored once more",
    "tests/recorded/test_scores.py": "scored once more",
    "tests/recorded/test_steps.py": "scored once more",
    "tests/recorded/test_versions.py": "scored once more",
}
"""What is made once for all tests of these files."""


def pytest_configure() -> None:
    """Give processes that tests start one language, and a SIGINT that is not ignored: a shell ignores it for jobs in the background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ["HARNESS_LANG"] = "en"  # whatever the machine's locale is


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        return next((n for n, folder in enumerate(LONGEST_FIRST) if item.nodeid.startswith(folder)), len(LONGEST_FIRST))

    if stray := [item.nodeid for item in items if item.get_closest_marker("alone") and not item.nodeid.startswith(ALONE)]:
        raise pytest.UsageError(f"{', '.join(stray)}: make test runs tests that are alone in {ALONE} only")
    items.sort(key=place)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A module stays on one worker, which makes its fixtures once; tests that start processes are given out one by one.

    Not ``--dist loadgroup``: pytest-xdist 3.8 marks a group in an attribute that pytest 9.2 no longer reads.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByWhatIsShared(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            module = nodeid.partition("::")[0]
            return SHARED.get(module) or (nodeid if module.startswith(ONE_BY_ONE) else module)

    config.option.loadscopereorder = False  # the order of collection
    return ByWhatIsShared(config, log)
