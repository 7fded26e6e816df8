"""What holds for every test: Ctrl-C works, and which tests stay on one worker of pytest-xdist."""

from __future__ import annotations

import signal

import pytest

STARTS_PROCESSES = frozenset({"e2e", "instrument"})
"""Folders whose tests each start processes of their own and mostly wait. They come first, so that short tests fill the end."""


def pytest_configure() -> None:
    """Give processes that tests start a SIGINT that is not ignored: a shell ignores it for jobs in the background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a module on one worker, since its fixtures are made once; hand out tests that start processes one by one."""
    items.sort(key=lambda item: item.path.parent.name not in STARTS_PROCESSES)
    for item in items:
        if item.path.parent.name not in STARTS_PROCESSES and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))
