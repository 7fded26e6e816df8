"""How long the master's event loop stands still while a round is sealed: ``python -m benches.sealing [ROWS…]``.

The bench seals the same round twice: on the loop, and in a thread. Meanwhile a greenlet wakes every 20 ms and does nothing else. It stands
for the greenlet that renews the lease. Its longest delay is the time for which workers and batches have to wait.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import gevent

from harness.evidence import Spool, SweepFolder
from harness.evidence.spool import Aside
from harness.load.aside import in_a_thread
from harness.load.outbox import ROWS_PER_BATCH
from harness.records import Plan, RoundRecord, Sample, SlotRecord, WindowKey, WindowRecord
from harness.records.fleet_messages import Batch, BatchContents, pack
from harness.records.round import RoundMember

PORTALS = 6
EVERY_S = 0.02
ON_THE_LOOP: Aside = lambda work: work()  # noqa: E731  (a value of the type, beside the other one)


def main() -> int:
    """Print a line for each number of rows and each way."""
    for rows in map(int, sys.argv[1:] or ("3000", "60000")):
        for way, aside in (("on the loop", ON_THE_LOOP), ("in a thread", in_a_thread)):
            with tempfile.TemporaryDirectory() as folder:
                took_s, cpu_s, latest_s = _seal(SweepFolder(Path(folder) / "sweep"), rows, aside)
            print(f"{rows} rows {way}: {took_s:.2f} s, {cpu_s:.2f} s of CPU; the loop stood still for at most {latest_s * 1000:.0f} ms")
    return 0


def _seal(folder: SweepFolder, rows: int, aside: Aside) -> tuple[float, float, float]:
    folder.path.mkdir()
    folder.plan.write_text(Plan("s", 1, "poisson", "w", (), (), 1.0, 1.0, {}, "", "").to_json(), encoding="utf-8")
    window = WindowRecord(1, "typical", 1.0, 0.0, 60.0, {}, {}, (), 1, None)
    slots = tuple(SlotRecord(f"p{number}", f"p{number}-seed1", 9, (window,)) for number in range(PORTALS))
    record = RoundRecord(1, 0, "001-00", 0, "2026-11-22T00:00:00+00:00", closed=False, members=(RoundMember("w"),), slots=slots)
    spool = Spool(folder, aside=aside)
    spool.open_round("s#001-00", record)
    keys = {number: WindowKey("s", 1, slot.run, 1, slot.portal, "typical", "w") for number, slot in enumerate(slots)}
    for first in range(0, rows, ROWS_PER_BATCH):
        some = [(n % PORTALS, *_row(n)) for n in range(first, min(rows, first + ROWS_PER_BATCH))]
        spool.append("w", Batch("s#001-00", first, len(some), pack(BatchContents(keys, some))))
    late_s: list[float] = []
    beat = gevent.spawn(_beat, late_s)
    gevent.sleep(3 * EVERY_S)
    late_s.clear()
    began_s, cpu_s = time.monotonic(), time.process_time()
    spool.seal_round("s#001-00", record)
    took_s, cpu_s = time.monotonic() - began_s, time.process_time() - cpu_s
    gevent.sleep(2 * EVERY_S)
    beat.kill()
    return took_s, cpu_s, max(late_s)


def _beat(late_s: list[float]) -> None:
    while True:
        due_s = time.monotonic() + EVERY_S
        gevent.sleep(EVERY_S)
        late_s.append(time.monotonic() - due_s)


def _row(number: int) -> Sample:
    times = (number, number, number + 50, number + 90)
    return Sample(
        "search",
        number // 8,
        "find",
        "search",
        number % 8,
        0,
        1,
        "http://127.0.0.1:1",
        "portal",
        "GET",
        *times,
        0,
        0,
        0,
        False,
        0,
        9,
        200,
        "ok",
    )


if __name__ == "__main__":
    sys.exit(main())
