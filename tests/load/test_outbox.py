"""Batches: numbered, kept until acknowledged, sent again; a connection that fails loses nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgpack
import pytest

from harness.load import outbox as module
from harness.load.outbox import Outbox
from harness.records import Sample, WindowKey

KEYS = (WindowKey("s", 0, "r", 0, "p", "typical", "w"), WindowKey("s", 0, "r", 1, "p", "typical", "w"))
SAMPLE = Sample("search", 1, "find", "search", 0, 0, 1, "http://127.0.0.1:1", "portal", "GET", 1, 2, 3, 4, 0, 0, 0, False, 0, 10, 200, "ok")


class Wire:
    def __init__(self) -> None:
        self.sent: list[Mapping[str, Any]] = []
        self.broken = False

    def __call__(self, message: Mapping[str, Any]) -> None:
        if self.broken:
            raise OSError("the connection is gone")
        self.sent.append(message)


@pytest.fixture
def wire() -> Wire:
    return Wire()


def test_a_batch_holds_its_rows_and_only_the_keys_they_need(wire: Wire) -> None:
    box = Outbox(wire, "t", "w", KEYS)
    box.add_row(1, SAMPLE)
    box.flush()
    blob = msgpack.unpackb(wire.sent[0]["blob"], strict_map_key=False)
    assert blob["keys"] == {1: list(KEYS[1])}
    assert blob["rows"] == [[1, *SAMPLE]]
    assert wire.sent[0]["seq"] == 0


def test_what_is_not_acknowledged_is_sent_again_and_what_is_is_not(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RESEND_AFTER_S", -1.0)
    box = Outbox(wire, "t", "w", KEYS)
    for _ in range(2):
        box.add_row(0, SAMPLE)
        box.flush()
    box.acknowledged(0)
    box.resend()
    assert [message["seq"] for message in wire.sent] == [0, 1, 1]
    box.acknowledged(1)
    box.acknowledged(1)
    assert box.pending == 0


def test_a_broken_connection_loses_nothing(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RESEND_AFTER_S", -1.0)
    box = Outbox(wire, "t", "w", KEYS)
    wire.broken = True
    box.add_row(0, SAMPLE)
    box.flush()
    assert (box.send_failures, box.pending, wire.sent) == (1, 1, [])
    wire.broken = False
    box.resend()
    assert wire.sent[0]["rows"] == 1


def test_many_rows_go_without_being_asked(wire: Wire) -> None:
    box = Outbox(wire, "t", "w", KEYS)
    for _ in range(module.ROWS_PER_BATCH + 1):
        box.add_row(0, SAMPLE)
    assert [message["rows"] for message in wire.sent] == [module.ROWS_PER_BATCH]


def test_receipts_leave_at_once(wire: Wire) -> None:
    box = Outbox(wire, "t", "w", KEYS)
    box.add_receipt({"code": "H08.12.03-261122-0001"})
    assert wire.sent[0]["ledger"] == [{"code": "H08.12.03-261122-0001"}]
