"""Locust's log: what others wrote into a message is visible and without secrets, tracebacks included."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from harness.operations.locust_log import clean_log

SECRET = "given/secret+0"


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    before = logging.getLogRecordFactory()
    clean_log({SECRET})
    logger, stream = logging.getLogger("tests.locust_log"), io.StringIO()
    handler = logging.StreamHandler(stream)
    logger.propagate = False
    logger.addHandler(handler)
    yield logger, stream
    logger.removeHandler(handler)
    logging.setLogRecordFactory(before)


def test_a_message_is_visible_and_cannot_pose_as_another(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = log
    logger.warning("refused: %s", "\x1b[2Jx\r\n[2026-11-26] forged/INFO: all is well \u202e")
    assert stream.getvalue() == "refused: \\u001b[2Jx\\u000d\n    [2026-11-26] forged/INFO: all is well \\u202e\n"


def test_secrets_and_credentials_are_blanked_also_in_tracebacks(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = log

    def fail() -> None:
        raise ValueError(f"no answer to /x?key={SECRET}&access_token=of-the-portal-1 \x9b31m")

    try:
        fail()
    except ValueError:
        logger.exception("visit %d with Authorization: Bearer %s", 7, "of-the-portal-2")
    said = stream.getvalue()
    assert said.startswith("visit 7 with Authorization: Bearer •••\nTraceback")
    assert "ValueError: no answer to /x?key=•••&access_token=••• \\u009b31m" in said
    assert SECRET not in said
    assert "of-the-portal" not in said


def test_arguments_that_do_not_fit_lose_no_record(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, _ = log
    record = logger.makeRecord(logger.name, logging.WARNING, __file__, 1, "%d", ("text",), None)
    assert (record.msg, record.args) == ("%d", ("text",))  # `logging` says what is wrong with it
