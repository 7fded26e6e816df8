"""Batches: numbered, kept until acknowledged, sent again; a connection that fails loses nothing."""

from __future__ import annotations

import pytest

from harness.errors import HarnessError
from harness.load.outbox import RESEND_AFTER_S, ROWS_PER_BATCH, Outbox
from harness.records import LedgerLine, WindowKey
from harness.records.fleet_messages import LARGEST_BLOB, Batch, CitizenCounts, Tally, unpack
from harness.records.kept_walks import LARGEST_FILE
from harness.records.server_timing import LONGEST_NAME, LONGEST_US, MOST_METRICS, ServerMetric, ServerTiming
from tests.load.fleet import FakeClock, sample

KEYS = (WindowKey("s", 0, "r", 0, "p", "typical", "w"), WindowKey("s", 0, "r", 1, "p", "typical", "w"))
SAMPLE = sample(1, "ok")
DOSSIER = LedgerLine("p", "r", 1, "H08.12.03-261122-0001", "dossier")


class Wire:
    def __init__(self) -> None:
        self.sent: list[Batch] = []
        self.error: Exception | None = None

    def __call__(self, batch: Batch) -> None:
        if self.error is not None:
            raise self.error
        self.sent.append(batch)


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def box(wire: Wire) -> Outbox:
    return Outbox(wire, FakeClock(), "t", KEYS, lambda: {"p": CitizenCounts(3, 4, 0, 3)})


def later(box: Outbox, seconds: float = RESEND_AFTER_S + 0.1) -> Outbox:
    assert isinstance(box.clock, FakeClock)
    box.clock.stand_still(seconds)
    return box


def test_a_batch_holds_its_rows_and_only_the_keys_they_need(wire: Wire, box: Outbox) -> None:
    box.add_row(1, SAMPLE)
    box.flush()
    contents = unpack(wire.sent[0].blob)
    assert contents.keys == {1: KEYS[1]}
    assert contents.rows == [[1, *SAMPLE]]
    assert (wire.sent[0].seq, wire.sent[0].rows, wire.sent[0].citizens["p"].in_flight) == (0, 1, 3)


def test_what_a_server_says_goes_in_the_batch_of_its_row(wire: Wire, box: Outbox) -> None:
    for visit in range(ROWS_PER_BATCH + 1):
        if visit >= ROWS_PER_BATCH - 1:
            box.add_server_timing(1, ServerTiming((ServerMetric("db", visit), ServerMetric("app", 0)), left_out=1))
        box.add_row(1, SAMPLE._replace(visit=visit))
    box.flush()
    for batch, visits in zip(wire.sent, (range(ROWS_PER_BATCH), [ROWS_PER_BATCH]), strict=True):
        contents = unpack(batch.blob)
        last = len(contents.rows) - 1
        assert [row[2] for row in contents.rows] == [*visits]
        assert contents.server_timings == [[last, "db", visits[-1]], [last, "app", 0]]
        assert contents.server_timings_left_out == ((1, 1),)


def test_a_batch_of_the_largest_answers_is_within_its_limits(wire: Wire, box: Outbox) -> None:
    most = ServerTiming(tuple(ServerMetric("n" * LONGEST_NAME, LONGEST_US) for _ in range(MOST_METRICS)))
    for _ in range(ROWS_PER_BATCH):
        box.add_server_timing(0, most)
        box.add_row(0, SAMPLE)
    (batch,) = wire.sent
    assert len(unpack(batch.blob).server_timings) == ROWS_PER_BATCH * MOST_METRICS
    assert len(batch.blob) + LARGEST_FILE < LARGEST_BLOB  # with a lone walk


def test_a_tally_knows_how_many_failed_last(wire: Wire, box: Outbox) -> None:
    for failed in (True, False, True, True):
        box.count("p", failed=failed, refused=False, slow=False)
    box.add_row(0, SAMPLE)
    box.flush()
    assert wire.sent[0].tallies["p"] == Tally(4, 3, 0, 0, 2)


def test_nothing_to_say_is_no_batch(wire: Wire, box: Outbox) -> None:
    box.flush()
    assert (wire.sent, box.sequence) == ([], 0)


def test_what_is_not_acknowledged_is_sent_again_and_what_is_is_not(wire: Wire, box: Outbox) -> None:
    for _ in range(2):
        box.add_row(0, SAMPLE)
        box.flush()
    box.acknowledged(0)
    box.resend()
    assert [batch.seq for batch in wire.sent] == [0, 1]  # its time has not come
    later(box).resend()
    box.resend()
    assert [batch.seq for batch in wire.sent] == [0, 1, 1]
    box.acknowledged(1)
    box.acknowledged(1)
    assert box.pending == 0


def test_a_broken_connection_loses_nothing(wire: Wire, box: Outbox) -> None:
    wire.error = OSError("the connection is gone")
    box.add_row(0, SAMPLE)
    box.flush()
    assert (box.pending, wire.sent) == (1, [])
    wire.error = None
    later(box).resend()
    assert wire.sent[0].rows == 1


def test_an_error_of_our_own_is_not_taken_for_the_connections(wire: Wire, box: Outbox) -> None:
    wire.error = HarnessError("a mistake")
    box.add_row(0, SAMPLE)
    with pytest.raises(HarnessError):
        box.flush()


def test_an_acknowledgement_of_what_was_never_sent_changes_nothing(box: Outbox) -> None:
    box.add_row(0, SAMPLE)
    box.flush()
    box.acknowledged(7)
    assert box.pending == 1


def test_many_rows_go_without_being_asked(wire: Wire, box: Outbox) -> None:
    for _ in range(ROWS_PER_BATCH + 1):
        box.add_row(0, SAMPLE)
    assert [batch.rows for batch in wire.sent] == [ROWS_PER_BATCH]


def test_receipts_leave_at_once(wire: Wire, box: Outbox) -> None:
    box.add_receipt(DOSSIER)
    assert wire.sent[0].ledger == (DOSSIER,)


def test_requests_are_tallied_since_the_batch_before(wire: Wire, box: Outbox) -> None:
    box.count("p", failed=True, refused=True, slow=False)
    box.count("p", failed=False, refused=False, slow=True)
    box.add_row(0, SAMPLE)
    box.flush()
    box.add_row(0, SAMPLE)
    box.flush()
    assert [dict(batch.tallies) for batch in wire.sent] == [{"p": Tally(2, 1, 1, 1)}, {}]
