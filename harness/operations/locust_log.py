"""What a Locust process logs, as it may stand in a log: each record on lines of its own, and without secrets."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Collection
from typing import Any

from harness.errors import visible
from harness.visits.blanking import spellings
from harness.visits.credentials import BLANK, by_kind


def clean_log(secrets: Collection[str]) -> None:
    """Have every record from now on made visible, without these secrets and without credentials, whoever logs it and wherever it goes.

    Portals and strangers on the network write parts of messages and of tracebacks. Further lines of a message are indented, so
    that none can pose as a record.
    """
    spelled = spellings(secrets)

    def blank(text: str) -> str:
        for form in spelled:
            text = text.replace(form, BLANK)
        return by_kind(text)

    def record_of(*values: Any, **more: Any) -> logging.LogRecord:
        record = logging.LogRecord(*values, **more)
        try:
            record.msg, record.args = visible(blank(record.getMessage()), keep="\n\t").replace("\n", "\n    "), None
        except (TypeError, ValueError):
            return record  # arguments that do not fit their message: logging says so
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = visible(blank("".join(traceback.format_exception(*record.exc_info)).rstrip()), keep="\n")
        return record

    logging.setLogRecordFactory(record_of)
