"""``python -m tests.drill``: every fault of the table is done; ends with 1 where one row is not as expected."""

from __future__ import annotations

import sys

import pytest

from tests.drill.faults import FAULTS
from tests.drill.plugin import Drill


def main() -> int:
    """Pytest's exit code."""
    files = sorted({test.partition("::")[0] for fault in FAULTS for test in (*fault.tests, fault.control) if test})
    return int(pytest.main([*files, "-q", *sys.argv[1:]], plugins=[Drill()]))


if __name__ == "__main__":
    sys.exit(main())
